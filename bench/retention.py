"""What a sweep of old calls costs the dialer: the slowest claims in a hundred beside it, and without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from bench.common import NOW, PLAN, fresh_store
from gateway.adapters.store import SqliteAccess, SqliteStore, SqliteSweeps
from gateway.core.model import AccountId, CampaignState, Millis, NewCall
from gateway.core.retention import DAY_MS, Kept
from gateway.ports import Lane
from gateway.services.audit import Audit
from gateway.services.retention import Retention

OLD = 50_000
CLAIMS = 400
LATER = Millis(NOW + 100 * DAY_MS)


class Later:
    def now(self) -> Millis:
        return LATER

    def ticks(self) -> Millis:
        return self.now()


async def _campaign(store: SqliteStore, account: AccountId, name: str, count: int, at: Millis) -> None:
    campaign = await store.open_campaign(account, name, PLAN, at)
    for start in range(0, count, 2000):
        batch = [NewCall(str(n), f"+{n}", "t") for n in range(start, min(start + 2000, count))]
        await store.load_calls(campaign, batch, at)
    await store.publish_campaign(campaign, 0)
    if name == "old":
        await store.set_campaign_state(campaign, CampaignState.CANCELLED)


async def _claims(store: SqliteStore, many: int) -> list[float]:
    spent = []
    for _ in range(many):
        began = time.perf_counter()
        assert len(await store.claim([Lane("t", 1)], LATER, 1)) == 1
        spent.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)
    return sorted(spent)


async def measured() -> tuple[float, float, float]:
    """Seconds of the slowest claim in a hundred, without and beside a sweep, and rows swept in a second."""
    async with fresh_store() as (store, account, _):
        await _campaign(store, account.id, "old", OLD, NOW)
        await _campaign(store, account.id, "due", 3 * CLAIMS, LATER)
        sweep = Retention(
            SqliteSweeps(store),
            lambda before, dry: 0,
            Later(),
            {Kept.CALLS: 30},
            3,
            Audit(SqliteAccess(store), Later()),
        )
        alone = await _claims(store, CLAIMS)
        began = time.perf_counter()
        sweeping = asyncio.create_task(_all(sweep))
        beside = await _claims(store, CLAIMS)
        assert not sweeping.done(), "the sweep ended before it was measured"
        assert await sweeping == OLD
        return alone[-CLAIMS // 100], beside[-CLAIMS // 100], OLD / (time.perf_counter() - began)


async def _all(sweep: Retention) -> int:
    return sum([one.removed async for one in sweep.sweep()])


def run() -> str:
    alone, beside, rows = asyncio.run(measured())
    print(
        f"retention: claim p99 {alone * 1e3:.1f} ms, beside a sweep {beside * 1e3:.1f} ms; {rows:,.0f} rows/s",
        flush=True,
    )
    return f"claim p99 beside a sweep {beside / alone:.2f} of one alone, {rows:,.0f} old calls/s"


def parts() -> Iterator[Callable[[], str]]:
    yield run
