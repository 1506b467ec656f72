"""Requests about the audit log, for operators."""

from __future__ import annotations

from voxgate import models
from voxgate.request import Request


def find(limit: int = 100) -> Request[models.Page[models.AuditLine]]:
    """Who changed what, the newest first; walk it with ``pages``."""
    return Request("GET", "/audit", models.Page[models.AuditLine], {"limit": limit})
