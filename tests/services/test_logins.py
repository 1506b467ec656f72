"""PINs are verified at a price; a crowd of clients pays it once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.model import AccountSettings
from gateway.core.retry import RetryPolicy
from gateway.services.intake import logins
from gateway.services.intake.logins import AT_ONCE, Logins, hasher


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
    made = Logins(store)
    found = await asyncio.gather(*(made.check("user", "1234") for _ in range(50)))
    assert all(one is not None and one.login == "user" for one in found)
    assert verified <= AT_ONCE
    assert await made.check("user", "1235") is None
    await store.close()
