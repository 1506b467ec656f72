"""Whether somebody speaks in a frame: boosted trees over how its bands stand out of the line's noise.

AMD()'s threshold is absolute, and one over the noise's level takes gusts and music for voices.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from gateway.core.hearing.prosody import BANDS, Floats, Prosody

#: Rows in which the noise is looked for (2 s), and the part of them that is taken for noise.
PAST: Final = 100
QUIET: Final = 10
SHORT, LONG = 5, 25  # rows
_HZ = tuple(f"{hz:.0f} Hz" for hz in BANDS)
#: Names, in order, of the columns of :func:`activity`: dB and, for voicing, 0 to 1.
NAMES: Final = (
    *(f"{hz} over noise" for hz in _HZ), *(f"{hz} over noise, lately" for hz in _HZ),
    "level", "level under the loudest", "level over the quietest", "spread of level", "spread of level, long",
    "voicing", "voicing lately", "change of colour", "noise", "rows heard",
)  # fmt: skip


def activity(prosody: Prosody, rows: int) -> Floats:
    """One line for each of the last ``rows`` rows: what :data:`NAMES` names."""
    end = prosody.count
    # Digital silence before a first packet that comes late is no noise, over which the line's own would stand out.
    unsent = (prosody.first or 0) if end <= PAST else 0
    past = slice(max(0, end - PAST, unsent), end)
    level = prosody.level[past]
    count = len(level)
    ordered = np.sort(level)
    loudest, quietest = ordered[-1], ordered[count // QUIET]
    floor = np.sort(prosody.bands[past], axis=0)[count // QUIET]
    bands = _last(prosody.bands, end, rows + SHORT)
    changes = np.abs(bands[1:] - bands[:-1]).sum(axis=1)
    levels = _last(prosody.level, end, rows + LONG - 1)
    voicing = _last(prosody.voicing, end, rows + SHORT - 1)
    now, short, long = levels[-rows:], _means(rows, SHORT), _means(rows, LONG)
    found = np.empty((rows, len(NAMES)), np.float32)
    wide = len(BANDS)
    found[:, :wide] = bands[-rows:] - floor
    found[:, wide : 2 * wide] = short @ bands[1:] - floor
    for column, values in enumerate(
        (
            now, now - loudest, now - quietest, _spread(short, levels[-rows - SHORT + 1 :]), _spread(long, levels),
            voicing[-rows:], short @ voicing, short @ changes, quietest, count,
        ),
        2 * wide,
    ):  # fmt: skip
        found[:, column] = values
    return found


def _last(values: Floats, end: int, rows: int) -> Floats:
    """The ``rows`` rows before ``end``; where there are fewer, the first stands for those before it."""
    if end >= rows:
        return values[end - rows : end]
    return np.concatenate((np.repeat(values[:1], rows - end, axis=0), values[:end]))


@cache
def _means(rows: int, length: int) -> Floats:
    """What makes the means of the last ``length`` values at each of ``rows`` places."""
    found = np.zeros((rows, rows + length - 1), np.float32)
    for n in range(rows):
        found[n, n : n + length] = 1 / length
    return found


def _spread(means: Floats, values: Floats) -> Floats:
    """Standard deviations."""
    even = values - values[-1]  # or the squares would lose the digits that count
    spread: Floats = np.sqrt(np.maximum(means @ even**2 - (means @ even) ** 2, 0))
    return spread
