"""What the classifier's model is asked during a clip: features at every moment, until a tone decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.core.hearing import Classifier, Verdict
from gateway.core.hearing.features import NAMES
from gateway.core.hearing.trees import Trees


@dataclass(frozen=True, slots=True)
class Moments:
    """``features`` is (moments, len(NAMES)), ``known`` (moments,) in seconds since the answer.

    ``firm`` is the first verdict that a tone brings, or the one on silence; None where there is neither.
    """

    features: npt.NDArray[np.float32]
    known: npt.NDArray[np.float32]
    firm: Verdict | None


class _Recorder:
    """Stands in the model's place and says nothing."""

    def __init__(self) -> None:
        self.asked: list[list[float]] = []

    def odds(self, features: Sequence[float]) -> float:
        self.asked.append(list(features))
        return 0.0

    def reason(self, features: Sequence[float]) -> str:
        return ""


def moments(pcm: bytes, speech: Trees, chunk: int = 320) -> Moments:
    """``pcm`` begins with the answer; ``speech`` tells voices from noise."""
    recorder = _Recorder()
    classifier = Classifier(model=recorder, speech=speech)
    classifier.answered()
    known: list[float] = []
    firm: Verdict | None = None
    for place in range(0, len(pcm), chunk):
        told = classifier.feed(pcm[place : place + chunk])
        known += [classifier.known] * (len(recorder.asked) - len(known))
        firm = next((one for one in told if isinstance(one, Verdict)), None)
        if firm is not None:
            break
    found = np.array(recorder.asked, np.float32).reshape(-1, len(NAMES))
    return Moments(found, np.array(known, np.float32), firm)
