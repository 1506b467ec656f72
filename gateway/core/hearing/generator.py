"""Whether a tone is a generator's, as a beep is, and no voice's or instrument's: the shorter, the more is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.core.hearing.runs import Tone


@dataclass(frozen=True, slots=True)
class Demand:
    """A tone of at least ``seconds`` and ``hz`` is a generator's that keeps to all the rest.

    ``alone`` is how far (dB) it stands above what is heard right before and after it, over the line's noise; ``sway``
    (dB), ``drift`` (Hz), ``share`` and ``filled`` as in :class:`gateway.core.hearing.runs.Tone`.
    """

    seconds: float
    hz: float
    alone: float
    sway: float
    drift: float
    share: float
    filled: float = 0.76

    def met(self, tone: Tone, alone: float) -> bool:
        drift = tone.drift / 2 if _pull(tone) else tone.drift
        return (
            tone.seconds >= self.seconds
            and tone.hz[0] >= self.hz
            and alone >= self.alone
            and tone.sway <= self.sway
            and drift <= self.drift
            and tone.share >= self.share
            and tone.filled >= self.filled
        )


#: Fitted on the corpus's train fold, so that hardly a voice or a note met one. Under 660 Hz lie the fundamentals and
#: first formants of voices; from 1000 Hz on a voice holds no pitch alone, and GSM makes any tone warble.
DEMANDS: Final = (
    Demand(0.075, 0, 18, sway=0.5, drift=0.7, share=0.97),
    Demand(0.115, 0, 18, sway=5.5, drift=0.6, share=0.97),  # a lost packet in a short beep is a hole in its level
    Demand(0.115, 0, 15, sway=0.5, drift=1.2, share=0.95),
    Demand(0.115, 660, 15, sway=1.2, drift=1.5, share=0.95),
    Demand(0.115, 1000, 9, sway=2.0, drift=4.0, share=0.9),
    Demand(0.19, 0, 18, sway=1.5, drift=3.0, share=0.85),
    Demand(0.19, 660, 18, sway=5.5, drift=8.0, share=0.85),
    Demand(0.19, 0, 9, sway=0.6, drift=1.0, share=0.9),
    Demand(0.19, 660, 9, sway=1.8, drift=3.0, share=0.85),
    Demand(0.28, 1000, 12, sway=5.5, drift=10.5, share=0.84, filled=0.5),
    Demand(0.3, 0, 12, sway=1.0, drift=1.2, share=0.94),
    Demand(0.3, 1000, 5, sway=1.5, drift=3.5, share=0.85),
    Demand(0.3, 660, 3, sway=1.0, drift=1.3, share=0.75),
    Demand(0.4, 0, 9, sway=1.7, drift=1.6, share=0.83),
    Demand(0.4, 660, 9, sway=1.7, drift=3.0, share=0.83),
)
#: Hz between two lines under which they pull at each other's pitch.
PULL: Final = 150.0


def is_generators(tone: Tone, alone: float) -> bool:
    return any(demand.met(tone, alone) for demand in DEMANDS)


def _pull(tone: Tone) -> bool:
    return len(tone.hz) == 2 and tone.hz[1] - tone.hz[0] < PULL
