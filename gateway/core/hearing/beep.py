"""The beep after which a message is recorded: any steady tone with quiet behind it. Also DTMF (ITU-T Q.23)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing import runs
from gateway.core.hearing.cadence import is_progress, is_progress_pair, is_ring
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.spectrum import HOP, SECONDS_A_FRAME, Frame

BAND: Final = (330.0, 2600.0)
SECONDS: Final = (0.08, 2.55)
#: Seconds of quiet that end a beep. A tone that may be a burst of busy or ringback must be waited for longer.
QUIET, QUIET_OF_PROGRESS = 0.12, 0.8
#: Seconds after which a second beep is no part of the first: the quiet, and what was given by the time it was known.
DOUBLE: Final = 0.16
#: dB below the beep that count as quiet.
DROP: Final = 10.0
#: The same of the newest 20 ms alone, of which a second beep may fill but half.
DROP_SOON: Final = 6.0
#: Seconds after the end that are still in the windows of its last frames.
EDGE: Final = 2 * SECONDS_A_FRAME
#: Another pitch so shortly before (seconds) makes it a melody, or a special information tone's last segment.
MELODY: Final = 1.0
#: A shorter tone (seconds) is a piece of a voice and no note; so is one that is not steady, unless it is long and high.
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
        self._before: runs.Tone | None = None  # the last tone, whatever it was
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
        if not self._waiting:
            return None
        last = self._waiting[-1]
        if sounding is not None and sounding.start > last.end:
            self._loud = 0
            if not _same(sounding.hz, last.hz):
                self._waiting.clear()
            return None
        if frame.at > last.end + EDGE and frame.level > last.level - DROP:
            self._loud += 1
            if self._loud > runs.FEWEST:  # so many frames may be a second beep's beginning
                self._waiting.clear()
            return None
        self._loud = 0
        if frame.at < last.end + (QUIET_OF_PROGRESS if is_progress(last) else QUIET):
            return None
        if _level(newest[-HOP:]) > last.level - DROP_SOON:
            return None
        return self._said(frame.known)

    def flush(self, at: float) -> Evidence | None:
        """The beep that the stream's end interrupts."""
        return self._said(at) if self._waiting and not is_progress(self._waiting[-1]) else None

    def _consider(self, tone: runs.Tone, at: float) -> Evidence | None:
        before, self._before = self._before, tone
        if key_of(tone) is not None:
            self._waiting.clear()
            return Evidence(Sound.DTMF, tone.start, tone.end, at, tone.hz, detail=key_of(tone) or "")
        if not _is_beep(tone) or (before is not None and _goes_on(before, tone)):
            self._waiting.clear()
        else:
            self._waiting.append(tone)
        return None

    def _said(self, at: float) -> Evidence:
        beeps, self._waiting = self._waiting, []
        detail = "double" if len(beeps) > 1 else ""
        return Evidence(Sound.BEEP, beeps[0].start, beeps[-1].end, at, beeps[-1].hz, detail=detail)


def _is_beep(tone: runs.Tone) -> bool:
    """One pitch, or two at once that are no call progress."""
    return (
        tone.steady
        and BAND[0] <= tone.hz[0] <= BAND[1]
        and SECONDS[0] <= tone.seconds <= SECONDS[1]
        and not is_ring(tone)
        and not is_progress_pair(tone)
    )


def _goes_on(before: runs.Tone, tone: runs.Tone) -> bool:
    """Whether two tones are a melody or a special information tone, or bursts of a cadence."""
    gap = tone.start - before.end
    if not _same(before.hz, tone.hz):
        return gap < MELODY and _is_note(before)
    return is_progress(tone) and DOUBLE < gap < QUIET_OF_PROGRESS


def _is_note(tone: runs.Tone) -> bool:
    played = len(tone.hz) == 1 and tone.hz[0] > PLAYED_HZ and tone.seconds >= PLAYED_NOTE
    return played or (tone.steady and tone.seconds >= NOTE)


def _level(samples: npt.NDArray[np.int16]) -> float:
    """dBFS, as a tone's level is."""
    wide = samples.astype(np.float64)
    return 10 * math.log10(2 * float(wide @ wide) / len(wide) / 32768**2 + 1e-10)


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return abs(one[0] - other[0]) <= 0.03 * other[0]
