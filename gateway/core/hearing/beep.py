"""The beep after which a message is recorded: any steady tone with quiet behind it. Also DTMF (ITU-T Q.23)."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing import runs
from gateway.core.hearing.cadence import is_progress, is_progress_pair, is_ring
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.spectrum import HOP, SECONDS_A_FRAME, Frame

FAINTEST: Final = -127.0
BAND: Final = (330.0, 2600.0)
SECONDS: Final = (0.08, 2.55)
#: Seconds of quiet that end a beep. A tone that may be a burst of busy or ringback must be waited for longer.
QUIET, QUIET_OF_PROGRESS = 0.12, 0.8
#: Seconds after which a second beep is no part of the first: the quiet, and what was given by the time it was known.
DOUBLE: Final = 0.16
#: dB below the beep that count as quiet, and in noise: as near above what was quiet before it, if it is any quieter.
DROP, NEAR, LEAST_DROP = 10.0, 5.0, 3.0
#: dB that it may be under the loudest frame before, which is forgotten by so much a frame; what was quiet, likewise.
UNDER_LOUDEST, LOUDEST_FALLS, QUIET_RISES = 22.0, 0.02, 0.1
#: Seconds after the end that are still in the windows of its last frames.
EDGE: Final = 2 * SECONDS_A_FRAME
#: Another pitch so shortly before (seconds) makes it a melody, or a special information tone's last segment.
MELODY: Final = 1.0
#: So long and so high (seconds, Hz) a voice holds no pitch, nor a string: level and pitch may move as far as coding and
#: noise make them (dB, Hz).
PLAIN_SECONDS, PLAIN_HZ, PLAIN_SWAY, PLAIN_DRIFT = 0.2, 480.0, 6.0, 10.0
#: So long and still (seconds, dB, Hz) it is a generator's at any pitch, whatever noise is beside it.
STILL_SECONDS, STILL_SWAY, STILL_DRIFT = 0.25, 1.0, 1.5
#: A shorter tone (seconds) is a piece of a voice and no note; so is one under BAND, whose last breath may be steady, or
#: one that is not steady, unless it is long and high.
NOTE: Final = 0.07
PLAYED_NOTE, PLAYED_HZ = 0.12, 400.0
DTMF: Final = {
    key: (low, high)
    for low, row in zip((697.0, 770.0, 852.0, 941.0), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip((1209.0, 1336.0, 1477.0, 1633.0), row, strict=True)
}


def key_of(tone: runs.Tone) -> str | None:
    """The key whose pair this is, by Q.24's 1.8 % and half a bin of ours."""
    return next((key for key, pair in DTMF.items() if tone.near(*pair, within=22.0)), None)


class Beeps:
    """Takes every frame, and the tone that ended with it."""

    def __init__(self) -> None:
        self._before: deque[runs.Tone] = deque(maxlen=8)  # the last tones, whatever they were
        self._loudest = self._quiet = FAINTEST
        self._raw = FAINTEST  # dBFS of the samples, without a window, while the last tone sounded
        self._waiting: list[runs.Tone] = []  # beeps whose quiet is not over
        self._loud = 0  # frames in a row that break the quiet

    @property
    def waiting(self) -> bool:
        """Whether a beep has ended and its quiet is not over."""
        return bool(self._waiting)

    def push(
        self, frame: Frame, ended: runs.Tone | None, sounding: runs.Run | None, newest: npt.NDArray[np.int16]
    ) -> Evidence | None:
        """``newest`` are the last samples given: a frame's window hardly hears them."""
        if ended is not None:
            return self._consider(ended, frame.known)
        if sounding is not None:
            self._raw = max(self._raw, _level(newest[-HOP:]))
        else:
            self._raw = self._raw if self._waiting else FAINTEST
            self._loudest = max(frame.level, self._loudest - LOUDEST_FALLS)
            self._quiet = min(frame.level, self._quiet + QUIET_RISES)
        if not self._waiting:
            return None
        last = self._waiting[-1]
        if sounding is not None and sounding.start > last.end:
            self._loud = 0
            if not _same(sounding.hz, last.hz):
                self._waiting.clear()
            return None
        if frame.at > last.end + EDGE and frame.level > self._allowed(last):
            self._loud += 1
            if self._loud > runs.FEWEST:  # so many frames may be a second beep's beginning
                self._waiting.clear()
            return None
        self._loud = 0
        if frame.at < last.end + (QUIET_OF_PROGRESS if is_progress(last) else QUIET):
            return None
        if _level(newest[-HOP:]) > self._raw - LEAST_DROP:
            return None  # a second beep fills but half of them
        return self._said(frame.known)

    def flush(self, at: float) -> Evidence | None:
        """The beep that the stream's end interrupts."""
        return self._said(at) if self._waiting and not is_progress(self._waiting[-1]) else None

    def _consider(self, tone: runs.Tone, at: float) -> Evidence | None:
        before = list(self._before)
        self._before.append(tone)
        if key_of(tone) is not None:
            self._waiting.clear()
            return Evidence(Sound.DTMF, tone.start, tone.end, at, tone.hz, detail=key_of(tone) or "")
        faint = tone.level < self._loudest - UNDER_LOUDEST
        if faint or not _is_beep(tone) or any(_goes_on(one, tone) for one in before):
            self._waiting.clear()
        else:
            self._waiting.append(tone)
        return None

    def _allowed(self, beep: runs.Tone) -> float:
        """dBFS that is quiet after it."""
        return min(max(beep.level - DROP, self._quiet + NEAR), beep.level - LEAST_DROP)

    def _said(self, at: float) -> Evidence:
        beeps, self._waiting = self._waiting, []
        detail = "double" if len(beeps) > 1 else ""
        return Evidence(Sound.BEEP, beeps[0].start, beeps[-1].end, at, beeps[-1].hz, detail=detail)


def _is_beep(tone: runs.Tone) -> bool:
    """One pitch, or two at once that are no call progress."""
    return (
        (tone.steady or _is_plain(tone))
        and BAND[0] <= tone.hz[0] <= BAND[1]
        and SECONDS[0] <= tone.seconds <= SECONDS[1]
        and not is_ring(tone)
        and not is_progress_pair(tone)
    )


def _is_plain(tone: runs.Tone) -> bool:
    high = tone.seconds >= PLAIN_SECONDS and tone.hz[0] >= PLAIN_HZ
    still = tone.seconds >= STILL_SECONDS and tone.sway <= STILL_SWAY and tone.drift <= STILL_DRIFT
    return still or (high and tone.sway <= PLAIN_SWAY and tone.drift <= PLAIN_DRIFT)


def _goes_on(before: runs.Tone, tone: runs.Tone) -> bool:
    """Whether two tones are a melody or a special information tone, or bursts of a cadence."""
    gap = tone.start - before.end
    if not _same(before.hz, tone.hz):
        return gap < MELODY and _is_note(before)
    return is_progress(tone) and DOUBLE < gap < QUIET_OF_PROGRESS


def _is_note(tone: runs.Tone) -> bool:
    played = len(tone.hz) == 1 and tone.hz[0] > PLAYED_HZ and tone.seconds >= PLAYED_NOTE
    return played or (tone.steady and tone.seconds >= NOTE and tone.hz[0] >= BAND[0])


def _level(samples: npt.NDArray[np.int16]) -> float:
    """dBFS, as a tone's level is."""
    wide = samples.astype(np.float64)
    return 10 * math.log10(2 * float(wide @ wide) / len(wide) / 32768**2 + 1e-10)


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return abs(one[0] - other[0]) <= 0.03 * other[0]
