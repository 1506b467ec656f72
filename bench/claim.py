"""Claiming one call with 1,000 due; 1,000,000 due; beside 1,000,000 paused; beside 1,000,000 of a capped account."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator

from bench.common import NOW, PLAN, fresh_store
from gateway.adapters.store import SqliteStore
from gateway.core.model import Account, AccountSettings, CampaignId, CampaignState, NewCall
from gateway.ports import Lane

CLAIMS = 400
MANY = 1_000_000


async def latency(due: int, paused: int = 0, capped: int = 0) -> float:
    """Median seconds of a claim."""
    async with fresh_store() as (store, account, _):
        full = await store.add_account("full", "hash", AccountSettings("UTC", "US", daily_calls=1))
        await load(store, full, "capped", capped)
        assert len(await store.claim([Lane("t", 2)], NOW, 2)) == min(capped, 1)
        if paused:
            await store.set_campaign_state(await load(store, account, "paused", paused), CampaignState.PAUSED)
        await load(store, account, "due", due)
        spent = []
        for _ in range(CLAIMS):
            started = time.perf_counter()
            (one,) = await store.claim([Lane("t", 1)], NOW, 1)
            spent.append(time.perf_counter() - started)
            assert one.account.id == account.id
        return statistics.median(spent)


async def load(store: SqliteStore, owner: Account, name: str, count: int) -> CampaignId:
    campaign = await store.open_campaign(owner.id, name, PLAN, NOW)
    for start in range(0, count, 2000):
        batch = [NewCall(str(n), f"+{n}", "t") for n in range(start, min(start + 2000, count))]
        await store.load_calls(campaign, batch, NOW)
    await store.publish_campaign(campaign, 0)
    return campaign


def run() -> str:
    """Each size against the same with 1,000 of them."""
    few, some_capped = asyncio.run(latency(1000)), asyncio.run(latency(1000, capped=1000))
    found = {
        "at 1M due": asyncio.run(latency(MANY)) / few,
        "beside 1M paused": asyncio.run(latency(1000, paused=MANY)) / few,
        "beside 1M of a capped account": asyncio.run(latency(1000, capped=MANY)) / some_capped,
    }
    print(f"claim: 1k due {few * 1e6:.0f} us, beside 1k of a capped account {some_capped * 1e6:.0f} us", flush=True)
    return f"claim against 1k: {', '.join(f'{one:.2f} {name}' for name, one in found.items())} (goal 1.5)"


def parts() -> Iterator[Callable[[], str]]:
    yield run
