"""The two Asterisks that a campaign can go through: the lab's real one, and the fake one, each with its carrier's log."""

from __future__ import annotations

import os
import random
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from lab.behaviours import BY_KEY, Line, NumberPlan
from lab.gateway import Beside
from lab.lab import Lab
from tests.fakes.asterisk import FakeAsterisk, Rung, rung


class Where(StrEnum):
    LAB = "lab"
    FAKE = "fake"


LAB_CALLEES = {
    "person": 5, "hangs-up-in-prompt": 2, "machine": 1, "busy": 2, "rings": 1, "unavailable": 1, "declined": 1,
}  # fmt: skip
FAKE_CALLEES = {
    "person": 14, "silent": 2, "hangs-up-at-once": 2, "hangs-up-in-prompt": 4, "machine": 2, "busy": 4, "rings": 1,
    "not-found": 2, "unavailable": 2, "no-circuit": 1, "declined": 2, "busy-then-person": 2,
}  # fmt: skip


#: Small campaigns, in which nobody's phone rings for ever: for the tests.
SMALL_LAB = {"person": 3, "hangs-up-in-prompt": 1, "busy": 2, "unavailable": 1}
SMALL_FAKE = {"person": 8, "hangs-up-in-prompt": 2, "busy": 4, "unavailable": 2, "machine": 1}


class World(ABC):
    """``callees`` is how many of each kind are in a campaign.

    It is disturbed for ``span`` seconds, and may take ``patience`` to end.
    """

    where: Where
    site: Beside
    callees: Mapping[str, int]
    cps: float
    span: float
    patience: float

    @abstractmethod
    def numbers(self, rng: random.Random) -> list[str]:
        """The numbers of a campaign, shuffled."""

    @abstractmethod
    def rung(self) -> list[Rung]:
        """Every phone that the carrier rang since the world began."""

    @abstractmethod
    def channels(self) -> list[str]:
        """Channels that live in Asterisk."""

    @abstractmethod
    def kill(self) -> None:
        """kill -9 of Asterisk."""

    @abstractmethod
    def revive(self) -> None:
        """Start Asterisk again."""

    @abstractmethod
    def pid(self) -> int:
        """Asterisk's process."""

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid(), number)

    @abstractmethod
    def __enter__(self) -> World: ...

    @abstractmethod
    def __exit__(self, *error: object) -> None: ...


class LabWorld(World):
    where = Where.LAB
    cps, patience = 3.0, 150.0

    def __init__(self, seed: int, callees: Mapping[str, int] = LAB_CALLEES, span: float = 20.0) -> None:
        rng = random.Random(seed)
        self.callees, self.span = callees, span
        keys = [key for key, count in callees.items() for _ in range(count)]
        tails = rng.sample(range(100, 10_000), len(keys))
        lines = (
            Line(f"+1{rng.choice((212, 312, 415))}555{tail:04d}", BY_KEY[key], 1.0, 6.0, "12", "ic")
            for key, tail in zip(keys, tails, strict=True)
        )
        self.lab = Lab(plan=NumberPlan(seed, tuple(lines)), ring_timeout=10.0)
        self.site = self.lab

    def numbers(self, rng: random.Random) -> list[str]:
        found = [line.number for line in self.lab.plan.lines]
        rng.shuffle(found)
        return found

    def rung(self) -> list[Rung]:
        return [Rung(f"+{one.number.lstrip('+')}", one.call_id, one.at) for one in self.lab.invites()]

    def channels(self) -> list[str]:
        return [
            line.split("!")[0] for line in self.lab.pbx.cli("core show channels concise").splitlines() if "!" in line
        ]

    def kill(self) -> None:
        self.lab.pbx.kill()

    def revive(self) -> None:
        self.lab.pbx.start()

    def pid(self) -> int:
        assert self.lab.pbx.pid is not None
        return self.lab.pbx.pid

    def __enter__(self) -> LabWorld:
        self.lab.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.lab.stop()


class FakeWorld(World):
    where = Where.FAKE
    cps, patience = 12.0, 300.0  # the watchdog gives a stuck channel its longest time and two minutes

    def __init__(self, seed: int, callees: Mapping[str, int] = FAKE_CALLEES, span: float = 6.0) -> None:
        self.callees, self.span = callees, span
        self.fake = FakeAsterisk(seed=seed, speed=2.0)
        self.site = self.fake

    def numbers(self, rng: random.Random) -> list[str]:
        found = [
            self.fake.number(key, index)
            for key, count in self.callees.items()
            for index in rng.sample(range(100_000), count)
        ]
        rng.shuffle(found)
        return found

    def rung(self) -> list[Rung]:
        return rung(self.fake.carrier_log)

    def channels(self) -> list[str]:
        channels: list[str] = self.fake.state()["channels"]
        return channels

    def kill(self) -> None:
        self.fake.kill()

    def revive(self) -> None:
        self.fake.start()

    def pid(self) -> int:
        assert self.fake.pid is not None
        return self.fake.pid

    def fault(self, name: str, **args: Any) -> None:
        self.fake.fault(name, **args)

    def __enter__(self) -> FakeWorld:
        self.fake.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.fake.stop()


def world(where: Where, seed: int, *, small: bool = False) -> World:
    if where is Where.LAB:
        return LabWorld(seed, SMALL_LAB, span=9) if small else LabWorld(seed)
    return FakeWorld(seed, SMALL_FAKE, span=4) if small else FakeWorld(seed)
