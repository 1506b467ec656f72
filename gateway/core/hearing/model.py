"""Person or machine: the log-odds of the greeting's features, and which of them weighed most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from gateway.core.hearing.features import NAMES
from gateway.core.hearing.trees import Trees, shipped

#: So many features are named as a verdict's reasons.
NAMED: Final = 3


class Weigher(Protocol):
    """Log-odds for a machine, and what weighed most in them."""

    def odds(self, features: Sequence[float]) -> float: ...

    def reason(self, features: Sequence[float]) -> str: ...


class Model:
    """The trees that ``make train`` left."""

    def __init__(self, trees: Trees | None = None) -> None:
        self._trees = trees or shipped("greeting", NAMES)

    def odds(self, features: Sequence[float]) -> float:
        return self._trees.odds(np.array([features], np.float32))[0]

    def reason(self, features: Sequence[float]) -> str:
        weights = self._trees.weights(np.array(features, np.float32))
        order = np.argsort(-np.abs(weights), kind="stable")[:NAMED]
        return ", ".join(f"{NAMES[n]} {features[n]:.1f} ({weights[n]:+.1f})" for n in order)
