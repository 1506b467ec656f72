"""A net on frames, boosted trees on moments with speakers held out of one another's folds, and the files shipped."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from gateway.core.hearing.features import NAMES

#: Of the frames with and without a voice.
SPEECH = {
    "hidden_layer_sizes": (48, 24), "activation": "relu", "alpha": 0.1, "batch_size": 512, "early_stopping": False,
    "random_state": 1, "warm_start": True,
}  # fmt: skip
#: Steps of learning and how often all frames are gone through at each: the last ones still the net.
RATES = ((0.002, 6), (0.0004, 2), (0.0001, 2))
#: The longer it is silent the likelier a person waits, and the more is said the likelier a machine talks: whatever the
#: corpus has too few examples of, the model keeps to that.
MONOTONE = {"silence": -1, "speech": 1, "longest utterance": 1}
SETTINGS = {
    "max_iter": 100, "learning_rate": 0.12, "max_depth": 4, "max_leaf_nodes": 12, "min_samples_leaf": 200,
    "l2_regularization": 20.0, "max_bins": 64, "early_stopping": False, "random_state": 1,
}  # fmt: skip
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Examples:
    """``x`` is (moments, features); ``machine``, ``weight`` and ``clip`` (a clip's number) are one a moment."""

    x: npt.NDArray[np.float32]
    machine: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    clip: npt.NDArray[np.int64]

    def take(self, rows: npt.NDArray[np.bool_]) -> Examples:
        return Examples(self.x[rows], self.machine[rows], self.weight[rows], self.clip[rows])


def speech(x: npt.NDArray[np.float32], voice: npt.NDArray[np.bool_]) -> str:
    """What tells frames with a voice from frames without, as :class:`gateway.core.hearing.net.Net` reads it."""
    mean, spread = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64) + 1e-6
    net = MLPClassifier(**SPEECH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of rounds is wanted
        even = ((x - mean) / spread).astype(np.float32)
        for rate, rounds in RATES:
            net.set_params(learning_rate_init=rate, max_iter=rounds).fit(even, voice)
    weights = [one.astype(np.float64) for one in net.coefs_]
    biases = [one.astype(np.float64) for one in net.intercepts_]
    weights[0] /= spread[:, None]
    biases[0] -= mean @ weights[0]
    layers = [np.vstack((bias, some)).T for some, bias in zip(weights, biases, strict=True)]
    return "[" + ",\n".join("[" + ",\n".join(map(_unit, layer)) + "]" for layer in layers) + "]\n"


def _unit(weights: npt.NDArray[np.float64]) -> str:
    return json.dumps([float(f"{one:.4g}") for one in weights], separators=(",", ":"))


def fitted(examples: Examples, **overrides: object) -> HistGradientBoostingClassifier:
    trees = HistGradientBoostingClassifier(
        monotonic_cst=[MONOTONE.get(name, 0) for name in NAMES], **{**SETTINGS, **overrides}
    )
    return trees.fit(examples.x, examples.machine, sample_weight=examples.weight)


def crossed(examples: Examples, groups: npt.NDArray[np.int64], **overrides: object) -> npt.NDArray[np.float64]:
    """The log-odds of every moment by trees that have not heard its speaker. ``groups`` is a clip's fold, by number."""
    odds = np.zeros(len(examples.x))
    fold = groups[examples.clip]
    for one in sorted(set(groups.tolist())):
        out = fold == one
        odds[out] = fitted(examples.take(~out), **overrides).decision_function(examples.x[out])
    return odds


def stored(trees: HistGradientBoostingClassifier, names: Sequence[str]) -> str:
    """The trees as :class:`gateway.core.hearing.trees.Trees` reads them."""
    lines = ",\n".join(json.dumps(_nodes(one[0].nodes), separators=(",", ":")) for one in trees._predictors)
    depth = max(int(one[0].nodes["depth"].max()) for one in trees._predictors)
    even = round(float(trees._baseline_prediction.item()), 4)
    return f'{{"features": {json.dumps(names)},\n"even": {even}, "depth": {depth}, "trees": [\n{lines}\n]}}\n'


def _nodes(nodes: npt.NDArray[np.void]) -> list[list[float]]:
    values = [0.0] * len(nodes)

    def value(place: int) -> float:
        node = nodes[place]
        if node["is_leaf"]:
            values[place] = float(node["value"])
        else:
            parts = [(int(nodes[child]["count"]), value(int(child))) for child in (node["left"], node["right"])]
            values[place] = sum(count * one for count, one in parts) / sum(count for count, _ in parts)
        return values[place]

    value(0)
    return [
        [round(values[place], 4)]
        if node["is_leaf"]
        else [
            int(node["feature_idx"]), float(f"{node['num_threshold']:.6g}"), int(node["left"]), int(node["right"]),
            round(values[place], 4),
        ]
        for place, node in enumerate(nodes)
    ]  # fmt: skip
