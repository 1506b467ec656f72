"""What the model weighs: how long, how often, how fast and with which melody was spoken since the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.prosody import BANDS, VOICED, Floats, Prosody, nuclei
from gateway.core.hearing.spectrum import SECONDS_A_FRAME

Spurt = tuple[float, float]

#: Seconds of silence that part utterances.
PARTS: Final = 0.7
#: Seconds before the end of the speech whose melody tells a question from an end.
FINAL: Final = 0.3
BEFORE: Final = 1.0  # seconds before the speech in which the line's noise is looked for
TAIL: Final = 15  # rows at the speech's end whose level is looked at
FEWEST: Final = 3  # rows of which nothing can be said
_EVEN_BANDS = np.full(len(BANDS), 1 / len(BANDS), np.float32)
#: dBFS under which there is no noise to be compared with.
LEAST_FLOOR: Final = -60.0
#: Names, in order, of what :func:`melody` gives: counts, seconds, semitones and dB.
MELODY: Final = (
    "syllables", "syllables a second", "syllables of the last spurt", "time since the last syllable",
    "pitch at the end", "final slope of pitch", "range of pitch", "voiced share", "voicing at the end",
    "level at the end", "range of level", "level of the last spurt", "final slope of level",
    "tilt", "change of colour", "speech over noise", "pauses over noise", "voice", "voice at the end",
)  # fmt: skip
#: Of what :func:`features` gives: seconds and counts, then the melody.
NAMES: Final = (
    "speech", "span", "longest utterance", "first spurt", "last spurt", "spurts", "longest pause", "silence", *MELODY,
)


def features(at: float, spurts: Sequence[Spurt], melody: Sequence[float]) -> list[float]:
    """One number for each of :data:`NAMES` at ``at``; ``spurts``, at least one, may end in one that goes on."""
    lengths = [end - start for start, end in spurts]
    pauses = [after[0] - before[1] for before, after in zip(spurts, spurts[1:], strict=False)]
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
    return [round(one, 3) for one in found]  # so that no threshold of the model's lies between two roundings of one time


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
    spoken, bands, voicing = level[loud], prosody.bands[whole][loud], prosody.voicing[whole]
    if len(spoken) < FEWEST:
        return [0.0] * len(MELODY)
    mean = _mean(spoken)
    before = np.sort(prosody.level[prosody.rows(spurts[0][0] - BEFORE, spurts[-1][1])])
    floor = max(float(before[len(before) // 10]), LEAST_FLOOR)
    odds = prosody.odds[whole][loud]
    peaks = nuclei(level.tolist())
    places = np.flatnonzero(loud & (voicing >= VOICED))
    tail = spoken[-TAIL:]
    last_level = level[min(rows[-1][0], len(level) - 1) :]
    shape = bands - (bands @ _EVEN_BANDS)[:, None]
    return [
        float(len(peaks)),
        len(peaks) / (len(spoken) * SECONDS_A_FRAME),
        float(sum(place >= rows[-1][0] for place in peaks)),
        (len(level) - peaks[-1]) * SECONDS_A_FRAME if peaks else 0.0,
        *_pitch(places, prosody.pitch[whole][places]),
        len(places) / len(spoken),
        _mean(voicing[loud][-5:]),
        _mean(tail[-4:]) - mean,
        math.sqrt(_mean((spoken - mean) ** 2)),
        _mean(last_level) - mean,
        _slope(np.arange(len(tail)), tail),
        _mean(np.maximum(bands[:, 3], bands[:, 4]) - bands[:, 1]),
        float(np.abs(shape[1:] - shape[:-1]).sum()) / shape.size,
        mean - floor,
        max(float(np.sort(level)[len(level) // 20]), LEAST_FLOOR) - floor,
        _mean(odds),
        _mean(odds[-5:]),
    ]


def _pitch(places: npt.NDArray[np.intp], tones: Floats) -> tuple[float, float, float]:
    """Of the voiced rows: semitones from the median to the end, the last slope (a second), nine tenths' range."""
    count = len(tones)
    if count < FEWEST:
        return 0.0, 0.0, 0.0
    order = np.sort(tones)
    final = int(np.searchsorted(places, places[-1] - FINAL / SECONDS_A_FRAME))
    end = sorted(tones[-3:].tolist())[1]
    return (
        end - float(order[count // 2]),
        _slope(places[final:], tones[final:]),
        float(order[(9 * count) // 10] - order[count // 10]),
    )


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
