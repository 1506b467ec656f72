"""Who answered one call, as the dialog follows it: the first verdict, what is done with a machine, and revisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from gateway.core.handling import Handling, news, revises
from gateway.core.hearing import Verdict
from gateway.core.model import CalleeType, DetectionMode, MachineHandling
from gateway.ports import AgiChannel, ChannelGone, Detection, Pbx
from gateway.services.dialog.machine import beep_over
from gateway.services.livecalls import LiveCall, SessionRecord
from gateway.services.tapdetector import TapLost

log = structlog.get_logger()

#: Thrown into the session with every verdict that comes while it goes on.
EVENT = "com.voxgate.callee_type"
#: The callee type of a session that began before it was known who answered, in Plum's word.
PROCESSING = "processing"
#: Seconds for a verdict before the session, whoever gives it.
JUDGED_WITHIN = 30.0
#: Seconds between looks at whether the AMI link is back.
LINK_LOOK = 0.25


class Judge(Protocol):
    """Tells who answered: see :class:`gateway.services.tapdetector.TapDetector`."""

    async def detect(self, channel: AgiChannel) -> Detection: ...
    async def ready(self, live: LiveCall) -> bool: ...
    async def listen(self, live: LiveCall) -> Detection: ...
    def rest(self, live: LiveCall) -> None: ...


#: Tells the application of a callee type: the event's message, and the new type.
Tell = Callable[[str, CalleeType], None]


@dataclass(slots=True)
class Callee:
    """``judged`` hears of the first verdict. ``admitted`` is set when the callee may be spoken to."""

    live: LiveCall
    record: SessionRecord
    how: Handling
    judge: Judge
    pbx: Pbx
    judged: Callable[[Detection], None]
    admitted: asyncio.Event = field(default_factory=asyncio.Event)
    _deaf: bool = False  # the tap died while a machine's beep was waited for
    _known: int = 0  # verdicts that are taken into account
    _last: Verdict | None = None

    @property
    def shown(self) -> str:
        return str(self.record.callee_type or PROCESSING)

    async def first(self, channel: AgiChannel) -> bool:
        """Whether a session is to be held, which may be before it is known with whom.

        Raises :class:`ChannelGone` when the callee hangs up first.
        """
        if self.how.machine is MachineHandling.AFTER_BEEP and self.live.ear is not None:
            self.live.ear.await_beep()
        if self.how.detection is DetectionMode.OFF:
            self.judge.rest(self.live)
            self._judged(Detection(CalleeType.VOICE, 0.5, {"detector": "off"}))
        elif self.how.detection is DetectionMode.BEFORE or not await self.judge.ready(self.live):
            async with asyncio.timeout(JUDGED_WITHIN):
                found = await self.judge.detect(channel)
            self._judged(found)
            if not self._held():
                return False
        if self._waits_for_beep():
            await self._without_tap(channel)
        else:
            self.admitted.set()
        return True

    async def follow(self, tell: Tell) -> None:
        """Go on listening while the session goes on: open the line to it, tell of every change, keep the record."""
        ear = self.live.ear
        if ear is None:
            return
        async with asyncio.TaskGroup() as tasks:
            if not self.admitted.is_set():
                tasks.create_task(self._admit())
            if self.record.callee_type is None:
                await self._meanwhile(tell)
            while not ear.ended_ever:
                for verdict in ear.verdicts[self._known :]:
                    self._revise(verdict, tell)
                self._known = len(ear.verdicts)
                await ear.change()

    # --- the first verdict ---

    def _judged(self, found: Detection) -> None:
        self.record.callee_type = found.callee_type
        self.record.evidence |= {**found.evidence, "confidence": f"{found.confidence:.2f}"}
        if (ear := self.live.ear) is not None:
            self._known, self._last = len(ear.verdicts), ear.verdict
        log.info("callee.detected", callee_type=found.callee_type)
        self.judged(found)

    def _held(self) -> bool:
        """Whether a session is held with whom was found."""
        callee = self.record.callee_type
        if callee is CalleeType.ANSWERINGMACHINE and self.how.machine is MachineHandling.HANGUP:
            self.record.turned_away = True
            return False
        return callee is None or callee.reached

    async def _meanwhile(self, tell: Tell) -> None:
        """The first verdict of a session that began without one."""
        try:
            found = await self.judge.listen(self.live)
        except ChannelGone:
            return
        except TapLost as lost:  # nobody can be asked any more: the session holds the channel
            found = Detection(CalleeType.VOICE, 0.5, {"fallback": str(lost)})
        self._judged(found)
        why = self._last.reason if self._last is not None else "nothing tells"
        tell(news(found.callee_type, why), found.callee_type)
        if not self._held() and self.record.turned_away:
            await self._turn_away()

    async def _turn_away(self) -> None:
        """Hang up. The session holds the channel, so that only AMI can: where its link is down, once it is back."""
        while not self.live.gone.is_set():
            if self.pbx.connected:
                await self.pbx.hangup(self.live.id)
                return
            await asyncio.sleep(LINK_LOOK)

    # --- machines ---

    def _waits_for_beep(self) -> bool:
        machine = self.record.callee_type is CalleeType.ANSWERINGMACHINE
        return machine and self.how.machine is MachineHandling.AFTER_BEEP

    async def _admit(self) -> None:
        ear = self.live.ear
        assert ear is not None
        try:
            self.record.evidence["spoken_to"] = await beep_over(ear, self.how.machine_silence)
            self._deaf = not ear.open
        finally:
            self.admitted.set()

    async def settle(self, channel: AgiChannel) -> None:
        """Called once, before whoever was admitted is first spoken to, and the channel is free."""
        if self._deaf:
            await self._silence(channel)

    async def _without_tap(self, channel: AgiChannel) -> None:
        """Where no tap can tell of the beep, Asterisk waits for the silence after it."""
        if await self.judge.ready(self.live):
            return  # follow() waits for it, while the application is asked already
        await self._silence(channel)
        self.admitted.set()

    async def _silence(self, channel: AgiChannel) -> None:
        await channel.execute("WaitForSilence", f"{round(self.how.machine_silence * 1000)},1,90", timeout=120)
        self.record.evidence["spoken_to"] = "after a silence, told without a tap"

    # --- revisions ---

    def _revise(self, verdict: Verdict, tell: Tell) -> None:
        if not revises(self._last, verdict):
            return
        self._last = verdict
        if verdict.callee_type is not self.record.callee_type:
            self.record.callee_type = verdict.callee_type
            log.info("callee.revised", callee_type=verdict.callee_type)
            tell(news(verdict.callee_type, verdict.reason), verdict.callee_type)
