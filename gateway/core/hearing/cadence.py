"""Ringback, busy and reorder by their cadence: the precise tones of North America, the British pair, E.180's 425 Hz."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Final

from gateway.core.hearing import evidence, runs
from gateway.core.hearing.evidence import Evidence, Sound

#: Hz that a call-progress tone may be off; the two of a close pair are pulled by each other's lobes.
TOLERANCE: Final = 14.0
US_RINGBACK, UK_RINGBACK, US_BUSY = (440.0, 480.0), (400.0, 450.0), (480.0, 620.0)
US_DIAL_TONE = (350.0, 440.0)
#: ITU-T E.180 recommends 425 Hz and tolerates 400 to 450 Hz for a single tone.
E180: Final = 425.0
E180_BAND: Final = (388.0, 462.0)
#: Seconds of one burst of ringback.
US_RING, UK_RING, E180_RING = (0.6, 2.5), (0.28, 0.6), (0.67, 1.7)
#: Seconds of each burst and each gap: half a second is busy, a quarter reorder (congestion).
BUSY: Final = (0.34, 0.78)
REORDER: Final = (0.14, 0.33)
#: So many bursts alike make a cadence.
BURSTS: Final = 3


def is_progress(tone: runs.Tone) -> bool:
    """Whether it may be one burst of a call-progress tone, so that the next burst must be waited for."""
    return len(tone.hz) == 1 and E180_BAND[0] <= tone.hz[0] <= E180_BAND[1]


def is_progress_pair(tone: runs.Tone) -> bool:
    """Whether it consists of two pitches that only a telephone exchange plays together."""
    pairs = (US_RINGBACK, UK_RINGBACK, US_BUSY, US_DIAL_TONE)
    return any(tone.near(*pair, within=TOLERANCE) for pair in pairs)


def is_ring(tone: runs.Tone) -> bool:
    """Whether the one burst is enough to be known as ringback."""
    return (
        (tone.near(*US_RINGBACK, within=TOLERANCE) and _within(tone.seconds, US_RING))
        or (tone.near(*UK_RINGBACK, within=TOLERANCE) and _within(tone.seconds, UK_RING))
        or (tone.near(E180, within=TOLERANCE / 2) and _within(tone.seconds, E180_RING))
    )


class Cadence:
    """Takes every tone in turn."""

    def __init__(self) -> None:
        self._bursts: deque[runs.Tone] = deque(maxlen=BURSTS)

    def push(self, tone: runs.Tone, known: float) -> Evidence | None:
        if is_ring(tone):
            self._bursts.clear()
            return Evidence(Sound.RINGBACK, tone.start, tone.end, known, tone.hz)
        if not (tone.near(*US_BUSY, within=TOLERANCE) or is_progress(tone)):
            return None
        if self._bursts and not tone.near(*self._bursts[-1].hz, within=TOLERANCE):
            self._bursts.clear()
        self._bursts.append(tone)
        if len(self._bursts) < BURSTS:
            return None
        bursts = list(self._bursts)
        gaps = [after.start - before.end for before, after in itertools.pairwise(bursts)]
        spans = [*(burst.seconds for burst in bursts), *gaps]
        for sound, category, allowed in (
            (Sound.BUSY, evidence.Tone.BUSY, BUSY),
            (Sound.REORDER, evidence.Tone.REORDER, REORDER),
        ):
            if all(_within(span, allowed) for span in spans):
                self._bursts.clear()
                return Evidence(sound, bursts[0].start, tone.end, known, tone.hz, category)
        return None


def _within(seconds: float, allowed: tuple[float, float]) -> bool:
    return allowed[0] <= seconds <= allowed[1]
