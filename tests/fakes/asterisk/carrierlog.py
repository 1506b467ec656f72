"""The carrier's own log: each phone that rings is a line in a file before anybody is told of it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rung:
    """One phone that was rung: as one new INVITE at a carrier. ``time`` is Unix time in seconds."""

    number: str
    channel_id: str
    time: float


class CarrierLog:
    """Appends; what was written survives a kill -9 of the process that writes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def ring(self, number: str, channel_id: str) -> None:
        line = json.dumps(asdict(Rung(number, channel_id, time.time())))
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        self._file.close()


def rung(path: Path) -> list[Rung]:
    """Every phone that was rung so far, in order. A line that a kill cut short counts as none: nobody was told."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [Rung(**json.loads(line)) for line in lines]
