"""Requests about calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from voxgate import models
from voxgate.request import JSON_LINES, Request, post


def create(phone_number: str, start_url: str, **more: Any) -> Request[models.Queued]:
    """Queue one call. ``more`` are other fields of :class:`models.NewCall`."""
    return post("/calls", models.Queued, {"phone_number": phone_number, "start_url": start_url, **_given(more)})


def create_many(asked: Iterable[dict[str, Any]]) -> Request[models.LineDone]:
    """Queue many calls, each the fields of a :class:`models.NewCall`; ask for its lines, one a call."""
    body = b"\n".join(msgspec.json.encode(_given(one)) for one in asked)
    return Request("POST", "/calls", models.LineDone, body=body, content_type=JSON_LINES)


def find(**asked: Any) -> Request[models.Page[models.Call]]:
    """Calls by the fields of :class:`models.CallFilter`; walk them with ``pages``."""
    return Request("GET", "/calls", models.Page[models.Call], asked)


def get(call: int) -> Request[models.CallDetail]:
    return Request("GET", f"/calls/{call}", models.CallDetail)


def why(call: int) -> Request[models.Hold]:
    return Request("GET", f"/calls/{call}/why", models.Hold)


def cancel(call: int) -> Request[models.Call]:
    return post(f"/calls/{call}/cancel", models.Call)


def relabel(call: int, callee_type: str) -> Request[models.Call]:
    """Correct who answered a call that has ended."""
    return post(f"/calls/{call}/relabel", models.Call, {"callee_type": callee_type})


def hang_up(call: int) -> Request[models.HangUp]:
    return post(f"/calls/{call}/hangup", models.HangUp)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
