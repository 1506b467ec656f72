"""PINs are verified at a price; a crowd of clients pays it once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.core.model import Account, AccountSettings, Millis
from gateway.core.retry import RetryPolicy
from gateway.core.visiting import FREE_OF_LOGIN, Locked
from gateway.parts import SystemClock
from gateway.services.intake import logins
from gateway.services.intake.logins import AT_ONCE, Logins, hasher
from tests.services.test_feed import Clock


async def test_a_crowd_with_one_login_verifies_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    await store.add_account("user", hasher.hash("1234"), AccountSettings("UTC", "US"))
    verified = 0
    verify = logins._verify

    def counted(pin_hash: str, pin: str) -> bool:
        nonlocal verified
        verified += 1
        return verify(pin_hash, pin)

    monkeypatch.setattr(logins, "_verify", counted)
    made = Logins(store, SystemClock())
    found = await asyncio.gather(*(made.check("user", "1234") for _ in range(50)))
    assert all(one is not None and one.login == "user" for one in found)
    assert verified <= AT_ONCE
    assert await made.check("user", "1235") is None
    await store.close()


async def test_a_changed_pin_leaves_the_old_one_valid_for_as_long_as_was_chosen(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    account = await store.add_account("user", hasher.hash("1111"), AccountSettings("UTC", "US"), clock.now())
    access = SqliteAccess(store)
    await access.set_pin(account.id, hasher.hash("2222"), clock.now(), Millis(clock.now() + 24 * 3600 * 1000))
    assert await Logins(store, clock).check("user", "1111") is not None
    assert await Logins(store, clock).check("user", "2222") is not None
    clock.at += 24 * 3600 * 1000
    assert await Logins(store, clock).check("user", "1111") is None
    await access.set_pin(account.id, hasher.hash("3333"), clock.now(), None)
    assert await Logins(store, clock).check("user", "2222") is None
    found = await Logins(store, clock).check("user", "3333")
    assert found is not None and found.pin_set_at == clock.now()
    await store.close()


async def test_every_refusal_costs_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an unknown login nor a changed PIN can be told from the time that a refusal takes."""
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    account = await store.add_account("user", hasher.hash("1111"), AccountSettings("UTC", "US"))
    verified: list[str] = []

    def noted(pin_hash: str, pin: str) -> bool:
        verified.append(pin_hash)
        return False

    monkeypatch.setattr(logins, "_verify", noted)
    made = Logins(store, clock)
    for login in ("user", "nobody"):
        assert await made.check(login, "0000") is None
    await SqliteAccess(store).set_pin(account.id, "hash", clock.now(), Millis(clock.now() + 1000))
    assert await made.check("user", "0000") is None
    assert len(verified) == 3 * 2
    await store.close()


async def test_guesses_at_once_are_slowed_and_what_was_right_before_is_no_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "hasher", PasswordHasher(time_cost=1, memory_cost=64))
    monkeypatch.setattr(logins, "REMEMBER", 0.0)
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    await store.add_account("user", logins.hasher.hash("12345678"), AccountSettings("UTC", "US"))
    made = Logins(store, clock)
    assert await made.admit("user", "12345678", "192.0.2.1") is not None
    tried = await asyncio.gather(*(made.admit("user", f"{n:04d}", "192.0.2.1") for n in range(100)))
    assert tried.count(None) == FREE_OF_LOGIN and sum(isinstance(one, Locked) for one in tried) == 100 - FREE_OF_LOGIN
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)
    assert await made.admit("user", "0000", "192.0.2.2") is None  # elsewhere nobody is held up
    await store.close()
