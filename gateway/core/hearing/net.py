"""A small net, trained by ``make train`` and kept as a small file beside this: log-odds of a voice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from gateway.core.hearing.activity import COLUMNS
from gateway.core.hearing.prosody import Floats


@dataclass(frozen=True, slots=True)
class Net:
    """``layers`` are weights (inputs, units) and biases (units,). The last has one unit, others pass what is over 0."""

    layers: tuple[tuple[Floats, Floats], ...]

    @property
    def inputs(self) -> int:
        return len(self.layers[0][0])

    def odds(self, given: Floats) -> list[float]:
        """Log-odds for each row of ``given`` (rows, inputs)."""
        *hidden, (weights, bias) = self.layers
        for some, their in hidden:
            given = np.maximum(given @ some + their, 0)
        found: list[float] = (given @ weights + bias)[:, 0].tolist()
        return found

    @staticmethod
    def read(text: str) -> Net:
        """Stored is one line a unit: its bias, then what it weighs of each input."""
        layers = [np.array(one, np.float32) for one in json.loads(text)]
        return Net(tuple((np.ascontiguousarray(one[:, 1:].T), one[:, 0].copy()) for one in layers))


@cache
def shipped() -> Net:
    """The net of this version."""
    net = Net.read((files(__package__) / "speech.json").read_text("ascii"))
    if net.inputs != COLUMNS:
        raise ValueError("speech.json was trained on other columns: run `make train`")
    return net
