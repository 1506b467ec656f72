"""The clock, which services are given so that time can be tested."""

from __future__ import annotations

from typing import Protocol

from gateway.core.model import (
    Millis,
)


class Clock(Protocol):
    """``now`` is Unix time, which an operator may set; ``ticks`` counts on whatever is done to it, from anywhere."""

    def now(self) -> Millis: ...
    def ticks(self) -> Millis: ...
