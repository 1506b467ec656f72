"""How long an HTTP answer may be used again (RFC 9111), within VoiceXML's maxage and maxstale (VoiceXML 2.0 §6.1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Freshness:
    """``lifetime`` is seconds from the answer; ``conditions`` are the headers of a conditional request."""

    storable: bool
    lifetime: float
    conditions: dict[str, str] = field(default_factory=dict)

    def usable(self, age: float, max_age: float | None, max_stale: float | None) -> bool:
        if max_age is not None and age > max_age:
            return False
        return age <= self.lifetime + (max_stale or 0)


def freshness(headers: Mapping[str, str]) -> Freshness:
    """``headers`` have lower-case names."""
    control = {}
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        control[name] = value.strip('"')
    conditions = {}
    if "etag" in headers:
        conditions["If-None-Match"] = headers["etag"]
    if "last-modified" in headers:
        conditions["If-Modified-Since"] = headers["last-modified"]
    # The cache serves all sessions: what is private, or differs by what was sent, is not for it (§5.2.2.7, §4.1).
    if "no-store" in control or "private" in control or headers.get("vary", "").strip() == "*":
        return Freshness(False, 0)
    lifetime = 0.0
    if "no-cache" not in control:
        if control.get("max-age", "").isdecimal():
            lifetime = float(control["max-age"])
        elif "expires" in headers:
            lifetime = _span(headers.get("date", ""), headers["expires"])
        elif "last-modified" in headers and "date" in headers:
            lifetime = min(86_400.0, 0.1 * _span(headers["last-modified"], headers["date"]))  # RFC 9111 §4.2.2
    return Freshness(lifetime > 0 or bool(conditions), lifetime, conditions)


def _span(start: str, end: str) -> float:
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
