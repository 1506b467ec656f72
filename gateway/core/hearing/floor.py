"""The line's own noise, bin by bin: what is heard when nothing else is. Without it a tone in noise is pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

#: Hops whose mean is one look at the noise, and looks among which the quietest is sought: 3 s, longer than a beep.
BLOCK, LOOKS = 4, 38
#: How much more power than its quietest look the noise has: its mean, and some for its peaks.
RISE: Final = 8.0


class Floor:
    """Takes the power of every frame. ``power`` is what noise has in each bin: nothing, before 3 s have been heard."""

    def __init__(self, bins: int) -> None:
        self.power = np.zeros(bins, np.float32)
        self._looks = np.zeros((LOOKS, bins), np.float32)
        self._look = 0
        self._frames = 0  # of the present look

    def take_off(self, power: npt.NDArray[np.float32]) -> None:
        """Leave in these frames (frames, bins) what stands out of the noise; at most :data:`BLOCK` at once."""
        left = BLOCK - self._frames
        self._add(power[:left])
        if len(power) > left:
            self._add(power[left:])
        power -= self.power
        np.maximum(power, 0, out=power)

    def _add(self, power: npt.NDArray[np.float32]) -> None:
        self._looks[self._look] += power.sum(axis=0)
        self._frames += len(power)
        if self._frames == BLOCK:
            self.power = self._looks.min(axis=0) * np.float32(RISE / BLOCK)
            self._look, self._frames = (self._look + 1) % LOOKS, 0
            self._looks[self._look] = 0
