"""How it sounds: loudness, colour, voicing and syllables of the last frames."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.spectrum import FRAME, FULL_SCALE, HERTZ_A_BIN, HIGH, LOW, RATE, SECONDS_A_FRAME, Power

Floats = npt.NDArray[np.float32]

#: Rows kept (15 s): a greeting is judged no longer than that.
KEPT: Final = 750
#: Bands of the telephone's band, equally wide in mel (O'Shaughnessy's formula).
BANDS: Final = 20
_LOW_MEL, _HIGH_MEL = (2595 * math.log10(1 + line * HERTZ_A_BIN / 700) for line in (LOW, HIGH))
_MEL = np.linspace(_LOW_MEL, _HIGH_MEL, BANDS + 1)
_EDGES = np.round(700 * (10 ** (_MEL[:-1] / 2595) - 1) / HERTZ_A_BIN).astype(int) - LOW
#: dBFS in a band that is as good as nothing.
_FAINTEST: Final = 10**-8.5
#: Hz of the fundamentals looked for.
PITCHES: Final = (70.0, 400.0)
_LAGS = np.arange(round(RATE / PITCHES[1]), round(RATE / PITCHES[0]) + 1)
#: What the Hann window leaves of the correlation at each lag.
_WINDOW = np.hanning(FRAME + 1)[:FRAME]
_LOSS = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, 2 * FRAME)) ** 2)
#: From the lines' magnitudes to the correlation at each lag: an inverse Fourier transform of what is looked at.
_ALIKE = np.cos(2 * np.pi / FRAME * np.outer(np.arange(LOW, HIGH), _LAGS)) * (_LOSS[0] / _LOSS[_LAGS])
_ALIKE = _ALIKE.astype(np.float32)
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
        self.bands = np.zeros((2 * KEPT, BANDS), np.float32)
        self.voicing = np.zeros(2 * KEPT, np.float32)
        self.odds = np.zeros(2 * KEPT, np.float32)

    def push(self, power: Power) -> None:
        rows = len(power)
        if self.count + rows > len(self.level):
            self._forget(self.count - KEPT)
        here = slice(self.count, self.count + rows)
        self.count += rows
        bands = np.add.reduceat(power, _EDGES, axis=1) / FULL_SCALE
        self.level[here] = 10 * np.log10(bands.sum(axis=1) + _QUIETEST)
        if self.first is None and len(sent := np.flatnonzero(self.level[here] > NOTHING)):
            self.first = here.start + int(sent[0])
        self.bands[here] = 10 * np.log10(bands + _FAINTEST)
        # The root evens out the formants, or a strong one would pass for the fundamental.
        lines = np.sqrt(power)
        alike = (lines @ _ALIKE).max(axis=1) / (lines.sum(axis=1) + _QUIETEST)
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
