"""Samples to spectral frames: in each, its level and the two lines that stand out most of the line's noise.

A frame is 512 samples (64 ms) under a Hann window, one every 160 samples (20 ms). Several are computed at once, because
NumPy's cost is by the call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.floor import Floor

RATE: Final = 8000  # samples a second, the only rate of the telephone network that Asterisk's slin has
HOP: Final = 160  # samples between frames
FRAME: Final = 512  # samples of one frame
SECONDS_A_FRAME: Final = HOP / RATE
#: Frames that a batch's last one lags the samples given: half a frame, cut to whole hops.
LAG: Final = 1
_MIDDLE: Final = (LAG + 1) * HOP - FRAME // 2  # the sample in the middle of frame 0

HERTZ_A_BIN: Final = RATE / FRAME
#: The telephone band from 125 to 3703 Hz: above mains hum, with the fundamentals that tell a voice from a low tone.
LOW, HIGH = 8, 238
#: Power of each frame's bins from LOW to HIGH: (frames, HIGH - LOW).
Power = npt.NDArray[np.float32]
_WINDOW = np.hanning(FRAME + 1)[:FRAME].astype(np.float32)
#: The power of a full-scale sine (0 dBFS) in the sum over its five bins under a Hann window.
FULL_SCALE: Final = 32768.0**2 * 1.5 * (FRAME / 4) ** 2
#: A Hann window's main lobe is four bins wide.
_LOBE = np.arange(-2, 3)
_INDEX = np.arange(4)[:, None]
#: V.21 channel 2 with its sidebands, 1500 to 2000 Hz.
_V21 = slice(round(1500 / HERTZ_A_BIN) - LOW, round(2000 / HERTZ_A_BIN) - LOW + 1)
_FLOOR: Final = 1.0  # keeps digital silence out of logarithms and divisions: -127 dBFS


@dataclass(frozen=True, slots=True)
class Frame:
    """``level`` is the band's power in dBFS (a full-scale sine is 0), ``clear`` what stands out of the line's noise.

    A ``share`` is a line's part of what stands out, the V.21 share one of the whole.

    ``known`` is how much of the stream (seconds) had been given when the frame could be computed.
    """

    index: int
    known: float
    level: float
    clear: float
    hz: float
    share: float
    second_hz: float
    second_share: float
    v21_share: float

    @property
    def at(self) -> float:
        """Seconds from the stream's beginning to the frame's middle."""
        return (self.index * HOP + _MIDDLE) / RATE


class Analyser:
    """Cuts a stream into frames. The stream is preceded by silence."""

    def __init__(self) -> None:
        self._tail = np.zeros(FRAME - HOP, dtype=np.float32)
        self._next = -LAG
        self._floor = Floor(HIGH - LOW)

    @property
    def at(self) -> float:
        """Seconds from the stream's beginning to the next frame's middle."""
        return (self._next * HOP + _MIDDLE) / RATE

    def power(self, batch: npt.NDArray[np.int16]) -> Power:
        """The frames that the next samples complete, one for each HOP; at most four."""
        buffer = np.concatenate((self._tail, batch.astype(np.float32)))
        self._tail = buffer[len(batch) :]
        cut = np.lib.stride_tricks.as_strided(
            buffer, (len(batch) // HOP, FRAME), (HOP * buffer.itemsize, buffer.itemsize), writeable=False
        )
        spectrum = np.fft.rfft(cut * _WINDOW)[:, LOW:HIGH]
        power: Power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
        return power

    def frames(self, power: Power) -> list[Frame]:
        """What :meth:`power` gave, which is used up."""
        total, v21 = power.sum(axis=1).tolist(), power[:, _V21].sum(axis=1).tolist()
        self._floor.take_off(power)
        clear = power.sum(axis=1).tolist()
        strongest, second = self._strongest(power), self._strongest(power)
        first, self._next = self._next, self._next + len(power)
        known = (self._next + LAG) * SECONDS_A_FRAME
        frames = []
        for n, ((hz, line), (second_hz, second_line)) in enumerate(zip(strongest, second, strict=True)):
            whole, out = total[n] + _FLOOR, clear[n] + _FLOOR
            frames.append(
                Frame(
                    first + n, known, _dbfs(whole), _dbfs(out), hz, line / out, second_hz, second_line / out,
                    v21_share=v21[n] / whole,
                )
            )  # fmt: skip
        return frames

    @staticmethod
    def _strongest(power: npt.NDArray[np.float32]) -> list[tuple[float, float]]:
        """Hertz and power of the strongest line of each row, which is then taken out of ``power``."""
        peaks = power.argmax(axis=1)
        peaks = np.minimum(np.maximum(peaks, 2), power.shape[1] - 3)
        where = (_INDEX[: len(power)], peaks[:, None] + _LOBE)
        lobes = power[where].tolist()
        power[where] = 0
        # From here on there are four numbers of a kind, for which Python is faster than NumPy.
        return [
            ((peak + LOW + _offset(*lobe[1:4])) * HERTZ_A_BIN, sum(lobe))
            for peak, lobe in zip(peaks.tolist(), lobes, strict=True)
        ]


def _dbfs(power: float) -> float:
    return 10 * math.log10(power / FULL_SCALE)


def _offset(left: float, middle: float, right: float) -> float:
    """Bins from the middle to the top of the parabola through the logarithms: within 0.02 for a Hann window."""
    left, middle, right = math.log(left + 1e-3), math.log(middle + 1e-3), math.log(right + 1e-3)
    bend = left - 2 * middle + right
    return max(-1.0, min(1.0, 0.5 * (left - right) / bend)) if bend < 0 else 0.0
