"""Special information tones: three rising segments, coded by pitch and length (Telcordia GR-674, ITU-T E.180)."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import deque
from typing import Final

from gateway.core.hearing import evidence, runs
from gateway.core.hearing.evidence import Evidence, Sound

SHORT, LONG = 0.276, 0.380
FIRST_LOW, FIRST_HIGH = 913.8, 985.2
SECOND_LOW, SECOND_HIGH = 1370.6, 1428.5
THIRD: Final = 1776.7
#: Category by the first two segments (Hz, seconds); the third is always THIRD and LONG. Reorder has a second form for
#: inter-LATA carriers. IO is long-long as this project's lab plays it; long-short occurs too.
CODES: Final = (
    (evidence.Tone.SIT_IC, (FIRST_LOW, SHORT), (SECOND_LOW, SHORT)),
    (evidence.Tone.SIT_VC, (FIRST_HIGH, LONG), (SECOND_LOW, SHORT)),
    (evidence.Tone.SIT_NC, (FIRST_HIGH, LONG), (SECOND_HIGH, LONG)),
    (evidence.Tone.SIT_RO, (FIRST_LOW, SHORT), (SECOND_HIGH, LONG)),
    (evidence.Tone.SIT_RO, (FIRST_HIGH, SHORT), (SECOND_LOW, LONG)),
    (evidence.Tone.SIT_IO, (FIRST_LOW, LONG), (SECOND_LOW, LONG)),
    (evidence.Tone.SIT_IO, (FIRST_LOW, LONG), (SECOND_LOW, SHORT)),
)
#: ITU-T E.180: 950, 1400, 1800 Hz of 330 ms each, ±50 Hz, so that only what lies nearer to it than to GR-674 is its.
ITU: Final = (950.0, 1400.0, 1800.0)
#: Hz and seconds that count as one unit of distance: pitch tells more than length, which a tap may cut.
HZ_UNIT, SECONDS_UNIT = 10.0, 0.04
#: How far off a sender may be (Telcordia GR-674: 1.5 %), and what that counts.
OFF, OFF_UNITS = 0.015, 1.0
#: E.180's segments may be 30 ms apart. A longer gap is another tone.
GAP: Final = 0.08
BANDS: Final = ((890.0, 1010.0), (1340.0, 1460.0), (1740.0, 1860.0))
LENGTHS: Final = (0.2, 0.45)


class SpecialInformation:
    """Takes every tone in turn."""

    def __init__(self) -> None:
        self._last: deque[runs.Tone] = deque(maxlen=3)

    def push(self, tone: runs.Tone, known: float) -> Evidence | None:
        self._last.append(tone)
        segments = list(self._last)
        if len(segments) < 3 or not all(map(_is_segment, segments, BANDS)):
            return None
        if any(after.start - before.end > GAP for before, after in itertools.pairwise(segments)):
            return None
        hz = tuple(segment.hz[0] for segment in segments)
        return Evidence(Sound.SIT, segments[0].start, tone.end, known, hz, category(segments))


def _is_segment(tone: runs.Tone, band: tuple[float, float]) -> bool:
    return len(tone.hz) == 1 and band[0] <= tone.hz[0] <= band[1] and LENGTHS[0] <= tone.seconds <= LENGTHS[1]


def category(segments: list[runs.Tone]) -> evidence.Tone:
    """The code that lies nearest to three measured segments."""
    hz = [segment.hz[0] for segment in segments]
    seconds = [segment.seconds for segment in segments]
    distances = [
        (math.hypot(*_from(hz, (first[0], second[0], THIRD)), *_late(seconds, (first[1], second[1]))), code)
        for code, first, second in CODES
    ]
    # E.180 leaves the lengths open within ±70 ms.
    distances.append((math.hypot(*_from(hz, ITU)), evidence.Tone.SIT_ITU))
    return min(distances)[1]


def _from(measured: list[float], code: tuple[float, ...]) -> list[float]:
    """A sender whose clock is off shifts all three alike: what is left of the pitches, and how far off it would be."""
    off = statistics.fmean(one / other for one, other in zip(measured, code, strict=True)) - 1
    off = min(max(off, -OFF), OFF)
    pitches = [(one - other * (1 + off)) / HZ_UNIT for one, other in zip(measured, code, strict=True)]
    return [*pitches, off / OFF * OFF_UNITS]


def _late(measured: list[float], code: tuple[float, ...]) -> list[float]:
    return [(one - other) / SECONDS_UNIT for one, other in zip(measured, code, strict=False)]
