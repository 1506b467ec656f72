"""The dialer's loop when what it leans on fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.model import Millis
from gateway.core.pacing import Limit, Pacer
from gateway.core.retry import RetryPolicy
from gateway.ports import StoreError
from gateway.services import dialer
from gateway.services.dialer import Dialer
from gateway.services.livecalls import LiveCalls
from tests.services.test_rescuer import Clock, StubPbx


@pytest.mark.parametrize("method", ["next_due", "expire", "claim"])
async def test_a_store_that_fails_for_a_while_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    works: Callable[..., object] = getattr(store, method)
    failures, worked = 2, asyncio.Event()

    async def fails(*arguments: object) -> object:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreError("disk I/O error")
        worked.set()
        return await works(*arguments)  # type: ignore[misc]

    monkeypatch.setattr(dialer, "IDLE_LOOK", 0.02)
    monkeypatch.setattr(store, method, fails)
    pbx, clock = StubPbx(), Clock(Millis(1_800_000_000_000))
    live = LiveCalls(store, pbx, clock)  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(5, 5), {"t": Limit(5, 5)})
    running = asyncio.create_task(Dialer(store, pbx, live, clock, pacer, lambda claimed: None).run())  # type: ignore
    async with asyncio.timeout(5):
        await worked.wait()
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()
