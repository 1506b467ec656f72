"""Bearer tokens and what they may do: pure, time is given."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.model import AccountId, Millis

PREFIX = "vgt_"


class Scope(StrEnum):
    """What a token may do. A login with its PIN may do all of it, ``operator`` only where the account is one."""

    READ = "read"
    """See calls, campaigns, results and events."""
    CALLS = "calls"
    """Queue calls and campaigns; pause, cancel and hang up."""
    RESULTS = "results"
    """Post results again, and test posts."""
    ACCOUNT = "account"
    """Change one's own PIN, tokens and signing secret."""
    OPERATOR = "operator"
    """All accounts: see and change everything."""


@dataclass(frozen=True, slots=True)
class Token:
    """``account`` is None for an operator's token that belongs to no account, which is worth what its ``issuer`` is.

    ``issuer`` is the account by which it was issued, None for whoever may open the gateway's Unix socket.
    """

    id: int
    account: AccountId | None
    name: str
    scopes: frozenset[Scope]
    created_at: Millis
    expires_at: Millis | None = None
    used_at: Millis | None = None
    revoked_at: Millis | None = None
    issuer: AccountId | None = None

    def valid(self, now: Millis) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret() -> str:
    """What the client is given, once. It has 256 bits, so its hash needs no salt and no work factor."""
    return PREFIX + secrets.token_urlsafe(32)


def mark_of(secret: str) -> str:
    """What is stored of a secret: who reads the database cannot use it."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


DONE = "done"
#: Whoever may open the gateway's Unix socket, or its database.
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that somebody made, or may not make. ``detail`` never holds a PIN, a token or a secret."""

    at: Millis
    actor: str
    action: str
    subject: str
    account: AccountId | None = None  # whose thing was changed
    detail: str = ""
    origin: str = ""  # an address, or who opened the socket
    outcome: str = DONE
    id: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a request with this key was carried out, and what it was answered. ``owner`` 0 is the operator."""

    owner: int
    key: str
    fingerprint: str
    status: int
    answer: bytes
    at: Millis


#: How long a receipt is kept.
KEPT_MS = 7 * 24 * 3600 * 1000
