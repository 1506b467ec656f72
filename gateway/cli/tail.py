"""``voxgate calls tail``: what happens to calls, as it happens."""

from __future__ import annotations

from typing import Any

from voxgate import models


def line(event: models.Event) -> str:
    """One event for people, its time in this machine's zone."""
    at = event.at.astimezone()
    data: dict[str, Any] = dict(event.data)
    call = data.pop("call_id", None)
    who = f"call {call}" if call is not None else ""
    rest = " ".join(f"{name}={value}" for name, value in data.items() if value not in (None, ""))
    return f"{at:%H:%M:%S}  {event.kind:<18} {who:<12} {rest}".rstrip()
