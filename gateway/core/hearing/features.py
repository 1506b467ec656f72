"""What the model weighs: how long, how often, how fast and how loud was spoken since the answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.prosody import Floats, Prosody, nuclei
from gateway.core.hearing.spectrum import SECONDS_A_FRAME

Spurt = tuple[float, float]

#: Seconds of silence that part utterances.
PARTS: Final = 0.7
BEFORE: Final = 1.0  # seconds before the speech in which the line's noise is looked for
TAIL: Final = 15  # rows at the speech's end whose level is looked at
FEWEST: Final = 3  # rows of which nothing can be said
#: dBFS under which there is no noise to be compared with.
LEAST_FLOOR: Final = -60.0
#: Names, in order, of what :func:`melody` gives: counts, seconds and dB.
MELODY: Final = (
    "syllables", "syllables a second", "syllables of the last spurt", "time since the last syllable",
    "level at the end", "level of the last spurt", "final slope of level", "speech over noise", "pauses over noise",
    "voice", "voice at the end",
)  # fmt: skip
#: Of what :func:`features` gives: seconds and counts, then the melody.
NAMES: Final = (
    "speech",
    "span",
    "longest utterance",
    "first spurt",
    "last spurt",
    "spurts",
    "longest pause",
    "silence",
    *MELODY,
)


def features(at: float, spurts: Sequence[Spurt], melody: Sequence[float]) -> list[float]:
    """One number for each of :data:`NAMES` at ``at``; ``spurts``, at least one, may end in one that goes on."""
    lengths = [end - start for start, end in spurts]
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(spurts)]
    utterances = [lengths[0]]
    for pause, length in zip(pauses, lengths[1:], strict=True):
        utterances[-1:] = [utterances[-1], length] if pause >= PARTS else [utterances[-1] + pause + length]
    found = [
        sum(lengths),
        spurts[-1][1] - spurts[0][0],
        max(utterances),
        lengths[0],
        lengths[-1],
        float(len(spurts)),
        max(pauses, default=0.0),
        max(at - spurts[-1][1], 0.0),
        *melody,
    ]
    return [
        round(one, 3) for one in found
    ]  # so that no threshold of the model's lies between two roundings of one time


def melody(spurts: Sequence[Spurt], prosody: Prosody) -> list[float]:
    """:data:`MELODY` of these spurts, which may lie outside of what ``prosody`` has kept."""
    whole = prosody.rows(spurts[0][0], spurts[-1][1])
    level = prosody.level[whole]
    if len(level) < FEWEST:
        return [0.0] * len(MELODY)
    base = prosody.start + whole.start * SECONDS_A_FRAME
    rows = [(_row(start - base), _row(end - base)) for start, end in spurts]
    loud = np.zeros(len(level), bool)
    for first, last in rows:
        loud[first : last + 1] = True
    spoken = level[loud]
    if len(spoken) < FEWEST:
        return [0.0] * len(MELODY)
    mean = _mean(spoken)
    before = np.sort(prosody.level[prosody.rows(spurts[0][0] - BEFORE, spurts[-1][1])])
    floor = max(float(before[len(before) // 10]), LEAST_FLOOR)
    odds = prosody.odds[whole][loud]
    peaks = nuclei(level.tolist())
    tail = spoken[-TAIL:]
    last_level = level[min(rows[-1][0], len(level) - 1) :]
    return [
        float(len(peaks)),
        len(peaks) / (len(spoken) * SECONDS_A_FRAME),
        float(sum(place >= rows[-1][0] for place in peaks)),
        (len(level) - peaks[-1]) * SECONDS_A_FRAME if peaks else 0.0,
        _mean(tail[-4:]) - mean,
        _mean(last_level) - mean,
        _slope(np.arange(len(tail)), tail),
        mean - floor,
        max(float(np.sort(level)[len(level) // 20]), LEAST_FLOOR) - floor,
        _mean(odds),
        _mean(odds[-5:]),
    ]


def _row(seconds: float) -> int:
    return max(round(seconds / SECONDS_A_FRAME), 0)


def _mean(values: Floats) -> float:
    return float(values.sum()) / len(values)


def _slope(places: npt.NDArray[np.intp], values: Floats) -> float:
    """The straight line through the values, a second."""
    if len(places) < FEWEST:
        return 0.0
    x = places - places.sum() / len(places)
    return float(x @ values) / float(x @ x) / SECONDS_A_FRAME
