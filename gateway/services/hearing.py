"""What is heard on live calls: one tap a call feeds one classifier, from the first ringing to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from gateway.core.handling import SURE
from gateway.core.hearing import Classifier, Evidence, Verdict
from gateway.core.linetime import BYTES_A_SECOND, LineTime
from gateway.core.model import AccountId, AttemptId, Claimed
from gateway.ports import Pbx, Taps

log = structlog.get_logger()

T = TypeVar("T")

#: Bytes that are heard at once: 20 ms, as the classifier takes them in where a beep may end. More would come later.
BATCH: Final = 320
#: Seconds between looks at whether the line still sends.
LOOK_EVERY: Final = 0.1
#: Stretches of a timeline that are kept: hours of conversation make more, and tell nothing more.
KEPT: Final = 300
#: Seconds that what Asterisk sent before a hang-up may still take to come.
LAST_WORDS: Final = 0.5
#: Bytes of audio that are kept where an account wants it: 5 s before the answer, and 10 s from it on.
KEPT_BEFORE: Final = 5 * BYTES_A_SECOND
KEPT_AFTER: Final = 10 * BYTES_A_SECOND


class LineEar:
    """The ear of one call: what it heard so far, and whether more can come.

    Seconds count from the tap's beginning. ``fallback`` says why there is no tap, or no longer one. ``keeps``: whether
    audio is kept, too.
    """

    def __init__(self, classifier: Classifier, *, keeps: bool = False) -> None:
        self.timeline: list[Evidence] = []
        self.verdicts: list[Verdict] = []
        self.answered_at: float | None = None
        self.fallback = ""
        self.left_out = 0  # stretches beyond those kept
        self.gaps = 0  # times that the line fell silent, told once the tap has ended
        self.lost_at: float | None = None  # seconds of the tap after which it ended, where the call went on without it
        self.asked_at = asyncio.get_running_loop().time()
        self._keeps = keeps
        self._judges = True
        self._before, self._after = bytearray(), bytearray()  # audio that is kept, up to the answer and from it on
        self._classifier = classifier
        self._time: LineTime | None = None  # there is one while the tap is open
        self._began = self._finished = False
        self._final: Verdict | None = None
        self._over = asyncio.Event()
        self._answered = False
        self._pending = bytearray()
        self._changed = asyncio.Event()
        self._look: asyncio.TimerHandle | None = None
        self._ended_at: float | None = None  # on the loop's clock
        self._followers: list[Callable[[bytes], None]] = []

    # --- what it knows ---

    @property
    def open(self) -> bool:
        return self._time is not None

    @property
    def began_ever(self) -> bool:
        return self._began

    @property
    def ended_ever(self) -> bool:
        return self._over.is_set()

    @property
    def verdict(self) -> Verdict | None:
        """The last one; once the call is answered, one that then holds."""
        return self._classifier.verdict if self._final is None else self._final

    @property
    def seconds(self) -> float:
        """How long it has heard."""
        return 0.0 if self._time is None else self._time.seconds

    @property
    def silent_for(self) -> float:
        """Seconds since the last sound, 0 while one sounds."""
        return self._classifier.silent_for

    @property
    def kept(self) -> bytes:
        """The audio around the answer, or the last of a call that was not answered."""
        return bytes(self._before + self._after)

    async def change(self) -> None:
        """Wait until something more is heard, or the tap begins or ends."""
        await self._changed.wait()

    def follow(self, take: Callable[[bytes], None]) -> Callable[[], None]:
        """Have ``take`` given all that is heard, gaps filled with silence, until what is returned is called."""
        self._followers.append(take)
        return lambda: self._followers.remove(take)

    async def over(self) -> None:
        """Wait until nothing more comes of a channel that is gone."""
        if self._began:
            try:
                async with asyncio.timeout(LAST_WORDS):
                    await self._over.wait()
            except TimeoutError:
                pass

    # --- what it is told ---

    def began(self) -> None:
        loop = asyncio.get_running_loop()
        self._time, self._began = LineTime(loop.time()), True
        if self._answered:
            self._mark_answer()
        self._look = loop.call_later(LOOK_EVERY, self._fill)
        self._tell()

    def audio(self, pcm: bytes) -> None:
        if self._time is None:
            return
        self._time.came(len(pcm), asyncio.get_running_loop().time())
        self._pending += pcm
        if len(self._pending) >= BATCH:
            self._hear()

    def answered(self) -> None:
        """The call is answered now. Only the first time counts."""
        if self._answered:
            return
        self._answered = True
        if self._time is not None:
            self._fill_gap()
            self._hear()
        if self._time is not None:  # the classifier may have failed meanwhile
            self._mark_answer()

    def await_beep(self) -> None:
        """A machine is spoken to after its beep: see :meth:`Classifier.await_beep`."""
        self._asked(self._classifier.await_beep)

    def ended(self, why: str) -> None:
        self.fallback = self.fallback or why
        if self._began and not self._finished and self._ended_at is None:
            self._ended_at, self.lost_at = asyncio.get_running_loop().time(), self.seconds
        self._stop()

    def rest(self) -> None:
        """Judge no more, and keep nothing more; who follows is given what is heard as before."""
        self._judges = self._keeps = False

    def finish(self) -> None:
        """The call is over: what still sounded is told, and nothing is heard any more."""
        if self._began and not self._finished:
            self._finished = True
            if self._ended_at is None or asyncio.get_running_loop().time() - self._ended_at <= LAST_WORDS:
                self.lost_at = None  # it ended with the call
            self._hear()
            sure = self._classifier.verdict
            # A tone that the hang-up cut short is no shorter tone: it revises nothing that is known well.
            self._final = sure if sure is not None and sure.confidence >= SURE else None
            found = (self._asked(self._classifier.finish) or []) if self._judges else []
            self._take([one for one in found if self._final is None or isinstance(one, Evidence)])
        self._stop()

    # --- listening ---

    def _mark_answer(self) -> None:
        assert self._time is not None
        self.answered_at = self._time.seconds
        self._asked(self._classifier.answered)

    def _fill(self) -> None:
        if self._time is None:
            return
        self._look = asyncio.get_running_loop().call_later(LOOK_EVERY, self._fill)
        self._fill_gap()
        if len(self._pending) >= BATCH:
            self._hear()

    def _fill_gap(self) -> None:
        assert self._time is not None
        self._pending += bytes(self._time.missing(asyncio.get_running_loop().time()))

    def _hear(self) -> None:
        pcm, self._pending = bytes(self._pending), bytearray()
        if self._keeps:
            self._keep(pcm)
        for take in self._followers:
            take(pcm)
        if self._judges and (found := self._asked(lambda: self._classifier.feed(pcm))):
            self._take(found)

    def _asked(self, work: Callable[[], T]) -> T | None:
        """What the classifier says; None where it fails, which ends the tap: a fault of ours must cost no call."""
        try:
            return work()
        except Exception as fault:
            log.exception("hearing.failed")
            self.ended(f"the classifier failed: {type(fault).__name__}: {fault}")
            return None

    def _keep(self, pcm: bytes) -> None:
        if self.answered_at is None:
            self._before += pcm
            del self._before[: max(0, len(self._before) - KEPT_BEFORE)]
        else:
            self._after += pcm[: KEPT_AFTER - len(self._after)]

    def _take(self, found: list[Evidence | Verdict]) -> None:
        for one in found:
            if isinstance(one, Verdict):
                self.verdicts.append(one)
            elif len(self.timeline) < KEPT:
                self.timeline.append(one)
            else:
                self.left_out += 1
        self._tell()

    def _stop(self) -> None:
        if self._time is not None:
            self.gaps = self._time.gaps
        self._time = None
        if self._look is not None:
            self._look.cancel()
        self._over.set()
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


@dataclass(slots=True)
class Hearing:
    """Opens taps. ``new_classifier`` makes one a call; ``taps`` None is a gateway that shall have none.

    ``records``: recordings are taken from the tap, which then goes on where nobody is judged. ``save`` writes down an
    attempt's audio and returns its file's name; it blocks, and may raise OSError.
    """

    pbx: Pbx
    taps: Taps | None
    new_classifier: Callable[[], Classifier] = Classifier
    save: Callable[[AccountId, AttemptId, bytes], str] | None = None
    records: bool = False
    opened: int = 0
    missed: int = 0
    last_miss: str = ""  # why the last call was judged without one; empty where it had one

    def ear(self, *, keeps: bool = False) -> LineEar:
        """An ear that hears nothing yet."""
        return LineEar(self.new_classifier(), keeps=keeps)

    async def open(self, attempt: AttemptId, ear: LineEar) -> None:
        """Have Asterisk tap the attempt's channel, which exists. What fails is told to the ear."""
        if self.taps is None:
            ear.ended("the media tap is switched off ([audiosocket] enabled)")
            return
        self.opened += 1
        why = await self.pbx.open_tap(attempt, self.taps.expect(ear))
        if why is not None:
            self.taps.close(ear)
            ear.ended(why)

    def rest(self, ear: LineEar) -> None:
        """Judge a call no more."""
        if self.records:
            ear.rest()
        else:
            self.close(ear)

    def close(self, ear: LineEar) -> None:
        """Hear no more of a call."""
        if self.taps is not None:
            self.taps.close(ear)
        ear.finish()

    async def keep(self, claimed: Claimed, ear: LineEar) -> str | None:
        """Write down the audio that the ear kept; the file's name, None where there is none."""
        if self.save is None or not (pcm := ear.kept):
            return None
        try:
            return await asyncio.to_thread(self.save, claimed.account.id, claimed.attempt.id, pcm)
        except OSError as error:  # the call's record is worth more than its audio
            log.error("evidence.not_kept", attempt_id=claimed.attempt.id, error=str(error))
            return None

    def status(self) -> dict[str, Any]:
        """Which detector judges calls: ``tap``, or ``agi`` where it is switched off or failed the last time."""
        return {
            "in_use": "agi" if self.taps is None or self.last_miss else "tap",
            "taps_opened": self.opened, "calls_without": self.missed, "last_reason": self.last_miss or None,
        }  # fmt: skip

    def missing(self, attempt: AttemptId, why: str) -> None:
        """A call had to be judged without a tap."""
        self.missed += 1
        self.last_miss = why
        if self.taps is not None:
            log.warning("hearing.no_tap", attempt_id=attempt, why=why)


