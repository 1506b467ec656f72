"""No call is in progress for ever, whatever Asterisk does not tell, and no channel, session or attempt is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import pytest

from gateway.core.model import AttemptEnd, AttemptId, CalleeType, CallState, Millis
from gateway.ports import HungUp, LegAnswered, LegDialed
from gateway.services import livecalls
from gateway.services.livecalls import LiveCall, SessionRecord
from gateway.services.watchdog import Watchdog
from tests.services.test_rescuer import START, House, answered
from tests.services.test_rescuer import house as house  # the fixture


async def end_of(house: House, live: LiveCall) -> AttemptEnd:
    await house.ended(live)
    ((_, end),) = await house.store.attempts(live.claimed.call.id)
    assert end is not None
    return end


def after(house: House, seconds: float) -> None:
    house.clock.at = Millis(START + round(seconds * 1000))


async def test_a_hang_up_that_was_never_told_ends_the_call_within_two_looks(house: House) -> None:
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    live.session_ended.set()
    after(house, 40)  # far from any limit
    await house.watchdog.watch()
    assert await house.ended(live) is CallState.COMPLETED


async def test_a_channel_that_was_never_told_of_keeps_its_call(house: House) -> None:
    live = await house.dialing()
    house.pbx.channels = {live.id: False}
    after(house, 40)
    await house.watchdog.watch()
    assert not live.closing and not house.pbx.hung_up
    house.pbx.channels = {}
    await house.watchdog.watch()
    assert await house.ended(live) is CallState.FAILED  # its phone may have rung, and been answered


async def test_what_only_one_look_sees_is_let_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hang-up is on its way, or its session."""
    live = await house.dialing()
    after(house, 40)
    looks = [{}, {live.id: True}, {live.id: True}, {}]

    async def channels() -> dict[AttemptId, bool]:
        return dict(looks.pop(0))

    monkeypatch.setattr(house.pbx, "live_channels", channels)
    await house.watchdog.watch()
    await house.watchdog.watch()
    assert looks == [] and not live.closing and not house.pbx.hung_up


async def test_an_attempt_that_just_began_needs_no_channel_yet(house: House) -> None:
    live = await house.dialing()
    after(house, 9)
    await house.watchdog.watch()
    assert not live.closing


@pytest.mark.parametrize(("taken", "limit"), [(False, 45), (True, 1800)])
async def test_a_channel_beyond_its_longest_time_is_ended_with_its_reason(
    house: House, taken: bool, limit: float
) -> None:
    live = await house.dialing()
    if taken:
        answered(live)
    live.channel_seen = True
    live.session = SessionRecord(CalleeType.VOICE, began=True) if taken else None
    house.pbx.channels = {live.id: taken}
    after(house, limit + 19)
    await house.watchdog.watch()
    assert not house.pbx.hung_up
    after(house, limit + 21)
    await house.watchdog.watch()
    assert house.pbx.hung_up == [live.id] and not live.closing
    house.calls.hear(HungUp(live.id, 16, None))
    live.session_ended.set()
    assert "beyond its longest time" in ((await end_of(house, live)).reason or "")


async def test_a_channel_that_does_not_go_away_keeps_no_call_open(house: House) -> None:
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.pbx.channels = {live.id: True}
    after(house, 1800 + 121)
    await house.watchdog.watch()
    live.session_ended.set()
    assert await house.ended(live) is CallState.COMPLETED
    await house.watchdog.watch()  # now its attempt is closed, and its channel is still hung up
    assert house.pbx.hung_up == [live.id, live.id]


async def test_an_answered_channel_without_a_session_is_ended(house: House) -> None:
    live = await house.dialing()
    answered(live)
    house.pbx.channels = {live.id: True}
    after(house, 5)
    await house.watchdog.watch()
    assert house.pbx.hung_up == [live.id]


