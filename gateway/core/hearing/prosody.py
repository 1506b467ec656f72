"""How it sounds: loudness, colour, voicing and syllables of the last frames."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.spectrum import FRAME, FULL_SCALE, HERTZ_A_BIN, LOW, RATE, SECONDS_A_FRAME, Power

Floats = npt.NDArray[np.float32]

#: Rows kept (15 s): a greeting is judged no longer than that.
KEPT: Final = 750
#: Hz that part the bands. The first holds fundamentals, the last what only a wide line carries.
BANDS: Final = (125.0, 300.0, 700.0, 1400.0, 2400.0, 3400.0)
_EDGES = np.array([round(hz / HERTZ_A_BIN) - LOW for hz in BANDS])
#: Hz of the fundamentals looked for.
PITCHES: Final = (70.0, 400.0)
_LAGS = slice(round(RATE / PITCHES[1]), round(RATE / PITCHES[0]) + 1)
#: What the Hann window leaves of the correlation at each lag.
_WINDOW = np.hanning(FRAME + 1)[:FRAME]
_LOSS = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, 2 * FRAME)) ** 2)
_LOSS = (_LOSS[_LAGS] / _LOSS[0]).astype(np.float32)
#: dB that a syllable's nucleus stands above the dips at its sides.
NUCLEUS: Final = 3.0
_QUIETEST: Final = 1e-10
#: dBFS under which a line sends nothing at all.
NOTHING: Final = -90.0


class Prosody:
    """One row a frame: the last :data:`KEPT` at least, of which the first is of the frame at ``start`` seconds.

    ``level`` and ``bands`` are dBFS, ``voicing`` is the correlation, 0 to 1, at the likeliest
    fundamental, ``odds`` the log-odds for a voice that :mod:`activity` gives. ``first`` is the first row in which the
    line sent anything, None before it has.
    """

    def __init__(self, start: float) -> None:
        self.start = start
        self.count = 0
        self.first: int | None = None
        self.level = np.zeros(2 * KEPT, np.float32)
        self.bands = np.zeros((2 * KEPT, len(BANDS)), np.float32)
        self.voicing = np.zeros(2 * KEPT, np.float32)
        self.odds = np.zeros(2 * KEPT, np.float32)

    def push(self, power: Power) -> None:
        rows = len(power)
        if self.count + rows > len(self.level):
            self._forget(self.count - KEPT)
        here = slice(self.count, self.count + rows)
        self.count += rows
        bands = np.add.reduceat(power, _EDGES, axis=1)
        self.level[here] = 10 * np.log10(bands.sum(axis=1) / FULL_SCALE + _QUIETEST)
        if self.first is None and len(sent := np.flatnonzero(self.level[here] > NOTHING)):
            self.first = here.start + int(sent[0])
        self.bands[here] = 10 * np.log10(bands / FULL_SCALE + _QUIETEST)
        whole = np.zeros((rows, FRAME // 2 + 1), np.float32)
        whole[:, LOW : LOW + power.shape[1]] = power
        # The root evens out the formants, or a strong one would pass for the fundamental.
        correlation = np.fft.irfft(np.sqrt(whole))
        alike = (correlation[:, _LAGS] / _LOSS).max(axis=1) / (correlation[:, 0] + 1e-9)
        self.voicing[here] = np.minimum(np.maximum(alike, 0), 1)

    def _forget(self, rows: int) -> None:
        for kept in (self.level, self.bands, self.voicing, self.odds):
            kept[: self.count - rows] = kept[rows : self.count]
        self.count -= rows
        self.first = None if self.first is None else max(0, self.first - rows)
        self.start += rows * SECONDS_A_FRAME

    def rows(self, start: float, end: float) -> slice:
        """The rows of the frames whose middles lie from ``start`` to ``end`` (seconds)."""
        first, last = (math.ceil((at - self.start) / SECONDS_A_FRAME - 1e-6) for at in (start, end))
        return slice(max(first, 0), max(min(last, self.count), 0))


def nuclei(levels: list[float]) -> list[int]:
    """The rows of the syllables' nuclei: peaks of the level (dB) with a dip at each side."""
    found: list[int] = []
    low, high, place = levels[0] if levels else 0.0, -np.inf, 0
    for n, level in enumerate(levels):
        if level > high:
            high, place = level, n
        if high - level >= NUCLEUS:  # the peak is over
            if high - low >= NUCLEUS:
                found.append(place)
            low, high, place = level, level, n
        elif level < low:
            low, high, place = level, level, n
    if high - low >= NUCLEUS:
        found.append(place)
    return found
