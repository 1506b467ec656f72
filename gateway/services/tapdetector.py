"""Who answered, told from the media tap; by Asterisk's own detectors where there is no tap or it dies too early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gateway.core.hearing import Verdict
from gateway.core.model import AttemptId, CalleeType
from gateway.ports import AgiChannel, ChannelGone, Detection, Detector
from gateway.services.hearing import Hearing, LineEar
from gateway.services.livecalls import LiveCall

#: Seconds that a tap may take to begin, from when it was asked for: at the answer most calls have rung for longer.
BEGINS_WITHIN = 2.0
#: Seconds after the answer after which a callee of whom nothing tells is taken for a person.
DECIDES_WITHIN = 20.0
#: Seconds by which AMI's word of a hang-up may come after the tap's end.
HANGUP_GRACE = 0.3


class TapLost(Exception):
    """There is no tap, or no longer one, and no verdict came of it. The message says why."""


class TapDetector:
    """``find`` tells the live call of a channel's path; ``fallback`` judges those that have no tap."""

    def __init__(self, hearing: Hearing, find: Callable[[str], LiveCall | None], fallback: Detector) -> None:
        self._hearing = hearing
        self._find = find
        self._fallback = fallback

    async def detect(self, channel: AgiChannel) -> Detection:
        live = self._find(channel.path)
        try:
            if live is None or live.ear is None:
                raise TapLost("no tap was opened")
            found = await self.listen(live, channel)
            self._hearing.last_miss = ""
            return found
        except TapLost as lost:
            self._hearing.missing(AttemptId(channel.path.rpartition("/")[2]), str(lost))
            found = await self._fallback.detect(channel)
            return Detection(found.callee_type, found.confidence, {**found.evidence, "fallback": str(lost)})

    async def ready(self, live: LiveCall) -> bool:
        """Whether the call has a tap, or gets one in time."""
        ear, loop = live.ear, asyncio.get_running_loop()
        while ear is not None and not ear.open and not ear.ended_ever:
            try:
                async with asyncio.timeout(ear.asked_at + BEGINS_WITHIN - loop.time()):
                    await ear.change()
            except TimeoutError:
                break
        return ear is not None and ear.open

    def rest(self, live: LiveCall) -> None:
        """Judge a call no more."""
        if live.ear is not None:
            self._hearing.rest(live.ear)

    async def listen(self, live: LiveCall, channel: AgiChannel | None = None) -> Detection:
        """The tap's own verdict. Raises :class:`TapLost`, and :class:`ChannelGone` when the callee hangs up first.

        ``channel`` is given where no command is under way on it: it tells of a hang-up, too.
        """
        ear = live.ear
        if ear is None:
            raise TapLost("no tap was opened")
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(live.gone.wait())]
        if channel is not None:
            ends.append(asyncio.create_task(channel.until_hung_up()))
        try:
            verdict = await _verdict(ear, ends)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if verdict is None:
            return Detection(CalleeType.VOICE, 0.5)
        return Detection(verdict.callee_type, verdict.confidence)


async def _verdict(ear: LineEar, ends: Sequence[asyncio.Future[Any]]) -> Verdict | None:
    """The first verdict after the answer; None where the time passed without one."""
    loop = asyncio.get_running_loop()
    begins, decides = ear.asked_at + BEGINS_WITHIN, loop.time() + DECIDES_WITHIN
    while True:
        if ear.verdict is not None and ear.answered_at is not None:
            return ear.verdict
        if ear.ended_ever:  # a hang-up ends the tap, and may be told later
            await asyncio.wait(ends, timeout=HANGUP_GRACE, return_when=asyncio.FIRST_COMPLETED)
        if any(end.done() for end in ends):
            raise ChannelGone("the callee hung up")
        if ear.ended_ever:
            raise TapLost(ear.fallback or "the tap was closed")
        left = (decides if ear.open else begins) - loop.time()
        if left <= 0:
            if not ear.open:
                raise TapLost(f"no audio came within {BEGINS_WITHIN:g} s")
            return None
        change = asyncio.ensure_future(ear.change())
        try:
            await asyncio.wait((*ends, change), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
