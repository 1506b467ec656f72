"""Refusals counted by kind, so that a million rejected lines are told in a few."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: Kinds that are told apart; the rest is counted as one.
KINDS = 50
_OTHER = "other reasons"


@dataclass(slots=True)
class Refusal:
    """``calls`` that are refused for one ``reason``; ``example`` is the first of their numbers."""

    reason: str
    example: str
    calls: int = 0


@dataclass(slots=True)
class Refusals:
    """Reasons that differ only in digits are one kind."""

    kinds: dict[str, Refusal] = field(default_factory=dict)

    def add(self, example: str, reason: str, calls: int = 1) -> None:
        kind = re.sub(r"\d+", "#", reason)
        if kind not in self.kinds and len(self.kinds) >= KINDS:
            kind, reason = _OTHER, _OTHER
        self.kinds.setdefault(kind, Refusal(reason, example)).calls += calls

    def most_first(self) -> list[Refusal]:
        return sorted(self.kinds.values(), key=lambda one: -one.calls)
