"""How often a PIN may be guessed: pure, time is given.

A login is slowed for the address that guesses at it, with waits that double. On top of that is a brake, on each login
wherever from and on each address whatever the login, which is a pace and never grows: it holds nobody up who signed
in from there before. So nobody can lock others out, and many addresses together are slow all the same.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.core.model import Millis
from gateway.core.ratelimit import RateLimit

#: Failures of one login from one address that cost nothing; from then on each doubles the wait.
FREE = 5
FIRST_WAIT_MS = 30 * 1000
LONGEST_WAIT_MS = 15 * 60 * 1000
#: Failures of one login, and from one address, that the brake takes no notice of; then one in so many milliseconds.
BRAKE_LOGIN = (100, 10_000)
BRAKE_ADDRESS = (100, 2_000)
FORGOTTEN_AFTER_MS = 3600 * 1000
REMEMBERED = 10_000

K = TypeVar("K")
V = TypeVar("V")


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
    """``address`` is what :func:`network_of` makes of it."""

    _failures: OrderedDict[tuple[str, str], _Failures] = field(default_factory=OrderedDict)
    _familiar: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    # A guess that is refused unseen tells nothing, but one that was right before is let through: a few at a time.
    _refused: RateLimit = field(default_factory=lambda: RateLimit(0.1, 10))

    def wait(self, login: str, address: str, now: Millis) -> int:
        """Seconds until this login may be tried from this address; 0 when it may be now."""
        keys = [(login, address)]
        if not self.familiar(login, address):
            keys += [(login, ""), ("", address)]
        until = max((self._failures[key].locked_until for key in keys if key in self._failures), default=0)
        return max(0, -(-(until - now) // 1000))

    def familiar(self, login: str, address: str) -> bool:
        """Whether that login was admitted from there before: the brake does not hold it up."""
        return (login, address) in self._familiar

    def failed(self, login: str, address: str, now: Millis) -> None:
        for key in ((login, address), (login, ""), ("", address)):
            found = self._failures.pop(key, None)
            if found is None or now - found.last > FORGOTTEN_AFTER_MS:
                found = _Failures()
            _keep(self._failures, key, found)
            found.count, found.last = found.count + 1, now
            if all(key):
                if (over := found.count - FREE) >= 0:
                    found.locked_until = now + min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(over, 10))
            else:
                free, pace = BRAKE_LOGIN if key[0] else BRAKE_ADDRESS
                if found.count >= free:
                    found.locked_until = now + pace

    def succeeded(self, login: str, address: str) -> None:
        self._failures.pop((login, address), None)
        _keep(self._familiar, (login, address), None)

    def refused(self, login: str, address: str, now: Millis) -> None:
        """A guess was turned away unseen."""
        self._refused.take(f"{login} {address}", now)

    def calm(self, login: str, address: str, now: Millis) -> bool:
        """Whether a PIN that was right from there before may pass a lock: not while guesses keep coming.

        Else whoever shares the address would find it by trying all of them on a locked login.
        """
        return self._refused.left(f"{login} {address}", now) >= 1


def _keep(book: OrderedDict[K, V], key: K, value: V) -> None:
    book.pop(key, None)
    book[key] = value
    while len(book) > REMEMBERED:
        book.popitem(last=False)


def network_of(address: str) -> str:
    """An address, or the /64 of an IPv6 one: a single subscriber has all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address or "-"
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(ipaddress.ip_network((found, 64), strict=False) if mapped is None else mapped)
    return str(found)
