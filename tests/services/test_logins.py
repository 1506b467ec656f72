"""PINs are verified at a price; a crowd of clients pays it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.core.lockout import BRAKE_LOGIN, FREE, Locked
from gateway.core.model import Account, AccountSettings, Millis
from gateway.core.retry import RetryPolicy
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


@pytest.fixture
async def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Logins, Clock]]:
    """Logins of one account whose PIN is 12345678, verified cheaply."""
    monkeypatch.setattr(logins, "hasher", PasswordHasher(time_cost=1, memory_cost=64))
    store, clock = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), Clock()
    await store.add_account("user", logins.hasher.hash("12345678"), AccountSettings("UTC", "US"))
    yield Logins(store, clock), clock
    await store.close()


async def guesses(made: Logins, address: str, many: int) -> list[Account | Locked | None]:
    return await asyncio.gather(*(made.admit("user", f"{n:04d}", address) for n in range(many)))


async def test_guesses_at_once_are_slowed_as_one_by_one_and_elsewhere_nobody_is_held_up(
    quick: tuple[Logins, Clock],
) -> None:
    made, _ = quick
    tried = await guesses(made, "192.0.2.1", 100)
    assert tried.count(None) == FREE and sum(isinstance(one, Locked) for one in tried) == 100 - FREE
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Locked)
    assert isinstance(await made.admit("user", "12345678", "192.0.2.2"), Account)


async def test_what_was_right_from_there_before_is_no_guess(
    quick: tuple[Logins, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "REMEMBER", 0.0)
    made, _ = quick
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)
    await guesses(made, "192.0.2.1", FREE + 5)
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)


async def test_a_lock_is_passed_by_no_guess_that_is_right_for_somebody_elsewhere(quick: tuple[Logins, Clock]) -> None:
    """Else all PINs could be tried at once on the login of whoever was verified a minute ago."""
    made, _ = quick
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)
    await guesses(made, "192.0.2.2", FREE)
    assert isinstance(await made.admit("user", "12345678", "192.0.2.2"), Locked)
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)


async def test_a_lock_is_passed_by_no_guess_from_a_shared_address(quick: tuple[Logins, Clock]) -> None:
    made, clock = quick
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)
    await guesses(made, "192.0.2.1", 100)
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Locked)
    clock.at += 10_000
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)


async def test_a_thousand_addresses_guess_no_faster_than_the_brake_lets_them(
    quick: tuple[Logins, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, clock = quick
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)
    tried = await asyncio.gather(*(made.admit("user", "0000", f"198.51.{n // 250}.{n % 250}") for n in range(500)))
    assert tried.count(None) == BRAKE_LOGIN[0]
    assert isinstance(await made.admit("user", "12345678", "192.0.2.1"), Account)
    assert isinstance(await made.admit("user", "12345678", "192.0.2.2"), Locked)
    clock.at += BRAKE_LOGIN[1]
    assert isinstance(await made.admit("user", "12345678", "192.0.2.2"), Account)
