"""Requests about the gateway as a whole, its events and its audit log."""

from __future__ import annotations

from typing import Any

from voxgate import models
from voxgate.request import Request


def status() -> Request[models.Status]:
    return Request("GET", "/status", models.Status)


def why() -> Request[models.Hold]:
    return Request("GET", "/why", models.Hold)


def usage() -> Request[models.Usage]:
    return Request("GET", "/usage", models.Usage)


def lift() -> Request[models.Usage]:
    """Let everybody spend beyond the gateway's ceiling until its day ends."""
    return Request("POST", "/lift", models.Usage)


def events(**asked: Any) -> Request[models.Event]:
    """Events by the fields of :class:`models.EventFilter`; hear them with ``events``."""
    return Request("GET", "/events", models.Event, asked)


def audit(**asked: Any) -> Request[models.Page[models.AuditLine]]:
    """Who changed what, the newest first; walk it with ``pages``."""
    return Request("GET", "/audit", models.Page[models.AuditLine], asked)
