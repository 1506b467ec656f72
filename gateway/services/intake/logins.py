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

from gateway.core.model import Account
from gateway.ports import Store

REMEMBER = 300.0
REMEMBERED = 10_000
AT_ONCE = 2

hasher = PasswordHasher()


class Logins:
    """One verification costs about 100 ms of CPU: two run at once, and an unknown login costs the same."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = secrets.token_bytes(32)
        self._dummy = hasher.hash(secrets.token_hex(8))
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._verified: OrderedDict[bytes, tuple[float, Account]] = OrderedDict()

    async def check(self, login: str, pin: str) -> Account | None:
        """The account, or None where login or PIN is wrong; which of them is not told."""
        mark = hmac.new(self._key, f"{len(login)}:{login}{pin}".encode(), hashlib.sha256).digest()
        if (kept := self._remembered(mark)) is not None:
            return kept
        account = await self._store.account_by_login(login)
        pin_hash = self._dummy if account is None else account.pin_hash
        async with self._turn:
            if (kept := self._remembered(mark)) is not None:  # verified for another request meanwhile
                return kept
            right = await asyncio.to_thread(_verify, pin_hash, pin)
        if not right or account is None:
            return None
        self._verified[mark] = (time.monotonic() + REMEMBER, account)
        while len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return account

    def _remembered(self, mark: bytes) -> Account | None:
        kept = self._verified.get(mark)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def forget(self) -> None:
        """An account changed: nothing that was verified before counts any more."""
        self._verified.clear()


def _verify(pin_hash: str, pin: str) -> bool:
    try:
        return hasher.verify(pin_hash, pin)
    except VerificationError:
        return False
