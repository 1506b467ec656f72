"""When a campaign would begin and end at the pace: arithmetic over what waits, the limits and the length of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.core.model import Millis
from gateway.core.pacing import Limit

#: Seconds that an attempt is assumed to hold a channel where none was measured yet.
ASSUMED_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class TrunkForecast:
    """``calls`` of the campaign go over this trunk at ``rate`` calls a second, shared with ``others`` that wait too."""

    trunk: str
    calls: int
    others: int
    rate: float
    starts_at: Millis
    finishes_at: Millis


@dataclass(frozen=True, slots=True)
class Forecast:
    """First attempts only. ``expiring`` calls would expire before their turn."""

    starts_at: Millis
    finishes_at: Millis
    expiring: int
    trunks: tuple[TrunkForecast, ...]


def rate(limit: Limit, seconds: float) -> float:
    """Calls a second that a limit lets start while each holds its channel for ``seconds``."""
    return min(limit.cps, limit.max_calls / max(seconds, 0.001))


def dialed_within(calls: int, limit: Limit, seconds: float) -> float:
    """Seconds until the last of ``calls`` has started: at the pace, and a full trunk's worth at a time."""
    if limit.cps * seconds <= limit.max_calls:
        return calls / limit.cps
    rounds, rest = divmod(max(calls - 1, 0), limit.max_calls)
    return rounds * seconds + (rest + 1) / limit.cps


def forecast(
    calls: Mapping[str, int],
    others: Mapping[str, Sequence[int]],
    trunks: Mapping[str, Limit],
    overall: Limit,
    seconds: float,
    opens: Mapping[str, Millis],
    expires_at: Millis | None,
) -> Forecast:
    """``calls`` by trunk, beside the backlogs of ``others``; a trunk dials from ``opens`` on.

    Campaigns take turns, so until the last of n calls at most n of each other backlog are dialed.
    """
    found = []
    work = 0
    for trunk, many in calls.items():
        beside = sum(min(many, other) for other in others.get(trunk, ()))
        work += many + beside
        speed = min(rate(trunks[trunk], seconds), rate(overall, seconds))
        start, within = opens[trunk], dialed_within(many + beside, trunks[trunk], seconds)
        found.append(TrunkForecast(trunk, many, beside, speed, start, _after(start, within)))
    start = min(one.starts_at for one in found)
    finish = max(*(one.finishes_at for one in found), _after(start, dialed_within(work, overall, seconds)))
    expiring = 0
    if expires_at is not None and expires_at < finish:
        in_time = max(0.0, (expires_at - start) / (finish - start))
        expiring = sum(calls.values()) - int(sum(calls.values()) * in_time)
    return Forecast(start, finish, expiring, tuple(found))


def _after(start: Millis, seconds: float) -> Millis:
    return Millis(start + round(seconds * 1000))
