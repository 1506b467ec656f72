"""The operating curve: what other settings would have brought, from log-odds by trees that did not hear the speaker."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.core.hearing import Settings
from gateway.core.hearing.classifier import LIKELY
from gateway.core.hearing.features import NAMES
from gateway.core.hearing.greeting import SOONEST
from gateway.core.model import CalleeType
from training.fit import Examples
from training.greeting import Heard

PERSON, MACHINE = CalleeType.VOICE, CalleeType.ANSWERINGMACHINE
#: The confidences whose curve is printed.
DEADLINES = (4.5, 7.0, 12.0)
PERSONS, MACHINES = (0.73, 0.8, 0.85, 0.88, 0.9, 0.92, 0.95), (0.9, 0.95, 0.97, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class Judged:
    """``first`` and ``last`` verdict of a call; ``at`` is when the first was known, in seconds after the answer."""

    call: Heard
    first: CalleeType | None
    last: CalleeType | None
    at: float


def judged(call: Heard, odds: npt.NDArray[np.float64], settings: Settings) -> Judged:
    """What :class:`gateway.core.hearing.Classifier` makes of these log-odds, but for what it screens."""
    odds = odds + settings.bias
    silence, known = call.asked[:, NAMES.index("silence")], call.known
    waits = silence >= SOONEST
    late = known > settings.deadline
    pressed = late & (odds >= _odds(LIKELY))
    person, machine = (odds <= -_odds(settings.sure_of_person)) & waits, odds >= _odds(settings.sure_of_machine)
    hits = np.flatnonzero(person | machine | late | (silence > settings.patience))
    now: CalleeType | None = None
    at = math.inf
    if len(hits):
        at = float(known[hits[0]])
        now = MACHINE if machine[hits[0]] or pressed[hits[0]] else PERSON
    first, told = now, call.told
    if told is not None and told.at <= at:
        first, at = told.callee_type, told.at
    for n in range(hits[0] + 1 if len(hits) else 0, len(odds)):
        if now is PERSON and machine[n]:
            now = MACHINE
        elif now is MACHINE and person[n]:
            now = PERSON
    if told is not None and (told.confidence > 0.6 or now is None):
        now = told.callee_type
    return Judged(call, first, now, at)


def _odds(confidence: float) -> float:
    return math.log(confidence / (1 - confidence))


def wrong(calls: Sequence[Judged], callee: CalleeType, *, last: bool = False) -> float:
    of = [one for one in calls if one.call.callee is callee]
    return sum((one.last if last else one.first) is not callee for one in of) / max(len(of), 1)


def line(calls: Sequence[Judged]) -> str:
    first = [wrong(calls, callee) for callee in (PERSON, MACHINE)]
    last = [wrong(calls, callee, last=True) for callee in (PERSON, MACHINE)]
    times = [one.at for one in calls if one.call.callee is PERSON and one.first is PERSON] or [math.nan]
    median, most = np.percentile(times, (50, 95))
    return (
        f"first: people {first[0]:.3f} machines {first[1]:.3f} wrong, balanced {1 - sum(first) / 2:.3f}; "
        f"last: {last[0]:.3f} {last[1]:.3f}, {1 - sum(last) / 2:.3f}; a person in {median:.2f} s, p95 {most:.2f} s"
    )


def shown(calls: Sequence[Heard], examples: Examples, odds: npt.NDArray[np.float64]) -> str:
    """The curve as text."""
    edges = np.searchsorted(examples.clip, np.arange(len(calls) + 1))
    paths = [odds[start:end] for start, end in itertools.pairwise(edges)]

    def all_judged(settings: Settings) -> list[Judged]:
        return [judged(call, path, settings) for call, path in zip(calls, paths, strict=True)]

    usual = Settings()
    found = [f"as set        {line(all_judged(usual))}"]
    found += [f"person {sure:.2f}   {line(all_judged(Settings(sure_of_person=sure)))}" for sure in PERSONS]
    found += [f"deadline {late:.1f}  {line(all_judged(Settings(deadline=late)))}" for late in DEADLINES]
    found += [f"machine {sure:.2f}  {line(all_judged(Settings(sure_of_machine=sure)))}" for sure in MACHINES]
    found += [f"bias {bias:+.0f}       {line(all_judged(Settings(bias=bias)))}" for bias in (-2, -1, 1, 2)]
    for kind in sorted({one.call.kind for one in all_judged(usual)}):
        found.append(f"{kind:<24} {line([one for one in all_judged(usual) if one.call.kind == kind])}")
    return "\n".join(found)