def evidence_of(ear: LineEar) -> dict[str, Any]:
    """What the attempt's record keeps of an ear: see docs/classification.md."""
    timeline = [
        {
            "sound": str(one.sound), "start": _ms(one.start), "end": _ms(one.end), "known": _ms(one.known),
            **({"hz": [round(hz, 1) for hz in one.hz]} if one.hz else {}),
            **({"tone": str(one.tone)} if one.tone is not None else {}),
            **({"detail": one.detail} if one.detail else {}),
        }
        for one in ear.timeline
    ]  # fmt: skip
    verdicts = [
        {"callee_type": str(one.callee_type), "confidence": round(one.confidence, 2), "at": _ms(one.at),
         "reason": one.reason}
        for one in ear.verdicts
    ]  # fmt: skip
    found: dict[str, Any] = {"detector": "tap" if ear.began_ever else "none", "timeline": timeline}
    found |= {"verdicts": verdicts}
    if not ear.began_ever:
        found["fallback"] = ear.fallback or "the tap never began"
    elif ear.lost_at is not None:
        found |= {"lost": _ms(ear.lost_at), "fallback": ear.fallback}
    if ear.answered_at is not None:
        found["answered"] = _ms(ear.answered_at)
    for name, count in (("left_out", ear.left_out), ("gaps", ear.gaps)):
        if count:
            found[name] = count
    return found


def _ms(seconds: float) -> float:
    return round(seconds, 3)
