"""Voice activity over a noise floor that follows the line: AMD()'s is absolute, and hears nobody in noise."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from gateway.core.hearing import runs
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.spectrum import SECONDS_A_FRAME, Frame

#: dB above the floor that are voice, and the dBFS under which nothing is.
ABOVE: Final = 7.0
FAINTEST: Final = -50.0
#: The floor is the lowest level of so many blocks of so many frames (2 s).
BLOCKS, BLOCK = 5, 20
#: A level that stays within so many dB for one block is noise, however loud: no voice is that even.
EVEN: Final = 4.0
#: Frames that a pause inside a spurt may last (0.3 s), and the voiced frames that make one (0.1 s).
PAUSE, FEWEST = 15, 5


class Voice:
    """Takes every frame. ``since`` is when the present spurt of speech began, None in silence."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.last = 0.0  # the last voiced moment
        self._recent: deque[float] = deque(maxlen=BLOCK)
        self._blocks: deque[float] = deque((FAINTEST - ABOVE,), maxlen=BLOCKS)
        self._lowest = 0.0
        self._tonal = False
        self._frames = 0
        self._levels: list[float] = []  # of the present spurt's voiced frames

    @property
    def floor(self) -> float:
        """dBFS of the noise."""
        return min(*self._blocks, self._lowest)

    def push(self, frame: Frame, *, tonal: bool) -> Evidence | None:
        """The spurt of speech that this frame shows to have ended. A tone is no voice."""
        if tonal and not self._tonal:
            # The frames in which the tone was not known yet were none of a voice's.
            self.last -= len(self._levels[-runs.FEWEST :]) * SECONDS_A_FRAME
            del self._levels[-runs.FEWEST :]
        self._tonal = tonal
        if tonal:
            self._follow(frame.level + 10 * math.log10(max(1 - frame.share - frame.second_share, 1e-4)))
            if len(self._levels) < FEWEST:
                self.since, self._levels = None, []
        else:
            self._follow(frame.level)
            if frame.level > max(self.floor + ABOVE, FAINTEST):
                if self.since is None:
                    self.since, self._levels = frame.at, []
                self._levels.append(frame.level)
                self.last = frame.at + SECONDS_A_FRAME / 2
                return None
        return self.flush(frame.known) if frame.at - self.last >= PAUSE * SECONDS_A_FRAME else None

    def flush(self, at: float) -> Evidence | None:
        """The spurt that a pause, or the stream's end, ends."""
        since, levels = self.since, self._levels
        self.since, self._levels = None, []
        if since is None or len(levels) < FEWEST or _even(levels):
            return None
        return Evidence(Sound.SPEECH, max(since, 0.0), self.last, at)

    def _follow(self, level: float) -> None:
        """The floor falls at once, and rises when the lowest level has left the blocks or the level stays even."""
        self._recent.append(level)
        self._lowest = min(self._lowest, level)
        self._frames += 1
        if self._frames % BLOCK == 0:
            self._blocks.append(self._lowest)
            self._lowest = level
        if len(self._recent) == BLOCK and level > self.floor + ABOVE:
            lowest = min(self._recent)
            if max(self._recent) - lowest <= EVEN:
                self._blocks.clear()
                self._blocks.append(lowest)
                self._lowest = lowest
                if len(self._levels) <= BLOCK + 5:  # it was this noise, not a voice, that began the spurt
                    self.since, self._levels = None, []


def _even(levels: list[float]) -> bool:
    """Whether a spurt's level hardly moves, its half-filled ends apart: a burst of noise, no word."""
    core = levels[2:-2] if len(levels) > 2 * FEWEST else levels[1:-1]
    return max(core) - min(core) <= EVEN
