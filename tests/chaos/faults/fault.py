"""What a fault is, and what it gets to work on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lab.gateway import GatewayProcess
from tests.chaos.books import Findings
from tests.chaos.customer import Customer
from tests.chaos.link import Link
from tests.chaos.volume import Volume
from tests.chaos.world import Where, World

BOTH = frozenset({Where.LAB, Where.FAKE})
FAKE = frozenset({Where.FAKE})


@dataclass(slots=True)
class Scene:
    """A campaign under way. ``database`` is where this process finds the file."""

    world: World
    gateway: GatewayProcess
    customer: Customer
    ami: Link
    agi: Link
    tap: Link
    volume: Volume | None
    database: Path
    rng: random.Random
    found: Findings
    say: Callable[[str], None]
    struck: int = 0

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.rng.uniform(least, most))

    @property
    def alive(self) -> bool:
        return self.gateway.pid is not None and self.gateway.exited is None

    def revive(self) -> None:
        """As a service manager does: start it where it is down, and again where it ended by itself."""
        for _ in range(3):
            if self.alive:
                return
            try:
                self.gateway.start(60)
            except RuntimeError as error:
                self.say(f"it does not start: {str(error).splitlines()[-1][:300]}")
                time.sleep(1)
        if not self.alive:
            self.found.broken("other", "the gateway could not be started again")


class Fault:
    """One way to break a campaign. ``times`` is how often in one run; ``may_die``: the gateway may end by itself."""

    name: ClassVar[str]
    words: ClassVar[str]
    where: ClassVar[frozenset[Where]] = BOTH
    times: ClassVar[int] = 1
    may_die: ClassVar[bool] = False
    settings: ClassVar[str] = ""  # further sections of the configuration
    host: ClassVar[str] = "127.0.0.1"  # the customer's web server

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    @staticmethod
    def why_not() -> str | None:
        """Why it cannot be had on this machine; None where it can."""
        return None

    def volume(self, folder: Path) -> Volume | None:
        """A file system of its own for the database, at ``folder``."""
        return None

    def environment(self, folder: Path) -> dict[str, str]:
        """What is added to the environment of ``voxgate serve``."""
        return {}

    def strike(self, scene: Scene) -> None:
        """Break it, and have it end: the gateway may be down on return."""
        raise NotImplementedError

    def finish(self, scene: Scene) -> None:
        """Once the campaign is queued and nothing more strikes."""
