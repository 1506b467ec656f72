"""Attempts whose end nobody heard of, and a peer that does not answer when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.model import AccountSettings, AttemptId, CalleeType, CallState, Claimed, Millis
from gateway.core.retry import RetryPolicy
from gateway.ports import ChannelSeen, HungUp, Lane, LinkDown, OriginateEnded, PbxError, StoreError
from gateway.services import livecalls, watchdog
from gateway.services.hearing import Hearing
from gateway.services.livecalls import LiveCall, LiveCalls, SessionRecord
from gateway.services.rescuer import Rescuer
from gateway.services.switchboard import Switchboard
from gateway.services.watchdog import Watchdog
from tests.adapters.test_store import call, plan

START = Millis(1_800_000_000_000)


@dataclass
class Clock:
    """``stepped`` is by how much somebody set it."""

    at: Millis = START
    stepped: int = 0

    def now(self) -> Millis:
        return Millis(self.at + self.stepped)

    def ticks(self) -> Millis:
        return self.at


@dataclass
class StubPbx:
    """Asterisk as far as the rescuer asks it. ``channels`` None: it does not answer."""

    channels: dict[AttemptId, bool] | None = field(default_factory=dict)
    connected: bool = True
    asked: int = 0
    hung_up: list[AttemptId] = field(default_factory=list)

    async def answers(self, within: float) -> bool:
        return self.connected

    async def live_channels(self) -> dict[AttemptId, bool]:
        self.asked += 1
        if self.channels is None:
            raise PbxError("no answer to CoreShowChannels within 5 s")
        return dict(self.channels)

    async def hangup(self, attempt: AttemptId) -> None:
        self.hung_up.append(attempt)


@dataclass
class House:
    store: SqliteStore
    pbx: StubPbx
    clock: Clock
    calls: LiveCalls
    rescuer: Rescuer
    watchdog: Watchdog

    async def dialing(self, login: str = "u") -> LiveCall:
        account = await self.store.add_account(login, "h", AccountSettings("UTC", "US"))
        await self.store.queue_call(account.id, call(), plan(scheduled_at=START), START)
        (claimed,) = await self.store.claim([Lane("t", 1)], START, 1)
        return self.calls.add(claimed)

    async def ended(self, live: LiveCall) -> CallState:
        async with asyncio.timeout(5):
            await self.calls.empty.wait()
        found = await self.store.call(live.claimed.call.id)
        assert found is not None
        return found.state


def answered(live: LiveCall) -> None:
    """At the beginning of time."""
    live.channel_seen, live.answered_at, live.answered_since = True, START, START


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(watchdog, "AGREED_AFTER", 0.02)
    monkeypatch.setattr(livecalls, "RESPONSE_GRACE", 0.1)
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    pbx, clock = StubPbx(), Clock()
    calls = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    made = Rescuer(store, pbx, calls, clock)  # type: ignore[arg-type]
    watch = Watchdog(store, pbx, calls, clock, lambda live: (45, 1800))  # type: ignore[arg-type]
    holding = asyncio.create_task(calls.run())
    await asyncio.sleep(0)
    yield House(store, pbx, clock, calls, made, watch)
    holding.cancel()
    with suppress(asyncio.CancelledError):
        await holding
    await store.close()


async def test_a_pbx_that_stalls_when_it_is_asked_does_not_end_the_watch(house: House) -> None:
    live = await house.dialing()
    live.channel_seen = True
    house.clock.at = Millis(START + 600_000)  # long silent
    house.pbx.channels = None
    watch = asyncio.create_task(house.watchdog.run())
    await asyncio.sleep(0.1)
    assert not watch.done()
    house.pbx.channels = {}
    assert await house.ended(live) is CallState.RETRYING
    watch.cancel()


async def test_a_store_that_cannot_be_read_does_not_end_the_watch(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await house.dialing()
    house.clock.at = Millis(START + 600_000)
    house.pbx.channels = {live.id: True}
    whole = house.store.open_attempts
    fails = 2

    async def open_attempts() -> list[Claimed]:
        nonlocal fails
        fails -= 1
        if fails >= 0:
            raise StoreError("the database could not be read: disk I/O error")
        return await whole()

    monkeypatch.setattr(house.store, "open_attempts", open_attempts)
    watch = asyncio.create_task(house.watchdog.run())
    await house.ended(live)
    assert not watch.done()
    watch.cancel()


async def test_a_clock_that_is_set_back_keeps_nothing_waiting(house: House) -> None:
    """For an hour, every comparison would wait for its youngest attempts to grow old enough."""
    live = await house.dialing()
    house.clock.stepped = -3_600_000
    house.clock.at = Millis(START + 3_000)
    async with asyncio.timeout(5):
        await house.rescuer.after_link_up()
    assert await house.ended(live) is CallState.FAILED


async def test_a_session_whose_hang_up_was_not_heard_closes_with_what_it_found(house: House) -> None:
    """AMI was away when the callee hung up, and the application was still submitting when it came back."""
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.clock.at = Millis(START + 30_000)
    await house.rescuer.reconcile("link up")
    assert live.gone.is_set()  # its final processing has a limit from now on
    live.session_ended.set()
    assert await house.ended(live) is CallState.COMPLETED


async def test_a_session_whose_channel_is_there_goes_on(house: House) -> None:
    live = await house.dialing()
    answered(live)
    live.session = SessionRecord(CalleeType.VOICE, began=True)
    house.clock.at = Millis(START + 30_000)
    house.pbx.channels = {live.id: True}
    await house.rescuer.reconcile("link up")
    assert not live.closing


async def test_an_originates_end_that_overtakes_its_channel_is_no_trunk_fault(house: House) -> None:
    live = await house.dialing()
    house.calls.hear(OriginateEnded(live.id, False, 0))
    house.calls.hear(ChannelSeen(live.id))
    house.calls.hear(HungUp(live.id, 17, 486))
    await house.ended(live)
    ((_, end),) = await house.store.attempts(live.claimed.call.id)
    assert end is not None
    assert end.callee_type is CalleeType.BUSY


async def test_an_originate_without_a_channel_is_a_trunk_fault(house: House) -> None:
    live = await house.dialing()
    house.calls.hear(OriginateEnded(live.id, False, 0))
    assert await house.ended(live) is CallState.RETRYING
    found = await house.store.call(live.claimed.call.id)
    assert found is not None
    assert (found.attempts, found.fault_count) == (0, 1)


async def test_an_originate_that_failed_after_a_time_unheard_may_have_rung_and_counts(house: House) -> None:
    """Its Newchannel fell into a gap of the link, so "no channel" does not mean that no phone rang."""
    live = await house.dialing()
    live.unheard = True
    house.calls.hear(OriginateEnded(live.id, False, 0))
    await house.ended(live)
    found = await house.store.call(live.claimed.call.id)
    assert found is not None
    assert (found.attempts, found.fault_count) == (1, 0)


async def test_an_attempt_that_is_adopted_was_unheard(house: House) -> None:
    dialing = await house.dialing()
    calls = LiveCalls(house.store, house.pbx, house.clock, Hearing(house.pbx, None))  # type: ignore[arg-type]
    await Rescuer(house.store, house.pbx, calls, house.clock).adopt()  # type: ignore[arg-type]
    adopted = calls.get(dialing.id)
    assert adopted is not None
    assert adopted.unheard


async def test_attempts_that_are_open_when_the_link_is_lost_are_unheard(house: House) -> None:
    live = await house.dialing()

    class Cut:
        """A link whose only word is its end."""

        async def events(self) -> AsyncIterator[LinkDown]:
            yield LinkDown("cut")

    class Dialer:
        suspended = ""

        def suspend(self, reason: str) -> None:
            self.suspended = reason

    dialer = Dialer()
    await Switchboard(Cut(), house.calls, dialer, house.rescuer).run()  # type: ignore[arg-type]
    assert live.unheard
    assert dialer.suspended
