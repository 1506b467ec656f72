"""Person or machine by lengths of speech and silence: who says little and waits is a person, who talks on a machine.

The rules give log-odds, so that a setting can move the operating point and every moment has its confidence. They
saturate at 92 to 94 %: "Leave a message." and a long business greeting overlap; only a beep or words tell them apart.
"""

from __future__ import annotations

import math
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
SCREENED_CONFIDENCE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Opinion:
    """``confidence`` is 0.5 to 1."""

    callee_type: CalleeType
    confidence: float
    reason: str


class Greeting:
    """The speech since the answer. Utterances are (start, end) in seconds; the last one may still go on."""

    def __init__(self, bias: float) -> None:
        self._bias = bias
        self._utterances: list[tuple[float, float]] = []

    @property
    def heard(self) -> bool:
        return bool(self._utterances)

    def speech(self, start: float, end: float) -> None:
        """A spurt is heard from ``start`` to ``end`` so far; the same start again prolongs it."""
        if self._utterances and start - self._utterances[-1][1] < PARTS:
            self._utterances[-1] = (self._utterances[-1][0], max(end, self._utterances[-1][1]))
        else:
            self._utterances.append((start, end))

    def restart(self) -> None:
        """It rang again after the answer: who spoke before was not the one who answers."""
        self._utterances.clear()

    def opinion(self, at: float, *, speaking: bool) -> Opinion | None:
        """What the lengths say at ``at``; None before any speech, and while a short utterance goes on."""
        if not self._utterances:
            return None
        lengths = [end - start for start, end in self._utterances]
        length = max(max(lengths), REPEATED * sum(lengths))
        if speaking:
            odds = SLOPE * (length - EVEN) + self._bias
            return None if odds <= 0 else _opinion(min(odds, MOST_FOR_SPEECH), f"{length:.1f} s of speech")
        silence = at - self._utterances[-1][1]
        if silence < PAUSE:
            return None
        waited = SILENCE_SLOPE * (silence - PAUSE)
        odds = min(SLOPE * (length - EVEN), MOST_FOR_SPEECH) + self._bias - min(waited, MOST_FOR_SILENCE)
        odds = max(odds, -(PAUSE_ODDS + waited))
        return _opinion(odds, f"{length:.1f} s of speech, {silence:.1f} s of silence")

    def screened(self, at: float, *, speaking: bool) -> Opinion | None:
        """A person who came to the telephone after a robot had spoken."""
        if len(self._utterances) < 2 or speaking:
            return None
        (_, before), (start, end) = self._utterances[-2:]
        if start - before < SCREENED_SILENCE or end - start > SCREENED_SPEECH or at - end < SCREENED_AFTER:
            return None
        return Opinion(CalleeType.VOICE, SCREENED_CONFIDENCE, "short speech after a robot and a silence")


def _opinion(odds: float, reason: str) -> Opinion:
    confidence = min(MOST_CONFIDENCE, 1 / (1 + math.exp(-abs(odds))))
    return Opinion(CalleeType.ANSWERINGMACHINE if odds > 0 else CalleeType.VOICE, confidence, reason)
