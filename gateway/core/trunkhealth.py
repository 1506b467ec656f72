"""A trunk that fails ten times in a row rests, and is tried again with one call: pure, on the caller's clock."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.model import Millis

FAULTS_TO_SUSPEND = 10
REST_MS = 60_000


@dataclass(slots=True)
class TrunkHealth:
    faults: int = 0
    suspended_until: Millis | None = None
    probing: bool = False
    last_fault: str = ""

    def may_dial(self, now: Millis) -> int | None:
        """How many calls this trunk's health lets start: None is no limit, 0 none, 1 a probe after a rest."""
        if self.suspended_until is None:
            return None
        rests = 0 < self.suspended_until - now <= REST_MS  # further away, by a clock that was set back, it is over
        return 0 if self.probing or rests else 1

    def started(self) -> None:
        if self.suspended_until is not None:
            self.probing = True

    def fault(self, now: Millis, reason: str) -> bool:
        """Count a trunk fault; True when this one suspends the trunk (or keeps it suspended after a probe)."""
        self.faults += 1
        self.last_fault = reason
        if self.faults < FAULTS_TO_SUSPEND:
            return False
        self.suspended_until = Millis(now + REST_MS)
        self.probing = False
        return True

    def worked(self) -> bool:
        """The trunk reached the far end; True when that ends a suspension."""
        resumed = self.suspended_until is not None
        self.faults, self.suspended_until, self.probing = 0, None, False
        return resumed

    def released(self) -> None:
        """The probe ended without a word on the trunk's health: another may be sent."""
        self.probing = False
