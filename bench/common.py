"""What the benchmarks share: a store in a fresh folder, plans and calls."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.adapters.store import SqliteStore
from gateway.core.model import Account, AccountSettings, CallPlan, Millis
from gateway.core.retry import RetryPolicy

#: Begins the line of a benchmark that found a promise broken, and no mere speed missed.
BROKEN = "BROKEN"
NOW = Millis(1_800_000_000_000)
PLAN = CallPlan("http://a/s", "http://a/r", None, None, 1, 60, NOW, None)


@asynccontextmanager
async def fresh_store() -> AsyncIterator[tuple[SqliteStore, Account, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "q.db"
        store = SqliteStore(path, installation="bench", policy=RetryPolicy())
        try:
            yield store, await store.add_account("user", "hash", AccountSettings("UTC", "US")), path
        finally:
            await store.close()
