"""Requests about bearer tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from voxgate import models
from voxgate.request import Request, post


def issue(
    name: str, scopes: Sequence[str], account: str | None = None, expires_at: datetime | None = None
) -> Request[models.IssuedToken]:
    """The answer's ``token`` is shown this once."""
    body = {"name": name, "scopes": list(scopes), "account": account, "expires_at": expires_at}
    return post("/tokens", models.IssuedToken, body)


def all_of_them() -> Request[list[models.Token]]:
    return Request("GET", "/tokens", list[models.Token])


def revoke(token: int) -> Request[models.Token]:
    return Request("DELETE", f"/tokens/{token}", models.Token)
