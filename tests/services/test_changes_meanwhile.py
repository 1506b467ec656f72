"""What is changed while it is being read: nobody is let in by what was true a moment ago."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from argon2 import PasswordHasher

from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.core.access import Scope
from gateway.core.model import AccountSettings
from gateway.core.retry import RetryPolicy
from gateway.services.accounts import Accounts
from gateway.services.intake.logins import Logins
from gateway.services.tokens import Tokens
from tests.services.test_feed import Clock

hasher = PasswordHasher(time_cost=1, memory_cost=64)


class Slow:
    """Reads at once, and hands on what it read when it is let go."""

    def __init__(self, inner: object, *names: str) -> None:
        self._inner, self._names = inner, names
        self.read, self.go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        async def slowly(*given: object) -> object:
            answer = await found(*given)
            self.read.set()
            await self.go.wait()
            return answer

        return slowly


async def test_a_token_that_is_revoked_while_tokens_are_read_is_good_no_more(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    book = Slow(SqliteAccess(store), "tokens")
    tokens = Tokens(book, Clock())  # type: ignore[arg-type]
    secret, token = await tokens.issue(None, "test", frozenset({Scope.OPERATOR}), None)
    asking = asyncio.create_task(tokens.find(secret))
    await book.read.wait()
    await tokens.revoke(token.id)
    book.go.set()
    assert await asking is None
    assert await tokens.find(secret) is None
    await store.close()


async def test_who_is_made_no_operator_while_the_account_is_read_is_none(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    book = Slow(SqliteAccess(store), "account")
    accounts = Accounts(store, book, Logins(store, clock), clock)  # type: ignore[arg-type]
    boss = await store.add_account("boss", "x", AccountSettings("UTC", "US", operator=True))
    asking = asyncio.create_task(accounts.get(boss.id))
    await book.read.wait()
    await book.set_settings(boss.id, replace(boss.settings, operator=False))
    accounts._forget(boss.id)
    book.go.set()
    found = await asking
    assert found is not None and not found.settings.operator
    await store.close()


async def test_a_pin_that_is_changed_while_it_is_verified_lets_nobody_in(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    slow = Slow(store, "account_by_login")
    logins = Logins(slow, clock)  # type: ignore[arg-type]
    accounts = Accounts(store, SqliteAccess(store), logins, clock)
    user = await store.add_account("user", hasher.hash("12345678"), AccountSettings("UTC", "US"))
    asking = asyncio.create_task(logins.admit("user", "12345678", "192.0.2.1"))
    await slow.read.wait()
    await accounts.set_pin(user, "87654321", 0)
    slow.go.set()
    assert await asking is None
    assert await logins.admit("user", "12345678", "192.0.2.1") is None
    await store.close()


async def test_a_change_is_made_to_the_settings_in_force(tmp_path: Path) -> None:
    """The operator's limits are not undone by a form that was begun before them."""
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    accounts = Accounts(store, SqliteAccess(store), Logins(store, clock), clock)
    before = await store.add_account("user", "x", AccountSettings("UTC", "US"))
    await accounts.change(before, {"blocked_prefixes": ["+1900"]})
    changed = await accounts.change(before, {"time_zone": "Europe/Berlin"})
    assert changed.settings.blocked_prefixes == ("+1900",)
    await store.close()
