"""Times, spans and causes in the words that people read: pure."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.core.model import Millis

_SPANS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))

#: Q.850 cause values as ITU-T Q.850 table 1 names them, those that calls end with.
Q850_WORDS = {
    1: "unallocated number", 2: "no route to network", 3: "no route to destination", 6: "channel unacceptable",
    16: "normal clearing", 17: "user busy", 18: "no user responding", 19: "no answer", 20: "subscriber absent",
    21: "call rejected", 22: "number changed", 26: "non-selected user clearing", 27: "destination out of order",
    28: "invalid number format", 29: "facility rejected", 31: "normal, unspecified", 34: "no circuit available",
    38: "network out of order", 41: "temporary failure", 42: "switching equipment congestion",
    44: "requested circuit not available", 47: "resource unavailable", 50: "facility not subscribed",
    57: "bearer capability not authorized", 58: "bearer capability not available", 63: "service not available",
    65: "bearer capability not implemented", 79: "service not implemented", 88: "incompatible destination",
    102: "recovery on timer expiry", 111: "protocol error", 127: "interworking",
}  # fmt: skip


def moment(at: Millis, zone: ZoneInfo, now: Millis) -> str:
    """``Tue 24 Nov 2026 09:00 America/New_York (in 14 h)``."""
    return f"{clock(at, zone)} {zone.key} ({distance(at, now)})"


def clock(at: Millis, zone: ZoneInfo) -> str:
    """``Tue 24 Nov 2026 09:00``, with seconds where they are not 0."""
    local = datetime.fromtimestamp(at / 1000, zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}" + (f"{local::%S}" if local.second else "")


def short_clock(at: Millis, zone: ZoneInfo, now: Millis) -> str:
    """The time of day, with the day where that is not today and the year where that is not this one."""
    local, today = datetime.fromtimestamp(at / 1000, zone), datetime.fromtimestamp(now / 1000, zone)
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    return f"{local.day} {local:%b} {local:%H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def distance(at: Millis, now: Millis) -> str:
    """``in 14 h``, ``3 min ago`` or ``now``."""
    away = round((at - now) / 1000)
    if abs(away) < 1:
        return "now"
    return f"in {span(away)}" if away > 0 else f"{span(-away)} ago"


def span(seconds: float) -> str:
    """A length of time in one unit, or two where the larger is below ten: ``9 h 30 min``, ``14 h``, ``0.8 s``."""
    if 0 < seconds < 1:
        return f"{seconds:.1f} s"
    left = round(seconds)
    for index, (name, size) in enumerate(_SPANS):
        if left >= size:
            whole, rest = divmod(left, size)
            if whole < 10 and index + 1 < len(_SPANS):
                lower, lower_size = _SPANS[index + 1]
                if part := rest // lower_size:
                    return f"{whole} {name} {part} {lower}"
            return f"{whole} {name}"
    return "0 s"


def talk(seconds: int) -> str:
    """A call's duration: ``1:07``, ``1:02:07``."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def cause_words(cause: int | None, tech_cause: int | None) -> str:
    """Both causes of an attempt's end; empty where there was none."""
    said = []
    if tech_cause is not None:
        said.append(f"SIP {tech_cause}")
    if cause:
        said.append(f"Q.850 {cause}, {Q850_WORDS.get(cause, 'not in the table')}")
    return "; ".join(said)


def iso(at: Millis) -> str:
    """For machines, in UTC: RFC 3339, as 2026-11-27T09:00:00Z."""
    return _iso(at // 1000)


@functools.lru_cache(maxsize=65536)  # an export tells of the same second again and again
def _iso(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"
