"""Person or machine by lengths of speech and silence: who says little and waits is a person, who talks on a machine.

The rules give log-odds, so that a setting can move the operating point and every moment has its confidence. They
saturate at 92 to 94 %: "Leave a message." and a long business greeting overlap; only a beep or words tell them apart.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.core.model import CalleeType

#: Log-odds for a machine a second of speech beyond the even length.
SLOPE: Final = 2.5
EVEN: Final = 2.0
MOST_FOR_SPEECH: Final = 4.0
#: Log-odds for a person a second of silence after a pause between words (seconds).
SILENCE_SLOPE, PAUSE, MOST_FOR_SILENCE = 2.0, 0.4, 2.5
#: However short the speech, the silence must say as well that it is over: at PAUSE, log-odds of this.
PAUSE_ODDS: Final = 0.6
#: Lengths alone are right no more often than this.
MOST_CONFIDENCE: Final = 0.95
#: Seconds of silence that part utterances; of several, each counts in part ("Hello? … Hello?" is a person).
PARTS: Final = 0.7
REPEATED: Final = 0.6
#: Somebody after a call-screening robot: silence (seconds) before, and at most so much speech, then silence again.
SCREENED_SILENCE, SCREENED_SPEECH, SCREENED_AFTER = 2.5, 1.3, 0.8
SCREENED_CONFIDENCE: Final = 0.8


Spurt = tuple[float, float]
#: Spurts that are kept: more than a greeting has.
KEPT: Final = 40


@dataclass(frozen=True, slots=True)
class Opinion:
    """``confidence`` is 0.5 to 1."""

    callee_type: CalleeType
    confidence: float
    reason: str


class Greeting:
    """The speech since the answer, as spurts of (start, end) in seconds."""

    def __init__(self, bias: float) -> None:
        self._bias = bias
        self._spurts: deque[Spurt] = deque(maxlen=KEPT)

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

    def opinion(self, at: float, present: Spurt | None) -> Opinion | None:
        """What the lengths say at ``at``; None before any speech, and while a short utterance goes on.

        ``present`` is the spurt that is not over.
        """
        utterances = self._utterances(present)
        if not utterances:
            return None
        lengths = [end - start for start, end in utterances]
        length = max(max(lengths), REPEATED * sum(lengths))
        if present is not None:
            odds = SLOPE * (length - EVEN) + self._bias
            return None if odds <= 0 else _opinion(min(odds, MOST_FOR_SPEECH), f"{length:.1f} s of speech")
        silence = at - utterances[-1][1]
        if silence < PAUSE:
            return None
        waited = SILENCE_SLOPE * (silence - PAUSE)
        odds = min(SLOPE * (length - EVEN), MOST_FOR_SPEECH) + self._bias - min(waited, MOST_FOR_SILENCE)
        odds = max(odds, -(PAUSE_ODDS + waited))
        return _opinion(odds, f"{length:.1f} s of speech, {silence:.1f} s of silence")

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
        return Opinion(CalleeType.VOICE, SCREENED_CONFIDENCE, "short speech after a robot and a silence")

    def _utterances(self, present: Spurt | None) -> list[Spurt]:
        """Spurts joined over pauses of less than PARTS."""
        found: list[Spurt] = []
        for start, end in self._spurts if present is None else (*self._spurts, present):
            if found and start - found[-1][1] < PARTS:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found


def _opinion(odds: float, reason: str) -> Opinion:
    confidence = min(MOST_CONFIDENCE, 1 / (1 + math.exp(-abs(odds))))
    return Opinion(CalleeType.ANSWERINGMACHINE if odds > 0 else CalleeType.VOICE, confidence, reason)
