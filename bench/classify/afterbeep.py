"""``machine=after_beep`` in the lab: when a machine hears the session, against its own greeting and beeps.

The carrier records what each machine sends and what it hears, side by side, so that no clock but the samples is asked.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from bench.classify.judged import share
from bench.classify.ours import call_all, judged
from bench.classify.report import Goal
from bench.classify.road import plan
from bench.corpus import Clip, Fold, clips
from bench.corpus.clip import RATE
from gateway.core.model import CalleeType
from lab.behaviours import NumberPlan
from lab.lab import Lab

#: A sample louder than this is the session's voice: G.711 gives silence as less.
_HEARD = 0.01
#: Long enough to be heard, and told from silence at once.
APPLICATION = b"""<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<form><block><prompt>This is a message for you.</prompt></block></form></vxml>"""


@dataclass(frozen=True, slots=True)
class Begun:
    """``after``: seconds from the end of the last beep, or the last words, to the session's first sound.

    None where the session was never heard. ``person``: it was taken for one, and the session began at once.
    """

    clip: Clip
    after: float | None
    person: bool


def recorded(machines: Sequence[Clip], folder: Path) -> NumberPlan:
    """As :func:`bench.classify.road.plan`; what is sent and heard is written to ``folder``, and silence follows."""
    lines = []
    for n, line in enumerate(plan(machines, folder).lines):
        answer, play, hangup = line.behaviour.steps
        record = f"MixMonitor({folder}/mix-{n}.wav,r({folder}/rx-{n}.wav)t({folder}/tx-{n}.wav))"
        steps = (answer, record, play, "Wait(8)", hangup)
        lines.append(replace(line, behaviour=replace(line.behaviour, steps=steps)))
    return NumberPlan(0, tuple(lines))


def measure(lab: Lab, machines: Sequence[Clip], folder: Path) -> list[Begun]:
    found = call_all(lab, APPLICATION, "afterbeep", machine="after_beep")
    return [
        Begun(
            clip,
            _after(clip, folder / f"rx-{n}.wav", folder / f"tx-{n}.wav"),
            judged(clip, *found.get(n, ({}, None))).first is CalleeType.VOICE,
        )
        for n, clip in enumerate(machines)
    ]


def _after(clip: Clip, heard: Path, sent: Path) -> float | None:
    if not heard.exists() or not sent.exists():
        return None
    session = np.flatnonzero(np.abs(soundfile.read(heard, dtype="float32")[0]) > _HEARD)
    if not len(session):
        return None
    end = max([*clip.beeps, *(end for _, end in clip.speech)])
    return float(session[0] / RATE - begins(clip, soundfile.read(sent, dtype="float32")[0]) - end)


def begins(clip: Clip, sent: np.ndarray) -> float:
    """Where the clip begins in what the carrier sent, in seconds, by cross-correlation."""
    audio = np.frombuffer(clip.pcm, dtype="<i2").astype(np.float32)
    size = 1 << (len(audio) + len(sent)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(sent, size) * np.conj(np.fft.rfft(audio, size)), size)
    return float(np.argmax(likeness[: len(sent)]) / RATE)


def machines(fold: Fold, count: int) -> list[Clip]:
    """The first ``count`` whose greeting ends: one that hangs up leaves nothing to speak to."""
    found = (clip for clip in clips(fold) if clip.callee is CalleeType.ANSWERINGMACHINE and clip.speech)
    return [clip for clip in found if clip.kind != "no beep, hangs up"][:count]


def lines(begun: Sequence[Begun]) -> Iterator[str]:
    groups = {
        "after a beep": [one for one in begun if one.clip.beeps and not one.person],
        "without a beep": [one for one in begun if not one.clip.beeps and not one.person],
        "to machines taken for people": [one for one in begun if one.person],
    }
    for name, of in groups.items():
        after = sorted(one.after for one in of if one.after is not None)
        if after:
            early = sum(one < 0 for one in after)
            yield (
                f"session audio {name}: {len(after)}/{len(of)} heard, {statistics.median(after):.2f} s after the end, "
                f"p95 {share(after, 0.95):.2f}, from {after[0]:.2f} to {after[-1]:.2f}; {early} began before it"
            )


def goals(begun: Sequence[Begun]) -> Iterator[Goal]:
    early = [one for one in begun if one.after is not None and one.after < 0]
    people = sum(one.person for one in early)
    told = f"{len(early)}, {people} of them taken for people"
    yield Goal(f"sessions over a greeting in {len(begun)} machines", told, "0", not early)
    after = sorted(
        one.after for one in begun if one.clip.beeps and one.after is not None and one.after >= 0 and not one.person
    )
    late = share(after, 0.95)
    yield Goal("a session's audio after the beep, p95", f"{late:.2f} s", "0.3 s", late <= 0.3, speed=True)
