"""What a detector made of one clip, and how many of them were wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.corpus import Clip
from gateway.core import scoring
from gateway.core.model import CalleeType
from gateway.core.scoring import Errors

#: A beep is found where a sound told as one ends as near to it as this, in seconds.
NEAR = 0.1


@dataclass(frozen=True, slots=True)
class Judged:
    """``first`` is what a session would begin with, told ``at`` seconds after the answer; ``last`` what it became.

    ``beeps`` are (start, end, told) in seconds; ``tones`` other tones that were told. ``cpu`` is in seconds.
    The clip's audio is left out.
    """

    clip: Clip
    seconds: float
    first: CalleeType | None
    at: float | None
    last: CalleeType | None
    confidence: float
    reason: str
    beeps: tuple[tuple[float, float, float], ...] = ()
    tones: tuple[str, ...] = ()
    cpu: float = 0.0

    @property
    def right(self) -> bool:
        return self.first is self.clip.callee


def errors(judged: Iterable[Judged], *, last: bool = False) -> Errors:
    return scoring.errors((one.clip.callee, one.last if last else one.first) for one in judged)


def times(
    judged: Iterable[Judged], callee: CalleeType, since: Callable[[Clip], float | None] | None = None
) -> list[float]:
    """Seconds of right verdicts after the answer, or after what ``since`` says; sorted."""
    found = []
    for one in judged:
        if one.clip.callee is callee and one.at is not None and one.right:
            start = 0.0 if since is None else since(one.clip)
            if start is not None:
                found.append(one.at - start)
    return sorted(found)


def first_word(clip: Clip) -> float | None:
    """When the callee's first words end."""
    return clip.speech[0][1] if clip.speech else None


def share(ordered: Sequence[float], part: float) -> float:
    """The ``part`` quantile."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


@dataclass(frozen=True, slots=True)
class Beeps:
    """``late`` are the seconds from a beep's end to its telling, of those found; ``false`` ones were none.

    Of several so close that they are told as one all are found, and the last one's telling counts.
    """

    made: int
    found: int
    late: list[float]
    missed: list[str]
    false_people: list[str]
    false_machines: list[str]


def beeps(judged: Iterable[Judged]) -> Beeps:
    made = found = 0
    late: list[float] = []
    missed: list[str] = []
    people: list[str] = []
    machines: list[str] = []
    for one in judged:
        left = list(one.beeps)
        for end in one.clip.beeps:
            made += 1
            near = min(left, key=lambda told: abs(told[1] - end), default=None)
            if near is not None and abs(near[1] - end) < NEAR:
                left.remove(near)
                late.append(near[2] - end)
                found += 1
            elif any(start < end < last for start, last, _ in one.beeps):
                found += 1
            else:
                missed.append(one.clip.beep or "")
        (people if one.clip.callee is CalleeType.VOICE else machines).extend(one.clip.name for _ in left)
    return Beeps(made, found, sorted(late), missed, people, machines)
