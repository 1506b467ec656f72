"""So that no call is in progress for ever: every half minute the books are held against Asterisk's live channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import structlog

from gateway.core.model import AttemptId, Claimed, Millis, is_attempt_id
from gateway.happenings import of_call
from gateway.ports import Clock, Ear, Pbx, PbxError, Store, StoreError
from gateway.services.livecalls import LiveCall, LiveCalls
from gateway.services.rescuer import lost

log = structlog.get_logger()

LOOK_EVERY = 30.0
#: Seconds between two looks. What only one of them sees is an event that is still on its way, or a call that begins.
AGREED_AFTER = 2.0
#: A younger attempt may have an Originate under way whose channel does not exist yet.
YOUNG_MS = 10_000
#: Beyond ring timeout and longest call, milliseconds before a channel that Asterisk should have ended is ended.
GRACE_MS = 20_000
#: The same, before its call is closed although its channel does not go away, or nobody can ask for it.
GIVE_UP_MS = 120_000


class Wrong(StrEnum):
    """What is wrong with an attempt or a channel."""

    GONE = "gone"
    """Open in the books, and without a channel: its hang-up was never told."""
    UNATTENDED = "unattended"
    """Answered, and held by no session."""
    OVERDUE = "overdue"
    """Rings or talks for longer than it may."""
    STRAY = "stray"
    """A channel whose attempt is in our books, and closed. Others are another gateway's, with a copied name."""
    FORGOTTEN = "forgotten"
    """Open in the database, and nobody listens to it."""


class Watchdog:
    """``limits`` tells ring timeout and longest call, in seconds, of an attempt that an earlier process dialed.

    ``keep_taps`` ends every tap that none of the given ears hears, and tells how many there were.
    """

    def __init__(
        self, store: Store, pbx: Pbx, live: LiveCalls, clock: Clock, limits: Callable[[LiveCall], tuple[float, float]],
        keep_taps: Callable[[Iterable[Ear]], int] = lambda ears: 0,
    ) -> None:  # fmt: skip
        self._store = store
        self._pbx = pbx
        self._live = live
        self._clock = clock
        self._limits = limits
        self._keep_taps = keep_taps

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.watch()
            except StoreError as error:
                log.warning("watchdog.failed", error=str(error))

    async def watch(self) -> None:
        """Put right what two looks agree on. Raises :class:`StoreError`."""
        if leaked := self._keep_taps(live.ear for live in self._live if live.ear is not None):
            log.warning("watchdog.taps_ended", taps=leaked)
        first = await self._look()
        if not first:
            return
        await asyncio.sleep(AGREED_AFTER)
        second = await self._look()
        for attempt, wrong in second.items():
            if first.get(attempt) is wrong:
                await self._mend(attempt, wrong)

    async def _look(self) -> dict[AttemptId, Wrong]:
        channels = await self._channels()
        now = self._clock.ticks()
        found = {live.id: wrong for live in self._live if (wrong := self._wrong(live, channels, now)) is not None}
        for ident in channels or ():
            if self._live.get(ident) is None and is_attempt_id(ident) and await self._store.claimed(ident) is not None:
                found[ident] = Wrong.STRAY
        for claimed in await self._forgotten():
            found[claimed.attempt.id] = Wrong.FORGOTTEN
        return found

    async def _channels(self) -> Mapping[AttemptId, bool] | None:
        """None where Asterisk cannot be asked."""
        if not self._pbx.connected:
            return None
        try:
            return await self._pbx.live_channels()
        except PbxError as error:
            log.warning("watchdog.failed", error=str(error))
            return None

    async def _forgotten(self) -> list[Claimed]:
        found = await self._store.open_attempts()
        return [one for one in found if self._live.get(one.attempt.id) is None]

    def _wrong(self, live: LiveCall, channels: Mapping[AttemptId, bool] | None, now: Millis) -> Wrong | None:
        if live.closing:
            return None
        late = now - self._end(live)
        if channels is None:  # a session that ended has hung up; and no channel outlives Asterisk's own timers
            return Wrong.GONE if live.session_ended.is_set() or late > GIVE_UP_MS else None
        if live.id not in channels:
            return Wrong.GONE if now - live.since >= YOUNG_MS else None
        if channels[live.id] and not _attended(live):
            return Wrong.UNATTENDED
        return Wrong.OVERDUE if late > GRACE_MS else None

    def _end(self, live: LiveCall) -> float:
        """When the attempt should have ended at the latest, in ticks."""
        ring, longest = live.limits or self._limits(live)
        if live.answered_since is not None:
            return live.answered_since + longest * 1000
        return live.since + ring * 1000

    async def _mend(self, attempt: AttemptId, wrong: Wrong) -> None:
        live = self._live.get(attempt)
        if live is not None and wrong is Wrong.UNATTENDED and _attended(live):
            return  # its session came while others were mended
        call_id = None if live is None else live.claimed.call.id
        log.warning("watchdog.mends", attempt_id=attempt, call_id=call_id, wrong=wrong)
        if wrong is Wrong.STRAY:
            await self._pbx.hangup(attempt)
        elif wrong is Wrong.FORGOTTEN:
            for claimed in await self._forgotten():  # its channel is looked for the next time
                if claimed.attempt.id == attempt:
                    self._live.adopt(claimed)
        elif live is not None and not live.closing:
            with of_call(live.claimed.call.id, live.id):
                await self._mend_call(live, wrong)

    async def _mend_call(self, live: LiveCall, wrong: Wrong) -> None:
        late = self._clock.ticks() - self._end(live)
        if wrong is Wrong.UNATTENDED:
            live.channel_seen = True
            live.ended_why = live.ended_why or "ended by the gateway: answered, and no session held it"
            await self._live.answered(live)
        elif wrong is Wrong.OVERDUE:
            live.channel_seen = True
            live.ended_why = live.ended_why or "ended by the gateway: it went on beyond its longest time"
        if wrong is not Wrong.GONE:
            await self._pbx.hangup(live.id)
        if wrong is Wrong.GONE or late > GIVE_UP_MS:
            live.gone.set()  # a session that runs on has a limit from now on
            self._live.close(live, lost(live))


def _attended(live: LiveCall) -> bool:
    return live.session is not None and not live.session_ended.is_set()
