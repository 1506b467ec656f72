"""The secrets that sign an account's result posts: made, shown once, changed, and taken away."""

from __future__ import annotations

import asyncio
from typing import Protocol

from gateway.core.model import Account, AccountId, Millis
from gateway.core.signing import SigningKeys, new_secret
from gateway.ports import Clock

HOUR_MS = 3600 * 1000
#: Hours for which the secret before may also sign: receivers are changed one after another.
MOST_HOURS = 168


class SigningBook(Protocol):
    async def signing_keys(self, account: AccountId) -> SigningKeys | None: ...
    async def set_signing_keys(self, account: AccountId, keys: SigningKeys | None) -> None: ...


class Signing:
    """One process owns the database, so what was read once is true until it is changed here."""

    def __init__(self, book: SigningBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._known: dict[AccountId, SigningKeys | None] = {}
        self._changes = 0
        self._changing = asyncio.Lock()  # what is shown to one who renews is the one before to the next

    async def keys(self, account: AccountId) -> SigningKeys | None:
        """None where the account's posts are not signed."""
        while account not in self._known:
            changes = self._changes
            found = await self._book.signing_keys(account)
            if changes == self._changes:  # nothing was changed while it was read
                self._known[account] = found
        return self._known[account]

    async def secrets(self, account: AccountId) -> tuple[str, ...]:
        """Those that sign a post now."""
        keys = await self.keys(account)
        return () if keys is None else keys.valid(self._clock.now())

    async def renew(self, account: Account, keep_old_hours: int) -> SigningKeys:
        """Another secret, to be shown this once; the one before also signs for so many hours, 0 not at all."""
        async with self._changing:
            now, before = self._clock.now(), await self.keys(account.id)
            if before is None or keep_old_hours == 0:
                keys = SigningKeys(new_secret(), now)
            else:
                keys = SigningKeys(new_secret(), now, before.secret, Millis(now + keep_old_hours * HOUR_MS))
            await self._set(account.id, keys)
        return keys

    async def stop(self, account: Account) -> None:
        """Posts are not signed any more."""
        async with self._changing:
            await self._set(account.id, None)

    async def _set(self, account: AccountId, keys: SigningKeys | None) -> None:
        await self._book.set_signing_keys(account, keys)
        self._changes += 1
        self._known[account] = keys
