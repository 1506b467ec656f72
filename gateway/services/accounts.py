"""Accounts as the API and the pages change them: checked, remembered by id, and forgotten by the logins at a change."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from gateway.core.accounts import changed, check_login, check_pin, check_settings
from gateway.core.model import Account, AccountId, AccountSettings, Millis
from gateway.core.plum import FieldError
from gateway.ports import Clock, Store
from gateway.services.intake.logins import Logins, hasher

HOUR_MS = 3600 * 1000


async def account_named(store: Store, login: str) -> Account:
    """Raises :class:`FieldError`."""
    account = await store.account_by_login(login)
    if account is None:
        raise FieldError("account", f"{login!r} is unknown: see `voxgate account list`")
    return account


class AccountBook(Protocol):
    """What is asked of the database."""

    async def account(self, ident: AccountId) -> Account | None: ...
    async def set_settings(self, ident: AccountId, settings: AccountSettings) -> None: ...
    async def set_pin(
        self, ident: AccountId, pin_hash: str, now: Millis, old_until: Millis | None, keep: str | None
    ) -> None:
        """Browsers that are signed in are signed out with it, but for the session with that mark; None: none is."""
        ...


class Accounts:
    def __init__(self, store: Store, book: AccountBook, logins: Logins, clock: Clock) -> None:
        self._store = store
        self._book = book
        self._logins = logins
        self._clock = clock
        self._known: dict[AccountId, Account] = {}
        self._changes = 0
        self._changing = asyncio.Lock()

    async def get(self, ident: AccountId) -> Account | None:
        while ident not in self._known:
            changes = self._changes
            if (found := await self._book.account(ident)) is None:
                return None
            if changes == self._changes:  # no account was changed while it was read
                self._known[ident] = found
        return self._known[ident]

    async def by_login(self, login: str) -> Account | None:
        return await self._store.account_by_login(login)

    async def named(self, login: str) -> Account:
        """Raises :class:`FieldError`."""
        return await account_named(self._store, login)

    async def login_of(self, ident: AccountId) -> str:
        found = await self.get(ident)
        return "" if found is None else found.login

    async def all(self) -> list[Account]:
        return await self._store.accounts()

    async def add(self, login: str, pin: str, settings: AccountSettings) -> Account:
        """Raises :class:`FieldError`, :class:`gateway.ports.NameTaken`."""
        check_login(login), check_pin(pin), check_settings(settings)
        pin_hash = await asyncio.to_thread(hasher.hash, pin)
        added = await self._store.add_account(login, pin_hash, settings, self._clock.now())
        self._forget(added.id)
        return added

    async def change(self, account: Account, changes: dict[str, Any]) -> Account:
        """Change some settings; null goes back to the default. Raises :class:`FieldError`."""
        async with self._changing:  # on what is in force now: another's change since ``account`` was read is not undone
            now = await self._book.account(account.id)
            settings = (now or account).settings
            await self._book.set_settings(account.id, changed(settings, changes))
            return await self._again(account)

    async def set_pin(self, account: Account, pin: str, keep_old_hours: int, keep: str | None = "") -> Account:
        """``keep_old_hours``: the PIN that was valid until now stays valid for so long, 0 not at all.

        Its browsers are signed out, but for the session with the mark ``keep``; where that is None, none is. Tokens
        stay as they are.
        """
        check_pin(pin)
        now = self._clock.now()
        until = Millis(now + keep_old_hours * HOUR_MS) if keep_old_hours else None
        await self._book.set_pin(account.id, await asyncio.to_thread(hasher.hash, pin), now, until, keep)
        return await self._again(account)

    async def _again(self, account: Account) -> Account:
        self._forget(account.id)
        found = await self.get(account.id)
        assert found is not None
        return found

    def _forget(self, ident: AccountId) -> None:
        self._changes += 1
        self._known.pop(ident, None)
        self._logins.forget(ident)
