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
    """Takes the power of every frame; ``power`` is what noise has in each bin: nothing, before 3 s have been heard."""

    def __init__(self, bins: int) -> None:
        self.power = np.zeros(bins, np.float32)
        self._looks = np.zeros((LOOKS, bins), np.float32)
        self._place = 0
        self._sum = np.zeros(bins, np.float32)
        self._count = 0

    def push(self, power: npt.NDArray[np.float32]) -> None:
        for row in power:
            self._sum += row
            self._count += 1
            if self._count == BLOCK:
                self._look()

    def _look(self) -> None:
        self._looks[self._place] = self._sum / BLOCK
        self._place = (self._place + 1) % LOOKS
        self.power = RISE * self._looks.min(axis=0)
        self._sum[:] = 0
        self._count = 0
