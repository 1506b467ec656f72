"""Who is signed in to the pages: pure, time is given."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from gateway.core.model import Account, AccountId, Millis

#: A session ends so long after it was last used, and after it began.
IDLE_MS = 12 * 3600 * 1000
LONGEST_MS = 7 * 24 * 3600 * 1000
#: A session's use is written down no more often than this.
SEEN_EVERY_MS = 60 * 1000


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. ``mark`` is the hash of its cookie: who reads the database cannot sign in with it."""

    mark: str
    account_id: AccountId
    csrf: str
    created_at: Millis
    seen_at: Millis

    def over(self, now: Millis) -> bool:
        return now - self.seen_at > IDLE_MS or now - self.created_at > LONGEST_MS


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page."""

    session: Session
    account: Account

    @property
    def operator(self) -> bool:
        """Whether all accounts may be seen."""
        return self.account.settings.operator

    @property
    def scope(self) -> AccountId | None:
        """The account whose calls may be seen; None for all."""
        return None if self.operator else self.account.id

    def sees(self, account: AccountId) -> bool:
        return self.operator or account == self.account.id


def new_session(account: AccountId, now: Millis) -> tuple[str, Session]:
    """A cookie's value, and the session that it opens."""
    cookie = secrets.token_urlsafe(32)
    return cookie, Session(mark_of(cookie), account, secrets.token_urlsafe(32), now, now)


def mark_of(cookie: str) -> str:
    return hashlib.sha256(cookie.encode(errors="surrogatepass")).hexdigest()
