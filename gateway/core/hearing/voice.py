"""Frames in which somebody speaks, to spurts of speech: AMD()'s threshold is absolute, and hears nobody in noise."""

from __future__ import annotations

from typing import Final

from gateway.core.hearing import runs
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.spectrum import SECONDS_A_FRAME, Frame

#: Log-odds at which speech begins, and under which it is over.
BEGINS, ENDS = 1.0, -1.5
#: So soon (seconds) after a tone, whose level is still taken for the line's, speech begins at this.
AFTER_TONE, BEGINS_AFTER_TONE = 0.6, 3.0
#: dBFS under which nothing is a voice.
FAINTEST: Final = -55.0
#: Frames that a pause inside a spurt may last (0.3 s), and the voiced frames that make one (0.1 s).
PAUSE, FEWEST = 15, 5


class Voice:
    """Takes every frame. ``since`` is when the present spurt of speech began, None in silence."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.last = 0.0  # the last voiced moment
        self._voiced = 0  # frames of the present spurt
        self._speaks = False
        self._tonal = False
        self._tone_until = -AFTER_TONE

    @property
    def present(self) -> tuple[float, float] | None:
        """Start and end so far of the spurt that is not over."""
        return None if self.since is None else (max(self.since, 0.0), self.last)

    def push(self, frame: Frame, odds: float, *, tonal: bool) -> Evidence | None:
        """The spurt of speech that this frame shows to have ended. A tone is no voice."""
        if tonal and not self._tonal:
            self._take_back(runs.STEADY_AFTER)  # the frames in which it was not known yet were no voice's
        self._tonal = tonal
        if tonal:
            self._tone_until = frame.at
        begins = BEGINS if frame.at - self._tone_until > AFTER_TONE else BEGINS_AFTER_TONE
        self._speaks = not tonal and frame.level > FAINTEST and odds > (ENDS if self._speaks else begins)
        if self._speaks:
            if self.since is None:
                self.since = frame.at - SECONDS_A_FRAME / 2
            self._voiced += 1
            self.last = frame.at + SECONDS_A_FRAME / 2
            return None
        if tonal and self._voiced < FEWEST:
            self._drop()
        return self.flush(frame.known) if frame.at - self.last >= PAUSE * SECONDS_A_FRAME else None

    def flush(self, at: float) -> Evidence | None:
        """The spurt that a pause, or the stream's end, ends."""
        since, voiced = self.since, self._voiced
        self._drop()
        return None if since is None or voiced < FEWEST else Evidence(Sound.SPEECH, max(since, 0.0), self.last, at)

    def _drop(self) -> None:
        self.since = None
        self._voiced = 0

    def _take_back(self, frames: int) -> None:
        """The last frames were no voice's."""
        taken = min(frames, self._voiced)
        self._voiced -= taken
        self.last -= taken * SECONDS_A_FRAME
        if self._voiced < FEWEST:
            self._drop()
