"""/events as a browser's EventSource and our client read them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.access import Scope
from gateway.services.api import events
from gateway.services.feed import EventKind
from tests.api.conftest import BOSS, CALL, OTHER, USER, House


@asynccontextmanager
async def listening(house: House, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    async with house.client.get(f"/api/v1/events{query}", headers={**USER, **headers}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")

        async def told() -> AsyncIterator[dict[str, Any]]:
            event: dict[str, str] = {}
            async for line in answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "data" in event:
                    data = json.loads(event["data"])
                    assert (event["id"], event["event"]) == (str(data["id"]), data["kind"])
                    yield data
                    event = {}
                else:
                    event = {}

        yield told()


async def first(events: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    return await asyncio.wait_for(anext(events), 20)


async def test_what_happens_is_told_to_whom_it_concerns(house: House) -> None:
    async with listening(house) as mine, listening(house, **BOSS) as all_of_them, listening(house, **OTHER) as others:
        _, made = await house.ask("POST", "/calls", CALL)
        for heard in (mine, all_of_them):
            event = await first(heard)
            assert (event["kind"], event["data"]["call_id"]) == ("call.queued", made["id"])
        await house.ask("POST", "/calls", CALL, auth=OTHER)
        assert (await first(others))["data"]["call_id"] == made["id"] + 1
        await house.ask("POST", f"/calls/{made['id']}/cancel")
        assert (await first(mine))["data"]["state"] == "cancelled"


async def test_listening_goes_on_after_the_last_event_heard(house: House) -> None:
    async with listening(house) as heard:
        await house.ask("POST", "/calls", CALL)
        last = (await first(heard))["id"]
    await house.ask("POST", "/calls", CALL)
    for query, headers in (("", {"Last-Event-ID": str(last)}), (f"?after={last}", {})):
        async with listening(house, query, **headers) as heard:
            assert (await first(heard))["data"]["call_id"] == 2
    async with listening(house, "?after=0") as heard:
        assert [(await first(heard))["kind"] for _ in range(2)] == ["missed", "call.queued"]
    assert (await house.ask("GET", "/events", headers={"Last-Event-ID": "x"}))[0] == 422


async def test_a_stream_is_narrowed_to_kinds_and_things(house: House) -> None:
    async with listening(house, "?kinds=campaign.*,attempt.ended") as heard:
        await house.ask("POST", "/calls", CALL)
        await house.ask("POST", "/campaigns", {"campaign_name": "c", "start_url": "http://app/start"})
        assert (await first(heard))["kind"] == "campaign.changed"
    async with listening(house, "?call=7") as heard:
        for call in (6, 7):
            house.feed.publish(EventKind.CALL_CHANGED, house.accounts["user1"].id, {"call_id": call})
        assert (await first(heard))["data"]["call_id"] == 7


async def test_a_revoked_token_hears_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.05)
    token = await house.token(Scope.READ)
    async with listening(house, **token) as heard:
        await house.tokens.revoke(1)
        async with asyncio.timeout(20):
            assert [one async for one in heard] == []


async def test_a_listener_that_reads_nothing_holds_nobody_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SLOW", 0.5)
    async with house.client.get("/api/v1/events", headers=USER) as stalled, listening(house) as heard:
        account = house.accounts["user1"].id
        for number in range(30_000):  # more than the feed keeps and the sockets take
            house.feed.publish(EventKind.CALL_CHANGED, account, {"call_id": number, "reason": "x" * 200})
            if number % 500 == 0:
                assert await first(heard)
        assert stalled.status == 200


async def test_who_is_an_operator_no_more_hears_no_more_of_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.05)
    async with listening(house, **BOSS) as heard:
        token = await house.token(Scope.OPERATOR, login=None)
        assert (await house.ask("PATCH", "/accounts/boss", {"operator": False}, auth=token))[0] == 200
        async with asyncio.timeout(20):
            assert [one async for one in heard] == []


async def test_a_new_pin_ends_what_was_opened_with_the_old_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.05)
    async with listening(house) as heard:
        assert (await house.ask("POST", "/accounts/user1/pin", {"pin": "87654321"}))[0] == 200
        async with asyncio.timeout(20):
            assert [one async for one in heard] == []


async def test_one_account_does_not_take_all_streams(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "AT_ONCE_EACH", 2)
    async with listening(house), listening(house):
        assert (await house.ask("GET", "/events"))[0] == 503
        async with listening(house, **OTHER) as heard:
            await house.ask("POST", "/calls", CALL, auth=OTHER)
            assert (await first(heard))["kind"] == "call.queued"
