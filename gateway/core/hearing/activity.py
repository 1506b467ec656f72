"""What the net that hears voices is given of a frame: how its bands stand, and just stood, over the line's noise.

AMD()'s threshold is absolute, and one over the noise's level takes gusts and music for voices.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.prosody import BANDS, Floats, Prosody

#: Rows in which the noise is looked for (2 s), and the part of them that is taken for noise.
PAST: Final = 100
QUIET: Final = 10
#: Rows back at which the bands are looked at: 0 to 0.22 s.
BACK: Final = (0, 1, 2, 4, 7, 11)
SHORT, LONG = 5, 25  # rows whose mean is taken
#: Columns of :func:`activity`: the bands over noise at each row of BACK and in the mean of LONG rows, the noise's own
#: colour, then level, level under the loudest, voicing now and lately, the noise's level, and the rows that are known.
COLUMNS: Final = BANDS * (len(BACK) + 2) + 6


def activity(prosody: Prosody, rows: int) -> Floats:
    """One line of :data:`COLUMNS` numbers for each of the last ``rows`` rows: dB, but for voicing (0 to 1) and rows."""
    end = prosody.count
    # Digital silence before a first packet that comes late is no noise, over which the line's own would stand out.
    unsent = (prosody.first or 0) if end <= PAST else 0
    past = slice(max(0, end - PAST, unsent), end)
    level = prosody.level[past]
    noise = np.sort(prosody.bands[past], axis=0)[len(level) // QUIET]
    mean_noise = noise.sum() / BANDS
    bands = _last(prosody.bands, end, rows + LONG - 1)
    voicing = _last(prosody.voicing, end, rows + SHORT - 1)
    now = level[-rows:] if len(level) >= rows else _last(prosody.level, end, rows)
    back = len(BACK) * BANDS
    found = np.empty((rows, COLUMNS), np.float32)
    found[:, :back] = (bands[_places(rows)] - noise).reshape(rows, back)
    found[:, back : back + BANDS] = _means(rows, LONG) @ bands - noise
    found[:, back + BANDS : back + 2 * BANDS] = noise - mean_noise
    for column, values in enumerate(
        (now, now - level.max(), voicing[-rows:], _means(rows, SHORT) @ voicing, mean_noise, min(end, PAST)),
        back + 2 * BANDS,
    ):
        found[:, column] = values
    return found


def _last(values: Floats, end: int, rows: int) -> Floats:
    """The ``rows`` rows before ``end``; where there are fewer, the first stands for those before it."""
    if end >= rows:
        return values[end - rows : end]
    return np.concatenate((np.repeat(values[:1], rows - end, axis=0), values[:end]))


@cache
def _places(rows: int) -> npt.NDArray[np.int64]:
    """Where the rows of BACK lie for each of the last ``rows`` of ``rows + LONG - 1``."""
    places: npt.NDArray[np.int64] = np.arange(rows)[:, None] + LONG - 1 - np.array(BACK)
    return places


@cache
def _means(rows: int, length: int) -> Floats:
    """What makes the means of the last ``length`` values at each of ``rows`` places."""
    found = np.zeros((rows, rows + length - 1), np.float32)
    for n in range(rows):
        found[n, n : n + length] = 1 / length
    return found
