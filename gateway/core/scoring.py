"""How often a classifier was wrong: people and machines apart, because a wrong call to a person is the worse one."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.core.model import CalleeType


@dataclass(frozen=True, slots=True)
class Errors:
    """People and machines that were judged otherwise, of how many."""

    people: int
    of_people: int
    machines: int
    of_machines: int

    @property
    def person(self) -> float:
        return self.people / self.of_people if self.of_people else 0.0

    @property
    def machine(self) -> float:
        return self.machines / self.of_machines if self.of_machines else 0.0

    @property
    def balanced(self) -> float:
        """Balanced accuracy; of the one kind where there is no other."""
        rates = [rate for rate, of in ((self.person, self.of_people), (self.machine, self.of_machines)) if of]
        return 1 - statistics.mean(rates) if rates else 0.0


def errors(judged: Iterable[tuple[CalleeType, CalleeType | None]]) -> Errors:
    """Of pairs of what a callee is and what it was taken for; other callees than people and machines are left out."""
    count = {callee: [0, 0] for callee in (CalleeType.VOICE, CalleeType.ANSWERINGMACHINE)}
    for callee, taken_for in judged:
        if (row := count.get(callee)) is not None:
            row[0] += taken_for is not callee
            row[1] += 1
    return Errors(*count[CalleeType.VOICE], *count[CalleeType.ANSWERINGMACHINE])
