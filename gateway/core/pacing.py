"""How many calls may start now: calls per second and concurrent calls, per trunk and for all, as pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.model import Millis

#: A pace is kept in slots of this length: the bucket never holds more than one slot's worth (at least one call).
SLOT_MS = 50


@dataclass(frozen=True, slots=True)
class Limit:
    """``cps`` is calls started per second, ``max_calls`` concurrent attempts."""

    cps: float
    max_calls: int


@dataclass(slots=True)
class Pace:
    """A token bucket on the caller's clock: ``tokens`` grows by ``cps`` a second up to one slot's worth."""

    limit: Limit
    tokens: float = 0.0
    at: Millis | None = None

    @property
    def depth(self) -> float:
        return max(1.0, self.limit.cps * SLOT_MS / 1000)

    def refill(self, now: Millis) -> None:
        if self.at is None:
            self.tokens = self.depth
        elif now > self.at:
            self.tokens = min(self.depth, self.tokens + (now - self.at) * self.limit.cps / 1000)
        # A clock that stepped back gives nothing and takes nothing.
        self.at = now

    def free(self, live: int) -> int:
        return max(0, min(int(self.tokens + 1e-9), self.limit.max_calls - live))

    def wait_ms(self) -> float:
        """Milliseconds until the next whole token."""
        return max(0.0, (1.0 - self.tokens) * 1000 / self.limit.cps) if self.limit.cps > 0 else float("inf")


@dataclass(slots=True)
class Pacer:
    """The pace of every trunk and of the whole gateway. Live counts are the caller's, so they cannot drift here."""

    overall: Pace
    trunks: dict[str, Pace] = field(default_factory=dict)

    @classmethod
    def of(cls, overall: Limit, trunks: Mapping[str, Limit]) -> Pacer:
        return cls(Pace(overall), {name: Pace(limit) for name, limit in trunks.items()})

    def relimit(self, overall: Limit, trunks: Mapping[str, Limit]) -> None:
        """Other limits from now on; a trunk that stays keeps what it has used up of its pace."""
        self.overall.limit = overall
        for name in self.trunks.keys() - trunks.keys():
            del self.trunks[name]
        for name, limit in trunks.items():
            self.trunks.setdefault(name, Pace(limit)).limit = limit

    def slots(self, now: Millis, live: Mapping[str, int]) -> tuple[int, dict[str, int]]:
        """How many calls may start now in all, and on each trunk that may start any."""
        self.overall.refill(now)
        total = self.overall.free(sum(live.values()))
        free: dict[str, int] = {}
        for name, pace in self.trunks.items():
            pace.refill(now)
            if (slots := min(total, pace.free(live.get(name, 0)))) > 0:
                free[name] = slots
        return total, free

    def started(self, trunk: str) -> None:
        self.overall.tokens -= 1
        if (pace := self.trunks.get(trunk)) is not None:
            pace.tokens -= 1

    def next_slot_ms(self, live: Mapping[str, int]) -> float | None:
        """Milliseconds until a pace may let a call start; None while only a call's end can make room."""
        if sum(live.values()) >= self.overall.limit.max_calls:
            return None
        waits = [pace.wait_ms() for name, pace in self.trunks.items() if live.get(name, 0) < pace.limit.max_calls]
        return max(min(waits), self.overall.wait_ms()) if waits else None
