"""Requests about accounts, for operators, and about one's own PIN."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.model import AccountSettings
from voxgate import models
from voxgate.request import Request, post


def add(login: str, pin: str, settings: AccountSettings) -> Request[models.Account]:
    return post("/accounts", models.Account, {"login": login, "pin": pin, "settings": settings})


def all_of_them() -> Request[list[models.Account]]:
    return Request("GET", "/accounts", list[models.Account])


def get(login: str) -> Request[models.Account]:
    return Request("GET", f"/accounts/{login}", models.Account)


def change(login: str, **settings: Any) -> Request[models.Account]:
    """Change settings: what is not named stays, None goes back to the default."""
    return Request("PATCH", f"/accounts/{login}", models.Account, body=msgspec.json.encode(settings))


def usage(login: str) -> Request[models.Usage]:
    return Request("GET", f"/accounts/{login}/usage", models.Usage)


def lift(login: str) -> Request[models.Usage]:
    """Let an account spend beyond its ceiling until its day ends."""
    return Request("POST", f"/accounts/{login}/lift", models.Usage)


def set_pin(login: str, pin: str, keep_old_hours: int = 0, *, keep_sessions: bool = False) -> Request[models.Account]:
    body = {"pin": pin, "keep_old_hours": keep_old_hours, "keep_sessions": keep_sessions}
    return post(f"/accounts/{login}/pin", models.Account, body)


def signing(login: str) -> Request[models.Signing]:
    return Request("GET", f"/accounts/{login}/signing", models.Signing)


def renew_signing(login: str, keep_old_hours: int = 24) -> Request[models.IssuedSigning]:
    """The answer's ``secret`` is shown this once."""
    return post(f"/accounts/{login}/signing", models.IssuedSigning, {"keep_old_hours": keep_old_hours})


def stop_signing(login: str) -> Request[models.Signing]:
    return post(f"/accounts/{login}/signing/off", models.Signing)
