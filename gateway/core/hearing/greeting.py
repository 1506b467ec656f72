"""Person or machine by the greeting: who says little and waits is a person, who talks on a machine.

What was said is weighed by the model again with every moment that passes, so that its confidence grows with time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.core.hearing.features import PARTS, Spurt, features, melody
from gateway.core.hearing.model import Weigher
from gateway.core.hearing.prosody import Prosody
from gateway.core.model import CalleeType

#: Speech and silence alone are right no more often than this.
MOST_CONFIDENCE: Final = 0.97
#: Seconds of silence before which nobody is said to wait.
SOONEST: Final = 0.14
#: Seconds by which speech must have grown to be weighed anew, and of silence after which nothing more is known.
GROWN, LONGEST = 0.15, 3.5
#: Somebody after a call-screening robot: silence (seconds) before, and at most so much speech, then silence again.
SCREENED_SILENCE, SCREENED_SPEECH, SCREENED_AFTER = 2.5, 1.3, 0.8
SCREENED_CONFIDENCE: Final = 0.8
#: Spurts that are kept: more than a greeting has.
KEPT: Final = 40


@dataclass(frozen=True, slots=True)
class Opinion:
    """``confidence`` is 0.5 to 1. ``why`` costs as much as the opinion did, and most are never told."""

    callee_type: CalleeType
    confidence: float
    why: Callable[[], str]


class Greeting:
    """The speech since the answer, as spurts of (start, end) in seconds."""

    def __init__(self, model: Weigher, bias: float) -> None:
        self._model = model
        self._bias = bias
        self._spurts: deque[Spurt] = deque(maxlen=KEPT)
        self._melody: tuple[Spurt, list[float]] | None = None  # of the speech up to that spurt

    @property
    def heard(self) -> bool:
        return bool(self._spurts)

    def heard_before(self, at: float) -> bool:
        """Whether somebody had spoken, and ended, by then."""
        return any(end <= at for _, end in self._spurts)

    def add(self, spurt: Spurt) -> None:
        """A spurt is over."""
        self._spurts.append(spurt)

    def restart(self) -> None:
        """It rang again after the answer: who spoke before was not the one who answers."""
        self._spurts.clear()

    def opinion(self, at: float, present: Spurt | None, prosody: Prosody, *, pressed: bool) -> Opinion | None:
        """What the model says at ``at``; None before any speech, and while a short utterance goes on.

        ``present`` is the spurt that is not over. Where the answer is ``pressed`` for, the utterance may go on.
        """
        spurts = list(self._spurts) if present is None else [*self._spurts, present]
        if not spurts:
            return None
        waited = at - spurts[-1][1]
        if waited < SOONEST and self._melody is not None and 0 <= spurts[-1][1] - self._melody[0][1] < GROWN:
            return None
        if waited > LONGEST:
            return None
        if self._melody is None or self._melody[0] != spurts[-1]:
            self._melody = spurts[-1], melody(spurts, prosody)
        heard = features(at, spurts, self._melody[1])
        odds = self._model.odds(heard) + self._bias
        if odds <= 0 and waited < SOONEST and not pressed:
            return None
        callee = CalleeType.ANSWERINGMACHINE if odds > 0 else CalleeType.VOICE
        confidence = min(MOST_CONFIDENCE, 1 / (1 + math.exp(-abs(odds))))
        return Opinion(callee, confidence, lambda: self._model.reason(heard))

    def screened(self, at: float) -> Opinion | None:
        """A person who came to the telephone after a robot had spoken: only their words count from then on."""
        utterances = self._utterances(None)
        if len(utterances) < 2:
            return None
        (_, before), (start, end) = utterances[-2:]
        if start - before < SCREENED_SILENCE or end - start > SCREENED_SPEECH or at - end < SCREENED_AFTER:
            return None
        self._spurts.clear()
        self._spurts.append((start, end))
        return Opinion(CalleeType.VOICE, SCREENED_CONFIDENCE, lambda: "short speech after a robot and a silence")

    def _utterances(self, present: Spurt | None) -> list[Spurt]:
        """Spurts joined over pauses of less than PARTS."""
        found: list[Spurt] = []
        for start, end in self._spurts if present is None else (*self._spurts, present):
            if found and start - found[-1][1] < PARTS:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found
