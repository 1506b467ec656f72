"""How many requests a client may make: a token bucket for each, pure, time is given."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.model import Millis

REMEMBERED = 10_000


class Turn(NamedTuple):
    """Whether a request may go on, how many more may at once, and in how many seconds the next (or all) may."""

    allowed: bool
    remaining: int
    seconds: int


@dataclass(slots=True)
class RateLimit:
    """``rate`` requests a second in the long run, ``burst`` at once."""

    rate: float
    burst: int
    _buckets: OrderedDict[str, tuple[float, Millis]] = field(default_factory=OrderedDict)

    def left(self, client: str, now: Millis) -> float:
        """How many requests may be made at once."""
        left, since = self._buckets.get(client, (float(self.burst), now))
        return min(self.burst, left + max(0, now - since) / 1000 * self.rate)

    def take(self, client: str, now: Millis) -> Turn:
        left = self.left(client, now)
        self._buckets.pop(client, None)
        allowed = left >= 1
        left -= allowed
        self._buckets[client] = (left, now)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        missing = self.burst - left if allowed else 1 - left
        return Turn(allowed, int(left), -int(-missing / self.rate // 1))

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills."""
        return max(1, round(self.burst / self.rate))
