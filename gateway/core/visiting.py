"""Who is signed in to the pages, and how often a sign-in may fail: pure, time is given."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from gateway.core.model import Account, AccountId, Millis

#: A session ends so long after it was last used, and after it began.
IDLE_MS = 12 * 3600 * 1000
LONGEST_MS = 7 * 24 * 3600 * 1000
#: A session's use is written down no more often than this.
SEEN_EVERY_MS = 60 * 1000

#: Failures of one login, and of one address, that cost nothing; from then on each doubles the wait.
FREE_OF_LOGIN = 5
FREE_OF_ADDRESS = 20
FIRST_WAIT_MS = 30 * 1000
LONGEST_WAIT_MS = 15 * 60 * 1000
FORGOTTEN_AFTER_MS = 3600 * 1000
REMEMBERED = 10_000


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
    return hashlib.sha256(cookie.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Locked:
    """Too many failures: nothing is tried for so many seconds."""

    seconds: int


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: int = 0
    locked_until: int = 0


@dataclass(slots=True)
class Lockout:
    """Slows down whoever guesses PINs: of one login, whoever asks, and from one address, whatever the login."""

    _failures: OrderedDict[tuple[str, str], _Failures] = field(default_factory=OrderedDict)

    def wait(self, login: str, address: str, now: Millis) -> int:
        """Seconds until this login may be tried again from this address; 0 when it may be now."""
        until = max(
            (self._failures[key].locked_until for key in self._keys(login, address) if key in self._failures), default=0
        )
        return max(0, -(-(until - now) // 1000))

    def failed(self, login: str, address: str, now: Millis) -> None:
        for key, free in zip(self._keys(login, address), (FREE_OF_LOGIN, FREE_OF_ADDRESS), strict=True):
            found = self._failures.pop(key, None)
            if found is None or now - found.last > FORGOTTEN_AFTER_MS:
                found = _Failures()
            self._failures[key] = found
            found.count, found.last = found.count + 1, now
            if (over := found.count - free) >= 0:
                found.locked_until = now + min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(over, 10))
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, login: str, address: str) -> None:
        for key in self._keys(login, address):
            self._failures.pop(key, None)

    @staticmethod
    def _keys(login: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
        return ("login", login), ("address", address)
