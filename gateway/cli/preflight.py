"""A preflight in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.cli.shared import clock


def lines(found: dict[str, Any]) -> Iterator[str]:
    """``found`` is the API's answer; times are shown in this machine's zone."""
    for problem in found["problems"]:
        yield f"would be refused: {problem}"
    yield f"{found['dialable']} numbers would be dialed"
    if (when := found["forecast"]) is not None:
        yield f"  first at {clock(when['starts_at'])}, last first attempt at {clock(when['finishes_at'])}"
        for one in when["trunks"]:
            beside = f", beside {one['others']} of other campaigns" if one["others"] else ""
            yield (
                f"  trunk {one['trunk']}: {one['calls']} at {one['rate']:.3g} calls a second{beside}: "
                f"{clock(one['starts_at'])} to {clock(one['finishes_at'])}"
            )
        basis = "as measured" if found["call_seconds_measured"] else "assumed: none was measured yet"
        yield f"  with calls of {found['call_seconds']:.0f} s ({basis}); retries come on top"
        if when["expiring"]:
            yield f"  {when['expiring']} would expire before their turn ({clock(found['expires_at'])})"
    if (hold := found["hold"]) is not None:
        yield f"held now: {hold['text']} (what changes it: {hold['change']})"
    total = sum(one["calls"] for one in found["blocked"])
    yield f"{total} blocked" + (":" if total else "")
    for one in found["blocked"]:
        yield f"  {one['calls']} as {one['example']!r}: {one['reason']}"
