"""Calls whose trunk was taken out of the configuration."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.store import SqliteStore
from gateway.core.model import AccountSettings, CallPlan, Millis, NewCall
from gateway.core.retry import RetryPolicy
from gateway.core.routes import Refused
from gateway.ports import Lane
from gateway.services.rerouter import BATCH, Rerouter

NOW = Millis(1_800_000_000_000)
PLAN = CallPlan("http://a/s", None, None, None, 0, 60, NOW, None)


async def test_waiting_calls_find_another_trunk_and_what_no_route_takes_waits_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    try:
        account = (await store.add_account("u", "h", AccountSettings("UTC", "US"))).id
        campaign = await store.open_campaign(account, "c", PLAN, NOW)
        count = 2 * BATCH + 7  # every third has no route
        await store.load_calls(campaign, [NewCall(str(n), f"+{n}", "gone") for n in range(count)], NOW)
        await store.load_calls(campaign, [NewCall("k", "+k", "kept")], NOW)
        await store.publish_campaign(campaign, 0)

        def route(call: object, account: object) -> str:
            if int(call.destination) % 3 == 0:  # type: ignore[attr-defined]
                raise Refused("no route takes it")
            return "new"

        stranded = (count + 2) // 3
        assert await Rerouter(store, frozenset({"new", "kept"}), route).look() == (count - stranded, stranded)
        claimed = await store.claim([Lane("new", count), Lane("kept", count)], NOW, count)
        assert len(claimed) == count - stranded + 1
        assert await store.other_lanes({"new", "kept"}) == [(campaign, "gone")]
        assert len(await store.waiting(campaign, "gone", None, count)) == stranded
    finally:
        await store.close()
