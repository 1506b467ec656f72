"""What is kept for how long, and when the nightly sweep is due: pure, time is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.core.access import KEPT_MS as RECEIPTS_MS
from gateway.core.model import Millis
from gateway.core.visiting import LONGEST_MS as SESSIONS_MS

DAY_MS = 86_400_000


class Kept(StrEnum):
    """What ages."""

    CALLS = "calls"
    """Calls that ended, with their attempts and their result posts, and campaigns of which nothing is left."""
    EVIDENCE = "evidence"
    """What was heard and seen of an attempt."""
    POSTS = "posts"
    """Each try of a result post and what it was answered."""
    AUDIT = "audit"
    """Who changed what."""
    RECORDINGS = "recordings"
    """Recordings of callees that a session left behind."""
    RECEIPTS = "receipts"
    """Answers under an Idempotency-Key."""
    SESSIONS = "sessions"
    """Sign-ins on the pages."""


@dataclass(frozen=True, slots=True)
class Swept:
    """``removed`` things of a ``kind`` that were older than ``before``."""

    kind: Kept
    before: Millis
    removed: int


@dataclass(frozen=True, slots=True)
class Step:
    """One small batch: ``removed`` things; the walk goes on beyond ``after``, or is at its end where that is None."""

    removed: int
    after: int | None


def cutoffs(days: Mapping[Kept, float], now: Millis) -> dict[Kept, Millis]:
    """Before when what is removed; what is kept for ever (0 days) is left out."""
    fixed = {Kept.RECEIPTS: RECEIPTS_MS, Kept.SESSIONS: SESSIONS_MS}
    told = {kind: round(many * DAY_MS) for kind, many in days.items() if many > 0}
    return {kind: Millis(now - age) for kind, age in (told | fixed).items()}


def due(now: datetime, last: datetime | None, hour: int) -> bool:
    """Whether the sweep of the day is due: from ``hour`` on, or whenever a whole day was missed. Local times."""
    if last is None:
        return now.hour == hour
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (now >= today > last) or now - last > timedelta(hours=36)
