"""The beep after which a message is recorded: a generator's tone that stands alone. Also DTMF (ITU-T Q.23)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing import runs
from gateway.core.hearing.cadence import BUSY, REORDER, is_progress, is_progress_pair, is_ring
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.generator import is_generators
from gateway.core.hearing.spectrum import HOP, SECONDS_A_FRAME, Frame

FAINTEST: Final = -127.0
#: Hz, with what a measured pitch may be off.
BAND: Final = (328.0, 2605.0)
SECONDS: Final = (0.075, 2.56)
#: Seconds of quiet that end a beep. A tone that may be a burst of busy or ringback must be waited for longer.
QUIET, QUIET_OF_PROGRESS = 0.12, 0.8
#: Seconds after which a second beep is no part of the first: the quiet, and what was given by the time it was known.
DOUBLE: Final = 0.16
#: dB by which its level may differ. A note that dies away may look like two tones.
ALIKE: Final = 3.0
#: Seconds before and after a tone in which it is looked whether it stands alone; next to it the windows still hear it.
BESIDE: Final = (0.03, 0.17)
#: dB that one loud frame right after counts less than a mean that is as loud.
ONCE: Final = 9.0
#: dB of the newest samples under the tone while it sounded, from which it is over; seconds after which it is, anyway.
LEAST_DROP, LATEST = 3.0, 0.3
#: dB that it may be under the loudest frame before, which is forgotten by so much a frame.
UNDER_LOUDEST, LOUDEST_FALLS = 22.0, 0.02
#: Frames whose levels are kept: those beside the longest beep.
KEPT: Final = round((SECONDS[1] + 4 * BESIDE[1]) / SECONDS_A_FRAME)
#: Another pitch so shortly before (seconds), and no more than so much (dB) quieter, makes it a melody's note or a
#: special information tone's segment.
MELODY, ACCOMPANIED = 1.0, 8.0
#: What a note keeps to: seconds, dB, Hz. A shorter tone is a piece of a voice, as is one under BAND.
NOTE, NOTE_SWAY, NOTE_DRIFT = 0.1, 1.5, 3.0
DTMF: Final = {
    key: (low, high)
    for low, row in zip((697.0, 770.0, 852.0, 941.0), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip((1209.0, 1336.0, 1477.0, 1633.0), row, strict=True)
}
#: ITU-T Q.24: keys are taken up to 1.8 % off in most countries, and up to 1.5 % in all.
DTMF_OFF: Final = 0.016


def key_of(tone: runs.Tone) -> str | None:
    """The key whose pair this is."""
    return next(
        (
            key
            for key, pair in DTMF.items()
            if len(tone.hz) == 2 and all(abs(hz - own) <= DTMF_OFF * own for hz, own in zip(tone.hz, pair, strict=True))
        ),
        None,
    )


@dataclass(slots=True)
class _Beep:
    """Tones that may be a beep, or a double one, until it is known whether they are. ``before`` is in dBFS."""

    before: float
    tones: list[runs.Tone] = field(default_factory=list)

    @property
    def last(self) -> runs.Tone:
        return self.tones[-1]


class Beeps:
    """Takes every frame, and the tone that ended with it.

    ``expected`` says that a machine was heard, whose beep is near: then a tone of E.180's band is taken for it at once.
    Were it the busy signal of a machine that hung up, nobody would be disturbed.
    """

    def __init__(self) -> None:
        self.expected = False
        self._before: deque[runs.Tone] = deque(maxlen=8)  # the last tones, whatever they were
        self._levels: deque[tuple[float, float]] = deque(maxlen=KEPT)  # seconds and dBFS over the noise
        self._loudest = FAINTEST
        self._raw = FAINTEST  # dBFS of the samples, without a window, while the last tone sounded
        self._beep: _Beep | None = None

    @property
    def waiting(self) -> bool:
        """Whether a beep has ended and its quiet is not over."""
        return self._beep is not None

    def push(
        self, frame: Frame, ended: runs.Tone | None, sounding: runs.Run | None, newest: npt.NDArray[np.int16]
    ) -> Evidence | None:
        """``newest`` are the last samples given: a frame's window hardly hears them."""
        self._levels.append((frame.at, frame.clear))
        if sounding is not None:
            self._raw = max(self._raw, _level(newest[-HOP:]))
        elif ended is None:
            self._raw = self._raw if self._beep is not None else FAINTEST
            self._loudest = max(frame.level, self._loudest - LOUDEST_FALLS)
        if ended is not None and (key := self._consider(ended, frame.known)) is not None:
            return key
        if self._beep is None:
            return None
        last = self._beep.last
        if sounding is not None and sounding.start > last.end:
            if not _same(sounding.hz, last.hz) and frame.clear > last.level - ACCOMPANIED:
                self._beep = None
                return None
            if _same(sounding.hz, last.hz):
                return None
        if frame.at < last.end + self._quiet(last):
            return None
        if _level(newest[-HOP:]) > self._raw - LEAST_DROP and frame.at < last.end + LATEST:
            return None  # a second beep fills but half of them
        return self._said(frame.known)

    def flush(self, at: float) -> Evidence | None:
        """The beep whose quiet the stream's end cuts short. What was cut off itself may have been anything."""
        beep = self._beep
        over = beep is not None and not is_progress(beep.last) and beep.last.end + BESIDE[0] <= at
        return self._said(at) if over else None

    def _consider(self, tone: runs.Tone, at: float) -> Evidence | None:
        before = list(self._before)
        self._before.append(tone)
        waiting, self._beep = self._beep, None
        if (key := key_of(tone)) is not None:
            return Evidence(Sound.DTMF, tone.start, tone.end, at, tone.hz, detail=key)
        if not _may_be_beep(tone) or tone.level < self._loudest - UNDER_LOUDEST:
            self._beep = waiting if waiting is not None and not _replaces(tone, waiting.last) else None
        elif not any(self._goes_on(one, tone) for one in before):
            if waiting is None or not _alike(waiting.last, tone):
                waiting = _Beep(self._heard(tone.start - BESIDE[1], tone.start - BESIDE[0])[0])
            waiting.tones.append(tone)
            self._beep = waiting
        return None

    def _goes_on(self, before: runs.Tone, tone: runs.Tone) -> bool:
        """Whether two tones are a melody or a special information tone, or bursts of a cadence."""
        gap = tone.start - before.end
        if not _same(before.hz, tone.hz):
            return gap < MELODY and before.level > tone.level - ACCOMPANIED and _is_note(before)
        return is_progress(tone) and DOUBLE < gap < QUIET_OF_PROGRESS and not self.expected

    def _quiet(self, last: runs.Tone) -> float:
        """Seconds of quiet that end it: where it may be a burst of a cadence, until the next would have begun."""
        burst = REORDER[0] <= last.seconds <= BUSY[1]
        return QUIET_OF_PROGRESS if is_progress(last) and burst and not self.expected else QUIET

    def _heard(self, start: float, end: float) -> tuple[float, float]:
        """dBFS over the noise in that stretch: in the mean, and in the loudest frame."""
        levels = [level for at, level in self._levels if start <= at <= end]
        return (sum(levels) / len(levels), max(levels)) if levels else (FAINTEST, FAINTEST)

    def _said(self, at: float) -> Evidence | None:
        beep, self._beep = self._beep, None
        assert beep is not None
        mean, most = self._heard(beep.last.end + BESIDE[0], beep.last.end + BESIDE[1])
        beside = max(beep.before, mean, most - ONCE)
        if not any(is_generators(tone, tone.level - beside) for tone in beep.tones):
            return None
        detail = "double" if len(beep.tones) > 1 else ""
        return Evidence(Sound.BEEP, beep.tones[0].start, beep.last.end, at, beep.last.hz, detail=detail)


