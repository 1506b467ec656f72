"""What the upkeep of the database tells: a check's findings, a copy's progress, a restore's consequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: Told pages done and pages in all, now and then, from the thread that works.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """``faults`` is empty where all is well. Sizes in bytes; ``free`` could be given back by a vacuum."""

    faults: tuple[str, ...]
    size: int
    free: int
    calls: int
    schema: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackedUp:
    path: str
    size: int  # bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Restored:
    """``replaced`` is where the database that was there went; ``paused``: what dials no more, as ``7 (spring)``."""

    replaced: str | None
    paused: tuple[str, ...]
