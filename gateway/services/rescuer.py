"""After a start or a lost link: compares the open attempts with Asterisk's live channels."""

from __future__ import annotations

import asyncio

import structlog

from gateway.core.model import CalleeType, EndKind, Millis
from gateway.core.outcome import Outcome
from gateway.ports import Clock, Pbx, PbxError, Store, StoreError
from gateway.services.livecalls import LiveCall, LiveCalls

log = structlog.get_logger()

#: Attempts younger than this may have an Originate under way whose channel does not exist yet.
SETTLE_MS = 2_000


class Rescuer:
    def __init__(self, store: Store, pbx: Pbx, live: LiveCalls, clock: Clock) -> None:
        self._store = store
        self._pbx = pbx
        self._live = live
        self._clock = clock

    async def adopt(self) -> int:
        """Take over the attempts that an earlier process left open. Called once, before anything is dialed."""
        orphans = await self._store.open_attempts()
        for orphan in orphans:
            self._live.adopt(orphan)
        return len(orphans)

    async def reconcile(self, why: str) -> None:
        """Close every attempt whose channel is gone, by what was last seen of it; end answered ones without a session.

        Raises :class:`PbxError` where Asterisk cannot be asked: nothing is closed then. Raises :class:`StoreError`.
        """
        asked_at = self._clock.ticks()
        held = {live.id for live in self._live if live.session is not None}
        channels = await self._pbx.live_channels()
        closed = ended = kept = 0
        late: list[LiveCall] = []
        for live in self._live:
            if live.closing or (live.session is not None and live.id not in held):
                continue  # a session that began since then has a channel
            if live.id in channels:
                live.channel_seen = True
                if channels[live.id] and live.session is None and self._orphaned(live, asked_at):
                    # Answered while nobody listened: the dialplan ends it at once; this makes sure.
                    await self._live.answered(live)
                    await self._pbx.hangup(live.id)
                    ended += 1
                else:
                    kept += 1
            elif asked_at - live.since < SETTLE_MS:
                late.append(live)
            else:
                live.gone.set()  # a session that runs on after the hang-up has a limit
                self._live.close(live, lost(live))
                closed += 1
        log.info("rescue.done", why=why, closed=closed, ended=ended, adopted=kept, undecided=len(late))
        if late:
            await self._look_again(late)

    async def _look_again(self, late: list[LiveCall]) -> None:
        newest = max(live.since for live in late)
        await asyncio.sleep(max(0.0, (newest + SETTLE_MS - self._clock.ticks()) / 1000))
        channels = await self._pbx.live_channels()
        for live in late:
            if live.id in channels:
                live.channel_seen = True
            elif not live.closing and live.session is None:
                self._live.close(live, lost(live))

    @staticmethod
    def _orphaned(live: LiveCall, now: Millis) -> bool:
        """An answered channel reaches its session within milliseconds; after the settling time none will come."""
        return now - (live.answered_since or live.since) >= SETTLE_MS

    async def after_link_up(self) -> None:
        """Reconcile until it works: the link may drop again while Asterisk is asked."""
        while True:
            try:
                await self.reconcile("link up")
                return
            except (PbxError, StoreError) as error:
                log.warning("rescue.failed", error=str(error))
                await asyncio.sleep(1.0)


def lost(live: LiveCall) -> Outcome:
    """The outcome of an attempt whose channel ended unseen."""
    if live.answered_at is not None:
        return Outcome(EndKind.LOST_AFTER_ANSWER, CalleeType.UNKNOWN, "outcome unknown: lost after the answer")
    if live.channel_seen:
        return Outcome(EndKind.LOST_BEFORE_ANSWER, CalleeType.UNKNOWN, "outcome unknown: last seen before answer")
    # Never seen: the phone may have rung and been answered meanwhile, so it is not dialed again.
    return Outcome(EndKind.LOST_AFTER_ANSWER, CalleeType.UNKNOWN, "outcome unknown: its channel was never seen")