def _may_be_beep(tone: runs.Tone) -> bool:
    """One pitch, or two at once that are no call progress, and a generator's if it stands alone."""
    return (
        BAND[0] <= tone.hz[0] <= BAND[1]
        and SECONDS[0] <= tone.seconds <= SECONDS[1]
        and is_generators(tone, math.inf)
        and not is_ring(tone)
        and not is_progress_pair(tone)
    )


def _replaces(tone: runs.Tone, beep: runs.Tone) -> bool:
    """Whether it is another sound, no remains of the beep that an unsteady codec leaves, and nothing behind it."""
    return not _same(tone.hz, beep.hz) and tone.level >= beep.level - ACCOMPANIED


def _alike(one: runs.Tone, other: runs.Tone) -> bool:
    """Whether they are two of one generator."""
    return _same(one.hz, other.hz) and abs(one.level - other.level) <= ALIKE


def _is_note(tone: runs.Tone) -> bool:
    held = tone.sway <= NOTE_SWAY and tone.drift <= NOTE_DRIFT
    return held and tone.seconds >= NOTE and tone.hz[0] >= BAND[0]


def _level(samples: npt.NDArray[np.int16]) -> float:
    """dBFS, as a tone's level is."""
    wide = samples.astype(np.float64)
    return 10 * math.log10(2 * float(wide @ wide) / len(wide) / 32768**2 + 1e-10)


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return abs(one[0] - other[0]) <= 0.03 * other[0]
