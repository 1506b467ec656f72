"""``voxgate classify replay``: recordings and calls judged again, with the settings in use and with others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.adapters.recordings import Recordings
from gateway.adapters.store.heard import AUDIO_FOLDER, heard_calls
from gateway.cli.classify.report import classify
from gateway.core.hearing import Settings
from gateway.core.model import CalleeType
from gateway.core.scoring import Errors, errors


@dataclass(frozen=True, slots=True)
class Sample:
    """Audio that was kept. ``label`` is None where nobody has said who answered."""

    name: str
    file: Path
    answered_at: float
    label: CalleeType | None


@dataclass(frozen=True, slots=True)
class Change:
    """A sample that would be judged otherwise: ``now`` with the settings in use, ``then`` with the others."""

    sample: Sample
    now: CalleeType | None
    then: CalleeType | None


@dataclass(frozen=True, slots=True)
class Replay:
    samples: int
    labelled: int
    now: Errors
    then: Errors
    changes: list[Change]
    skipped: list[str]

    def plain(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "labelled": self.labelled,
            "now": _plain(self.now),
            "then": _plain(self.then),
            "changes": [
                {"name": one.sample.name, "label": one.sample.label, "now": one.now, "then": one.then}
                for one in self.changes
            ],
            "skipped": self.skipped,
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.samples} recordings and calls, {self.labelled} of them labelled"
        yield f"{'':<10}{'people wrong':>16}{'machines wrong':>18}   balanced accuracy"
        for name, found in (("now", self.now), ("then", self.then)):
            people, machines = f"{found.people}/{found.of_people}", f"{found.machines}/{found.of_machines}"
            yield f"{name:<10}{people:>16}{machines:>18}   {found.balanced:.3f}"
        for one in self.changes:
            known = "" if one.sample.label is None else f" (is {one.sample.label})"
            yield f"  {one.sample.name}{known}: {one.now or 'undecided'} would be {one.then or 'undecided'}"
        yield f"{len(self.changes)} would change"
        yield from (f"skipped: {one}" for one in self.skipped)


def samples(folder: Path, database: Path | None) -> Iterator[Sample]:
    """Labelled recordings of ``folder``, then calls of ``database`` whose audio was kept beside it."""
    for one in Recordings(folder).all():
        yield Sample(f"recording {one.ident}", one.file, one.label.answered_at, one.label.callee)
    if database is not None and database.exists():
        for call in heard_calls(database):
            audio = database.parent / AUDIO_FOLDER / call.audio
            yield Sample(f"call {call.call_id}", audio, call.answered_at, call.label)


def replay(kept: Iterable[Sample], now: Settings, then: Settings) -> Replay:
    """Judge each sample twice, by the verdict with which a session would begin."""
    judged: list[Change] = []
    skipped: list[str] = []
    for sample in kept:
        try:
            verdicts = [classify(sample.file, settings, sample.answered_at).first for settings in (now, then)]
        except (OSError, ValueError) as error:
            skipped.append(f"{sample.name}: {error}")
            continue
        taken_for = [None if verdict is None else verdict.callee_type for verdict in verdicts]
        judged.append(Change(sample, *taken_for))
    labelled = [(one.sample.label, one) for one in judged if one.sample.label is not None]
    return Replay(
        samples=len(judged),
        labelled=len(labelled),
        now=errors((label, one.now) for label, one in labelled),
        then=errors((label, one.then) for label, one in labelled),
        changes=[one for one in judged if one.now is not one.then],
        skipped=skipped,
    )


def _plain(found: Errors) -> dict[str, Any]:
    return {
        "people_wrong": found.people, "people": found.of_people, "machines_wrong": found.machines,
        "machines": found.of_machines, "balanced_accuracy": round(found.balanced, 4),
    }  # fmt: skip
