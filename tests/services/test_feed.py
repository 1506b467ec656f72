"""The feed as its listeners hear it: in order, to the right ear, and honest about what it no longer keeps."""

from __future__ import annotations

import asyncio

from gateway.core.model import AccountId, Millis
from gateway.services.feed import LOOK, Event, EventKind, Feed

ONE, TWO = AccountId(1), AccountId(2)


class Clock:
    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.at = now

    def now(self) -> Millis:
        return Millis(self.at)

    def ticks(self) -> Millis:
        return self.now()


def fill(feed: Feed, *numbers: int, account: AccountId | None = ONE) -> None:
    for number in numbers:
        feed.publish(EventKind.CALL_CHANGED, account, {"call_id": number})


def calls(events: list[Event]) -> list[object]:
    return [event.data.get("call_id", event.kind) for event in events]


async def test_events_come_in_order_to_all_who_listen() -> None:
    feed = Feed(Clock())
    fill(feed, 1)
    listeners = [feed.listen() for _ in range(3)]
    waiting = [asyncio.create_task(one.some()) for one in listeners]
    await asyncio.sleep(0)
    fill(feed, 2, 3)
    assert [calls(found) for found in await asyncio.gather(*waiting)] == [[2, 3]] * 3
    fill(feed, 4)
    assert [(await anext(one)).data["call_id"] for one in listeners] == [4, 4, 4]


async def test_an_account_hears_its_own_and_an_operator_all() -> None:
    feed = Feed(Clock())
    mine, all_of_them = feed.listen(account=ONE), feed.listen()
    fill(feed, 1, account=TWO)
    fill(feed, 2, account=None)
    fill(feed, 3, account=ONE)
    assert calls(await mine.some()) == [3]
    assert calls(await all_of_them.some()) == [1, 2, 3]


async def test_a_listener_resumes_after_the_last_event_that_it_heard() -> None:
    feed = Feed(Clock())
    fill(feed, 1, 2, 3)
    heard = await feed.listen(after=feed.last_id - 3).some()
    assert calls(await feed.listen(after=heard[0].id).some()) == [2, 3]


async def test_who_was_gone_too_long_is_told_what_is_missing() -> None:
    feed = Feed(Clock(), kept=4)
    slow = feed.listen()
    fill(feed, *range(10))
    assert calls(await slow.some()) == ["missed", 6, 7, 8, 9]
    fill(feed, 10)
    assert calls(await slow.some()) == [10]


async def test_after_a_restart_ids_go_on_rising_and_what_was_lost_is_told() -> None:
    clock = Clock()
    before = Feed(clock)
    fill(before, *range(500))
    clock.at += 1000
    after = Feed(clock)
    fill(after, 1000)
    assert after.last_id > before.last_id
    found = await after.listen(after=before.last_id).some()
    assert calls(found) == ["missed", 1000]
    assert found[0].data == {"after": before.last_id}
    assert calls(await after.listen(after=2**62).some()) == ["missed", 1000]  # an id that no feed gave


async def test_silence_ends_a_wait_and_loses_nothing() -> None:
    feed = Feed(Clock())
    listener = feed.listen()
    other = asyncio.create_task(feed.listen().some())
    assert await listener.some(timeout=0.01) == []
    fill(feed, 1)
    assert calls(await listener.some()) == [1]
    assert calls(await other) == [1]  # one listener's timeout ends no other's wait


async def test_others_events_beyond_one_look_do_not_end_a_wait() -> None:
    feed = Feed(Clock())
    mine = feed.listen(account=ONE)
    fill(feed, *range(3 * LOOK), account=TWO)
    fill(feed, 7)
    assert calls(await mine.some(timeout=5)) == [7]
