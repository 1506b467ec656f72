"""Forms that count once however often they are sent: each carries a name of its own, kept like an Idempotency-Key."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

import msgspec


def fresh() -> str:
    """The name of a form that is shown."""
    return secrets.token_urlsafe(16)


def key_of(once: str, fields: Sequence[tuple[str, str]]) -> str | None:
    """The key of a form and what it holds: sent again after the browser's way back, with a change, it is another."""
    if not once:
        return None
    return "form " + hashlib.sha256(msgspec.json.encode([once, fields])).hexdigest()