async def test_a_session_that_begins_while_others_are_ended_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hang-up may take seconds at a busy Asterisk."""
    first, second = await house.dialing(), await house.dialing("v")
    house.pbx.channels = {first.id: True, second.id: True}
    after(house, 5)

    async def hangup(attempt: AttemptId) -> None:
        house.pbx.hung_up.append(attempt)
        second.session = SessionRecord(began=True)

    monkeypatch.setattr(house.pbx, "hangup", hangup)
    await house.watchdog.watch()
    assert house.pbx.hung_up == [first.id]


async def test_a_session_goes_on_for_as_long_as_it_may(house: House) -> None:
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.pbx.channels = {live.id: True}
    after(house, 1700)
    await house.watchdog.watch()
    assert not house.pbx.hung_up and not live.closing


async def test_a_clock_that_is_set_ahead_ends_no_session(house: House) -> None:
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.pbx.channels = {live.id: True}
    after(house, 40)
    house.clock.stepped = 3_600_000
    await house.watchdog.watch()
    assert not live.closing and not house.pbx.hung_up


@pytest.mark.parametrize("step", [-3_600_000, 3_600_000])
async def test_a_clock_that_is_set_changes_nothing_of_how_long_was_talked(house: House, step: int) -> None:
    """Else an hour back would be free, and an hour ahead would use up an hour of what a day may cost."""
    live = await house.dialing()
    await house.calls.answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.calls.transferred(live, "+16175550002")
    house.calls.hear(LegDialed(live.id, "PJSIP/x"))
    after(house, 30)
    house.calls.hear(LegAnswered(live.id))
    after(house, 90)
    async with asyncio.timeout(5):
        while (await house.store.used(live.claimed.account.id, house.clock.now())).seconds != 90 + 60:
            await asyncio.sleep(0.01)
    house.clock.stepped = step
    live.session_ended.set()
    house.calls.hear(HungUp(live.id, 16, None))
    await house.ended(live)
    call = await house.store.call(live.claimed.call.id)
    assert call is not None and call.duration == 90
    assert (await house.store.used(call.account_id, house.clock.now())).seconds == 90 + 60


async def test_a_channel_of_a_closed_attempt_is_ended_and_the_doctors_own_calls_are_not(house: House) -> None:
    live = await house.dialing()
    house.calls.close(live)
    await house.ended(live)
    house.pbx.channels = {live.id: True, AttemptId("vg-abc-doctor-01234567"): True}
    await house.watchdog.watch()
    assert house.pbx.hung_up == [live.id]


async def test_calls_of_another_gateway_by_the_same_name_are_let_be(house: House) -> None:
    """As of one whose configuration was copied: its attempts are in no books of ours."""
    house.pbx.channels = {AttemptId("vg-abc-0123456789abcdef01234567"): True}
    await house.watchdog.watch()
    assert house.pbx.hung_up == []


async def test_an_attempt_that_is_open_in_the_database_alone_is_taken_over_and_closed(house: House) -> None:
    live = await house.dialing()
    house.calls._calls.clear()  # as where its claim was committed, and the process failed to hear so
    after(house, 60)
    await house.watchdog.watch()
    taken = house.calls.get(live.id)
    assert taken is not None and taken.unheard
    house.calls.empty.clear()
    await house.watchdog.watch()
    assert await house.ended(live) is CallState.FAILED


@pytest.mark.parametrize("away", ["cut", "stalled"])
async def test_an_asterisk_that_never_comes_back_keeps_no_call_open(house: House, away: str) -> None:
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.pbx.connected, house.pbx.channels = away == "stalled", None
    after(house, 600)
    await house.watchdog.watch()
    assert not live.closing
    live.session_ended.set()  # FastAGI still told that it ended
    await house.watchdog.watch()
    assert await house.ended(live) is CallState.COMPLETED


async def test_without_asterisk_a_call_is_closed_once_it_must_have_ended(house: House) -> None:
    live = await house.dialing()
    house.pbx.connected, house.pbx.channels = False, None
    after(house, 45 + 119)
    await house.watchdog.watch()
    assert not live.closing
    after(house, 45 + 121)
    await house.watchdog.watch()
    assert await house.ended(live) is CallState.FAILED


async def test_a_session_that_never_ends_is_ended_with_all_it_holds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channel is gone, and a command of it waits for an answer that cannot come."""
    monkeypatch.setattr(livecalls, "FINAL_PROCESSING", 0.05)
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    tidied = asyncio.Event()

    async def session() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tidied.set()

    live.handler = asyncio.create_task(session())
    after(house, 40)
    await house.watchdog.watch()
    assert await house.ended(live) is CallState.COMPLETED
    with suppress(asyncio.CancelledError):
        await live.handler
    assert tidied.is_set()


async def test_a_call_that_asterisk_ended_at_its_limit_says_so(house: House) -> None:
    live = await house.dialing()
    answered(live)
    live.limits, live.session = (45, 60), SessionRecord(CalleeType.VOICE, began=True)
    live.session_ended.set()
    after(house, 60)
    house.calls.hear(HungUp(live.id, 16, None))
    assert (await end_of(house, live)).reason == "answered by voice; ended after its longest time"


@pytest.mark.parametrize("number", range(16))
async def test_whatever_was_told_of_it_a_call_whose_channel_is_gone_ends(house: House, number: int) -> None:
    seen, answered, began, over = (bool(number >> bit & 1) for bit in range(4))
    live = await house.dialing()
    live.channel_seen = seen
    if answered:
        await house.calls.answered(live)
    if began:
        live.session = SessionRecord(CalleeType.VOICE, began=True)
    if over or began:
        live.session_ended.set()
    after(house, 60)
    await house.watchdog.watch()
    await house.ended(live)
    assert await house.store.open_attempts() == []


async def test_taps_are_held_against_live_calls(house: House) -> None:
    live = await house.dialing()
    live.ear = house.calls._hearing.ear()
    kept: list[list[object]] = []

    def keep(ears: Iterable[object]) -> int:
        kept.append(list(ears))
        return 0

    await Watchdog(
        house.store, house.pbx, house.calls, house.clock, lambda live: (45, 1800), keep  # type: ignore[arg-type]
    ).watch()  # fmt: skip
    assert kept == [[live.ear]]
