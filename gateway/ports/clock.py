"""The clock, which services are given so that time can be tested."""

from __future__ import annotations

from typing import Protocol

from gateway.core.model import (
    Millis,
)


class Clock(Protocol):
    def now(self) -> Millis: ...
