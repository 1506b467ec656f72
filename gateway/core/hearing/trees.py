"""Boosted trees, trained by ``make train`` and kept as a small file beside this: log-odds, and what weighed in them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.prosody import Floats

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trees:
    """All nodes of all trees in arrays. A leaf's children are itself, so that all trees are walked at once."""

    names: tuple[str, ...]  # of the features
    even: float  # log-odds before any feature is known
    roots: Places
    depth: int
    feature: Places
    threshold: Floats
    under: Places  # the child where the feature is at most the threshold
    over: Places
    value: npt.NDArray[np.float64]  # log-odds at each node, the root's too

    def odds(self, given: Floats) -> list[float]:
        """Log-odds for each row of ``given`` (rows, features)."""
        return [self.even + float(self.value.take(path[-1]).sum()) for path in self._walked(given)]

    def weights(self, given: Floats) -> npt.NDArray[np.float64]:
        """What each feature of one row adds to the log-odds, along the trees' paths."""
        found = np.zeros(len(self.names))
        for here, there in itertools.pairwise(self._walked(given[None])[0]):
            np.add.at(found, self.feature[here], self.value[there] - self.value[here])
        return found

    def _walked(self, given: Floats) -> list[list[Places]]:
        """For each row the nodes of all trees, from roots to leaves."""
        # take() and a row at a time: of so few numbers an index of arrays costs twice as much.
        paths = []
        for child in np.where(given.take(self.feature, axis=1) <= self.threshold, self.under, self.over):
            path = [self.roots]
            for _ in range(self.depth):
                path.append(child.take(path[-1]))
            paths.append(path)
        return paths

    @staticmethod
    def read(text: str) -> Trees:
        """``trees`` are lists of nodes: [feature, threshold, under, over, log-odds], or [log-odds] where one ends."""
        stored = json.loads(text)
        roots: list[int] = []
        nodes: list[tuple[int, float, int, int, float]] = []
        for tree in stored["trees"]:
            base = len(nodes)
            roots.append(base)
            for place, node in enumerate(tree):
                match node:
                    case [feature, threshold, under, over, value]:
                        nodes.append((feature, threshold, base + under, base + over, value))
                    case [value]:
                        nodes.append((0, 0.0, base + place, base + place, value))
        feature, threshold, under, over, value = (np.array(column) for column in zip(*nodes, strict=True))
        return Trees(
            names=tuple(stored["features"]),
            even=stored["even"],
            roots=np.array(roots),
            depth=stored["depth"],
            feature=feature,
            threshold=threshold.astype(np.float32),
            under=under,
            over=over,
            value=value,
        )


@cache
def shipped(name: str, features: tuple[str, ...]) -> Trees:
    """The trees of this version, by name of the file without its ending."""
    trees = Trees.read((files(__package__) / f"{name}.json").read_text("ascii"))
    if trees.names != features:
        raise ValueError(f"{name}.json was trained on other features: run `make train`")
    return trees
