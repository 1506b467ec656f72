"""Whether somebody speaks in a frame: boosted trees over how its bands stand out of the line's noise.

AMD()'s threshold is absolute, and one over the noise's level takes gusts and music for voices.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gateway.core.hearing.prosody import BANDS, Floats, Prosody
from gateway.core.hearing.trees import Trees

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
    past = slice(max(0, end - PAST), end)
    level = prosody.level[past]
    count = len(level)
    ordered = np.sort(level)
    loudest, quietest = ordered[-1], ordered[count // QUIET]
    floor = np.sort(prosody.bands[past], axis=0)[count // QUIET]
    bands = _last(prosody.bands, end, rows + SHORT - 1)
    changes = np.abs(bands[1:] - bands[:-1]).sum(axis=1)
    levels = _last(prosody.level, end, rows + LONG - 1)
    long, short = _windows(levels, LONG), _windows(levels[-rows - SHORT + 1 :], SHORT)
    voicing = _last(prosody.voicing, end, rows + SHORT - 1)
    now = levels[-rows:]
    found = np.empty((rows, len(NAMES)), np.float32)
    wide = len(BANDS)
    found[:, :wide] = bands[-rows:] - floor
    found[:, wide : 2 * wide] = _windows(bands, SHORT).sum(axis=2) / SHORT - floor
    for column, values in enumerate(
        (
            now, now - loudest, now - quietest, short.max(axis=1) - short.min(axis=1),
            long.max(axis=1) - long.min(axis=1), voicing[-rows:], _windows(voicing, SHORT).sum(axis=1) / SHORT,
            _windows(changes, SHORT - 1).sum(axis=1) / (SHORT - 1), quietest, count,
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


def _windows(values: Floats, length: int) -> Floats:
    """A row for each place at which so many values end: (rows, …, length)."""
    return np.lib.stride_tricks.as_strided(
        values,
        (len(values) - length + 1, *values.shape[1:], length),
        (*values.strides, values.strides[0]),
        writeable=False,
    )
