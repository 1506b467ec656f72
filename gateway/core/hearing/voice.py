"""Voice activity over a noise floor that follows the line: AMD()'s is absolute, and hears nobody in noise."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from gateway.core.hearing import runs
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.spectrum import SECONDS_A_FRAME, Frame

#: dB above the floor that are voice, and the dBFS under which nothing is.
ABOVE: Final = 7.0
FAINTEST: Final = -50.0
#: The floor is the lowest level of so many blocks of so many frames (2 s).
BLOCKS, BLOCK = 5, 20
#: A level that stays within so many dB for one block, with so little of its power in one line, is noise however loud.
EVEN, NOISE_SHARE = 4.0, 0.2
#: Frames that a pause inside a spurt may last (0.3 s), and the voiced frames that make one (0.1 s).
PAUSE, FEWEST = 15, 5
#: Frames of a spurt that are kept (2 s): a longer one is not asked whether it is noise.
KEPT: Final = 100


class Voice:
    """Takes every frame. ``since`` is when the present spurt of speech began, None in silence."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.last = 0.0  # the last voiced moment
        self._recent: deque[tuple[float, float]] = deque(maxlen=BLOCK)
        self._blocks: deque[float] = deque((FAINTEST - ABOVE,), maxlen=BLOCKS)
        self._lowest = 0.0
        self._tonal = False
        self._frames = 0
        #: Level and strongest line's share of the present spurt's last voiced frames.
        self._spurt: deque[tuple[float, float]] = deque(maxlen=KEPT)

    @property
    def present(self) -> tuple[float, float] | None:
        """Start and end so far of the spurt that is not over: a voice's, or a noise's that is not yet known as such."""
        return None if self.since is None else (max(self.since, 0.0), self.last)

    @property
    def floor(self) -> float:
        """dBFS of the noise."""
        return min(*self._blocks, self._lowest)

    def push(self, frame: Frame, *, tonal: bool) -> Evidence | None:
        """The spurt of speech that this frame shows to have ended. A tone is no voice."""
        if tonal and not self._tonal:
            self._take_back(runs.STEADY_AFTER)  # the frames in which it was not known yet were no voice's
        self._tonal = tonal
        if tonal:
            self._follow(frame.level + 10 * math.log10(max(1 - frame.share - frame.second_share, 1e-4)), 0.0)
            if len(self._spurt) < FEWEST:
                self._drop()
        else:
            self._follow(frame.level, frame.share)
            if frame.level > max(self.floor + ABOVE, FAINTEST):
                if self.since is None:
                    self.since = frame.at
                self._spurt.append((frame.level, frame.share))
                self.last = frame.at + SECONDS_A_FRAME / 2
                return None
        return self.flush(frame.known) if frame.at - self.last >= PAUSE * SECONDS_A_FRAME else None

    def flush(self, at: float) -> Evidence | None:
        """The spurt that a pause, or the stream's end, ends."""
        since, spurt = self.since, list(self._spurt)
        self._drop()
        if since is None or len(spurt) < FEWEST or (len(spurt) < KEPT and _noise(_inner(spurt))):
            return None
        return Evidence(Sound.SPEECH, max(since, 0.0), self.last, at)

    def _drop(self) -> None:
        self.since = None
        self._spurt.clear()

    def _take_back(self, frames: int) -> None:
        """The last frames were no voice's."""
        for _ in range(min(frames, len(self._spurt))):
            self._spurt.pop()
            self.last -= SECONDS_A_FRAME
        if len(self._spurt) < FEWEST:
            self._drop()

    def _follow(self, level: float, share: float) -> None:
        """The floor falls at once, and rises when the lowest level has left the blocks or the level stays even."""
        self._recent.append((level, share))
        self._lowest = min(self._lowest, level)
        self._frames += 1
        if self._frames % BLOCK == 0:
            self._blocks.append(self._lowest)
            self._lowest = level
        if len(self._recent) == BLOCK and level > self.floor + ABOVE:
            lowest = min(self._recent)[0]
            if _noise(self._recent):
                self._blocks.clear()
                self._blocks.append(lowest)
                self._lowest = lowest
                self._take_back(BLOCK)  # it was this noise that went on, or began, and no voice


def _noise(stretch: Iterable[tuple[float, float]]) -> bool:
    """Whether levels and strongest lines' shares are a noise's: an even level, and no line in it."""
    levels, shares = zip(*stretch, strict=True)
    return bool(max(levels) - min(levels) <= EVEN) and sum(shares) < NOISE_SHARE * len(shares)


def _inner(spurt: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without its half-filled ends."""
    return spurt[2:-2] if len(spurt) > 2 * FEWEST else spurt[1:-1]
