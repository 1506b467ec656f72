"""What the benchmarks share: a store in a fresh folder, plans and calls."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

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


async def serve(app: web.Application, pipe: Connection, until: Awaitable[object] | None = None) -> None:
    """Serve on a free port, which the other end is told, until it says anything, or until ``until`` is over."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pipe.send(runner.addresses[0][1])
    await (asyncio.to_thread(pipe.recv) if until is None else until)
    await runner.cleanup()
