"""Checks logins and PINs against argon2 hashes, off the event loop, and remembers what it verified for minutes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from gateway.core.lockout import Locked, Lockout, network_of
from gateway.core.model import Account, AccountId
from gateway.ports import Clock, Store
from gateway.services.turns import Turns

REMEMBER = 300.0
REMEMBERED = 10_000
AT_ONCE = 2

hasher = PasswordHasher()


class Logins:
    """One verification costs about 100 ms of CPU; two run at once.

    Every refusal costs two of them: its time tells neither whether there is such a login nor whether its PIN changed.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._dummy = hasher.hash(secrets.token_hex(8))
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._verified: OrderedDict[bytes, tuple[float, Account]] = OrderedDict()
        self._right: OrderedDict[tuple[bytes, str], AccountId] = OrderedDict()  # what was right, and from where
        self._lockout = Lockout()
        self._turns = Turns()
        self._changes = 0
        self._changed: dict[AccountId, int] = {}  # the last change of each account

    async def admit(self, login: str, pin: str, address: str) -> Account | Locked | None:
        """As :meth:`check`, for a client at ``address``: guessing is slowed down, one guess at a time.

        A PIN that was right from that address before is no guess: nobody elsewhere can lock a customer's own clients
        out, nor find the PIN by what passes a lock.
        """
        mark, network = self._mark(login, pin), network_of(address)
        if self._proven(mark, login, network):
            return await self.check(login, pin)
        turns = [f"{login} {network}"]
        if not self._lockout.familiar(login, network):
            turns.insert(0, login)  # the brake counts what comes from everywhere
        async with self._turns.of(*turns):
            if self._proven(mark, login, network):  # verified for another request meanwhile
                return await self.check(login, pin)
            now = self._clock.now()
            if wait := self._lockout.wait(login, network, now):
                self._lockout.refused(login, network, now)
                return Locked(wait)
            changes = self._changes
            account = await self.check(login, pin)
            if account is None:
                self._lockout.failed(login, network, now)
                return None
            self._lockout.succeeded(login, network)
            if self._changed.get(account.id, 0) <= changes:
                self._right[mark, network] = account.id
                while len(self._right) > REMEMBERED:
                    self._right.popitem(last=False)
            return account

    def _proven(self, mark: bytes, login: str, network: str) -> bool:
        return (mark, network) in self._right and self._lockout.calm(login, network, self._clock.now())

    async def check(self, login: str, pin: str) -> Account | None:
        """The account, or None where login or PIN is wrong; which of them is not told."""
        mark, changes = self._mark(login, pin), self._changes
        if (kept := self._remembered(mark)) is not None:
            return kept
        account = await self._store.account_by_login(login)
        hashes = self._hashes(account)
        async with self._turn:
            if (kept := self._remembered(mark)) is not None:  # verified for another request meanwhile
                return kept
            which = await asyncio.to_thread(_first_right, hashes, pin)
        if account is not None and self._changed.get(account.id, 0) > changes:
            return await self.check(login, pin)  # the account was changed meanwhile: a PIN may not be right any more
        if which is None or account is None:
            return None
        kept_for = REMEMBER
        if which > 0 and account.old_pin_until is not None:
            kept_for = min(kept_for, (account.old_pin_until - self._clock.now()) / 1000)
        self._verified[mark] = (time.monotonic() + kept_for, account)
        while len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return account

    def _mark(self, login: str, pin: str) -> bytes:
        return hmac.new(self._key, f"{len(login)}:{login}{pin}".encode(), hashlib.sha256).digest()

    def _hashes(self, account: Account | None) -> tuple[str, str]:
        if account is None:
            return self._dummy, self._dummy
        if account.old_pin_hash is None or (account.old_pin_until or 0) <= self._clock.now():
            return account.pin_hash, self._dummy
        return account.pin_hash, account.old_pin_hash

    def _remembered(self, mark: bytes) -> Account | None:
        kept = self._verified.get(mark)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def forget(self, account: AccountId) -> None:
        """An account changed: what was verified of it before counts no more, nor what is being verified now."""
        self._changes += 1
        self._changed[account] = self._changes
        for mark in [mark for mark, (_, kept) in self._verified.items() if kept.id == account]:
            del self._verified[mark]
        for proof in [proof for proof, whose in self._right.items() if whose == account]:
            del self._right[proof]


def _first_right(hashes: tuple[str, ...], pin: str) -> int | None:
    return next((place for place, pin_hash in enumerate(hashes) if _verify(pin_hash, pin)), None)


def _verify(pin_hash: str, pin: str) -> bool:
    try:
        return hasher.verify(pin_hash, pin)
    except VerificationError:
        return False
