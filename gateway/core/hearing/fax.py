"""Fax and modem signals, known before half a second of them is over: CED, ANSam, CNG, the V.21 preamble."""

from __future__ import annotations

import cmath
import math
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing import runs
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.spectrum import HOP, RATE, SECONDS_A_FRAME, Frame

#: ITU-T T.30 §4: CED 2100 ±15 Hz of 2.6 to 4 s, CNG 1100 ±38 Hz of 0.425 to 0.575 s every 3 s.
CED_HZ, CED_STRAY = 2100.0, 22.0
CNG_HZ, CNG_STRAY = 1100.0, 38.0
#: Seconds of the tone after which it is told. A shorter 2100 Hz is a beep.
SOON: Final = 0.34
CNG_LENGTH: Final = (0.40, 0.60)
CNG_QUIET: Final = 1.0  # seconds without a tone before it: music has such notes too
CNG_PERIOD: Final = (3.0, 4.1)
#: ITU-T V.8: ANSam swings by a fifth at 15 Hz; the frame's window halves that.
AM_HZ, AM_DEPTH = 15.0, 0.05

#: T.30's preamble is one second of flags 01111110 at 300 bit/s on V.21 channel 2: 1 is 1650 Hz, 0 is 1850 Hz.
V21_CENTRE, V21_BITS = 1750.0, 300.0
FLAG: Final = 8 / V21_BITS * RATE  # samples of one flag: 213.3
V21_SHARE: Final = 0.8  # of a frame's power, in 1500 to 2000 Hz
V21_SAMPLES: Final = 4 * HOP  # so many are taken at once,
V21_BATCHES: Final = 3  # and so many of these (0.24 s, nine flags) looked at together
V21_ALIKE: Final = 0.75  # the correlation of one flag with the next


class AnswerTones:
    """CED, ANSam and CNG out of the tone that sounds."""

    def __init__(self) -> None:
        self._told: runs.Run | None = None
        self._quiet_since = -CNG_QUIET

    def push(self, frame: Frame, ended: runs.Tone | None, sounding: runs.Run | None) -> Evidence | None:
        if ended is not None:
            self._quiet_since = ended.end
        if (
            sounding is None
            or not sounding.steady
            or sounding is self._told
            or sounding.seconds < SOON
            or len(sounding.hz) != 1
        ):
            return None
        self._told = sounding
        hz = sounding.hz[0]
        if abs(hz - CED_HZ) <= CED_STRAY:
            sound = Sound.ANSAM if _swing(sounding.levels) >= AM_DEPTH else Sound.CED
        elif abs(hz - CNG_HZ) <= CNG_STRAY and sounding.start - self._quiet_since >= CNG_QUIET:
            sound = Sound.CNG
        else:
            return None
        return Evidence(sound, sounding.start, frame.at, frame.known, (hz,))


def _swing(levels: list[float]) -> float:
    """The depth of the amplitude modulation at 15 Hz, 0 to 1, of levels in dB one a frame."""
    amplitudes = [10 ** (level / 20) for level in levels[2:]]  # the first frames are half filled
    mean = sum(amplitudes) / len(amplitudes)
    turn = -2j * math.pi * AM_HZ * SECONDS_A_FRAME
    total = sum((one - mean) * cmath.exp(turn * n) for n, one in enumerate(amplitudes))
    return 2 * abs(total) / len(amplitudes) / mean


class V21:
    """The preamble out of the samples, looked at only while their power lies in V.21's band."""

    def __init__(self) -> None:
        self._batches: deque[npt.NDArray[np.int16]] = deque(maxlen=V21_BATCHES)
        self._given: list[npt.NDArray[np.int16]] = []  # not yet a batch
        self._since: float | None = None
        self._told = False

    def push(self, samples: npt.NDArray[np.int16], frames: list[Frame]) -> Evidence | None:
        self._given.append(samples)
        if sum(map(len, self._given)) < V21_SAMPLES:
            return None
        batch = np.concatenate(self._given)
        self._given.clear()
        # A batch's frames have their middles half a window before its end: the last of them is inside it.
        if frames[-1].v21_share < V21_SHARE or frames[-1].level < runs.FAINTEST:
            self._batches.clear()
            self._since, self._told = None, False
            return None
        self._since = frames[-1].at if self._since is None else self._since
        self._batches.append(batch)
        if self._told or len(self._batches) < V21_BATCHES:
            return None
        if not _flags(np.concatenate(self._batches).astype(np.float64)):
            return None
        self._told = True
        return Evidence(Sound.V21, self._since, frames[-1].at, frames[-1].known, (1650.0, 1850.0))


_SHIFT = np.exp(-2j * np.pi * V21_CENTRE / RATE * np.arange(V21_BATCHES * V21_SAMPLES))
_SMOOTH = np.hanning(18)[1:-1] / np.hanning(18)[1:-1].sum()  # 2 ms: less than a bit, more than the image at 3500 Hz


def _flags(samples: npt.NDArray[np.float64]) -> bool:
    """Whether the frequency swings as in 01111110: alike from flag to flag, and low (1650 Hz) for most of each."""
    analytic = np.convolve(samples * _SHIFT, _SMOOTH, mode="valid")
    hertz = np.angle(analytic[1:] * np.conj(analytic[:-1])) * RATE / (2 * np.pi)
    swing = hertz - hertz.mean()
    one, two = math.floor(FLAG), math.floor(2 * FLAG)
    power = float(swing @ swing) / len(swing)
    if power < 40.0**2:
        return False
    alike = min(float(swing[:-lag] @ swing[lag:]) / (len(swing) - lag) / power for lag in (one, two))
    high = float((hertz > 0).mean())
    return alike >= V21_ALIKE and 0.12 <= high <= 0.4
