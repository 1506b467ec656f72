"""What the classifier's model is asked during a clip: features at every moment, until a tone decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.corpus import Clip
from gateway.core.hearing import Classifier, Verdict
from gateway.core.hearing.features import NAMES
from gateway.core.hearing.net import Net
from gateway.core.model import CalleeType
from training.fit import FOLDS, Examples

#: Seconds of silence after which nothing is learned.
SILENCE: Final = 3.0
#: A person's moments weigh so much more: to take one for a machine is worse than the reverse.
PERSON: Final = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """``asked`` is (moments, len(NAMES)), ``known`` (moments,) in seconds since the answer.

    ``told`` is the first verdict that a tone, or silence, brought; None where none did. ``beep`` is when one ended.
    """

    speaker: str
    callee: CalleeType
    kind: str
    beep: float | None
    asked: npt.NDArray[np.float32]
    known: npt.NDArray[np.float32]
    told: Verdict | None


class _Recorder:
    """Stands in the model's place and says nothing."""

    def __init__(self) -> None:
        self.asked: list[list[float]] = []

    def odds(self, features: Sequence[float]) -> float:
        self.asked.append(list(features))
        return 0.0

    def reason(self, features: Sequence[float]) -> str:
        return ""


def heard(clip: Clip, speech: Net, chunk: int = 320) -> Heard:
    """``speech`` tells voices from noise."""
    recorder = _Recorder()
    classifier = Classifier(model=recorder, speech=speech)
    classifier.answered()
    known: list[float] = []
    verdict: Verdict | None = None
    for place in range(0, len(clip.pcm), chunk):
        told = classifier.feed(clip.pcm[place : place + chunk])
        known += [classifier.known] * (len(recorder.asked) - len(known))
        verdict = next((one for one in told if isinstance(one, Verdict) and not _undecided(one)), None)
        if verdict is not None:
            break
    asked = np.array(recorder.asked, np.float32).reshape(-1, len(NAMES))
    beep = clip.beeps[0] if clip.beeps else None
    return Heard(clip.speaker, clip.callee, str(clip.kind), beep, asked, np.array(known, np.float32), verdict)


def _undecided(verdict: Verdict) -> bool:
    """Whether the recorder brought it about."""
    return verdict.reason == ""


def examples(calls: Sequence[Heard]) -> tuple[Examples, npt.NDArray[np.int64]]:
    """All calls' moments, each call weighing the same, and the fold of each call: a speaker's are all in one."""
    weights = [_weights(one) for one in calls]
    counts = [len(one) for one in weights]
    together = Examples(
        x=np.concatenate([one.asked for one in calls]),
        machine=np.repeat([one.callee is CalleeType.ANSWERINGMACHINE for one in calls], counts),
        weight=np.concatenate(weights),
        clip=np.repeat(np.arange(len(calls)), counts),
    )
    names = sorted({one.speaker for one in calls})
    order = np.random.default_rng(5).permutation(len(names)) % FOLDS
    fold = dict(zip(names, order.tolist(), strict=True))
    return together, np.array([fold[one.speaker] for one in calls])


def _weights(call: Heard) -> npt.NDArray[np.float64]:
    learned = call.asked[:, NAMES.index("silence")] <= SILENCE
    if call.beep is not None:
        learned &= call.known <= call.beep  # after it the detector of beeps knows
    share = PERSON if call.callee is CalleeType.VOICE else 1.0
    return learned * share * 20 / max(int(learned.sum()), 1)
