"""Signatures of result posts, by Standard Webhooks (https://www.standardwebhooks.com): pure, time is given."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.model import Millis

PREFIX = "whsec_"
#: Bytes of a secret: the specification asks for 24 to 64.
LENGTH = 32


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """An account's secret since ``set_at``, and the one before, which also signs until ``old_until``."""

    secret: str
    set_at: Millis
    old_secret: str | None = None
    old_until: Millis | None = None

    def __repr__(self) -> str:  # a traceback or a log line must not show them
        return f"SigningKeys(set_at={self.set_at}, old_until={self.old_until})"

    def valid(self, now: Millis) -> tuple[str, ...]:
        """The secrets that sign now, the newest first."""
        old = self.old_secret if self.old_until is not None and now < self.old_until else None
        return (self.secret,) if old is None else (self.secret, old)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(LENGTH)).decode()


def signature(secret: str, ident: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of ``ident.timestamp.body``; ``timestamp`` in Unix seconds. Raises ValueError."""
    text = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("the secret is no base64 after whsec_: copy it anew") from None
    signed = f"{ident}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(ident: str, now: Millis, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one post; a signature by each secret, parted by spaces."""
    timestamp = now // 1000
    found = {"webhook-id": ident, "webhook-timestamp": str(timestamp)}
    if secrets:
        found["webhook-signature"] = " ".join(signature(secret, ident, timestamp, body) for secret in secrets)
    return found
