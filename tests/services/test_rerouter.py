"""Calls whose trunk was taken out of the configuration."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.model import AccountSettings, AttemptEnd, Call, CalleeType, CallPlan, EndKind, Millis, NewCall
from gateway.core.retry import RetryPolicy
from gateway.core.routes import Refused
from gateway.ports import Lane
from gateway.services import rerouter
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


async def test_a_call_that_was_live_when_its_trunk_went_finds_another_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerouter, "PAUSE", 0.01)
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    account = (await store.add_account("u", "h", AccountSettings("UTC", "US"))).id
    for number in range(3):
        await store.queue_call(account, NewCall(str(number), f"+{number}", "gone"), replace(PLAN, max_retries=1), NOW)
    claimed = await store.claim([Lane("gone", 2)], NOW, 2)

    def route(call: Call, account: object) -> str:
        if call.destination == "2":
            raise Refused("no route takes it")
        return "new"

    made = Rerouter(store, frozenset({"new"}), route)
    running = asyncio.create_task(made.run())

    async def stranded_alone() -> None:
        async with asyncio.timeout(5):
            while (left := await store.waiting(claimed[0].call.campaign_id, "gone", None, 9)) and len(left) > 1:
                await asyncio.sleep(0.01)
        assert [call.destination for call in left] == ["2"]

    await stranded_alone()
    for one in claimed:
        end = AttemptEnd(one.attempt.id, EndKind.NOT_REACHED, CalleeType.BUSY, NOW)
        call = await store.close_attempt(end)
        made.waits(call.campaign_id, call.trunk)
    await stranded_alone()
    assert len(await store.waiting(claimed[0].call.campaign_id, "new", None, 9)) == 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()
