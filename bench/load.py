"""Loading a list of 1,000,000 numbers against raw executemany of the same columns and indexes."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.common import NOW, PLAN, fresh_store
from gateway.adapters.store.file import connect
from gateway.adapters.store.intake import _INSERT_CALL
from gateway.adapters.store.upgrading import prepare
from gateway.core.plum import QUEUECALLS, Submission
from gateway.core.routes import Route, Router, Trunk
from gateway.services.intake import Desk, DeskSettings

COUNT = 1_000_000


class _Clock:
    def now(self):  # type: ignore[no-untyped-def]
        return NOW


def raw() -> float:
    """Rows per second of one executemany in one transaction."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raw.db"
        prepare(path, path.parent)
        db = connect(path)
        connection: sqlite3.Connection = db.conn
        connection.execute("INSERT INTO account VALUES (1, 'u', 'h', '{}')")
        connection.execute("INSERT INTO campaign VALUES (1, 1, 'c', 0, 'loading', '{}', 0, 0)")
        rows = (
            (1, 1, f"1617{n:07d}", f"+1617{n:07d}", "t", None, None, None, None, None, None, NOW, None, NOW)
            for n in range(2_000_000, 2_000_000 + COUNT)
        )
        started = time.perf_counter()
        connection.execute("BEGIN")
        connection.executemany(_INSERT_CALL, rows)
        connection.execute("COMMIT")
        spent = time.perf_counter() - started
        db.close()
        return COUNT / spent


async def ours() -> tuple[float, float]:
    """Rows per second from a spooled file to a published campaign, and MB above idle."""
    async with fresh_store() as (store, account, path):
        listed = path.with_name("list.txt")
        with listed.open("w") as file:
            file.writelines(f"1617{n:07d}\n" for n in range(2_000_000, 2_000_000 + COUNT))

        async def preflight(url: str, account: int) -> str | None:
            return None

        router = Router({"t": Trunk("t", "PJSIP/{number}@t")}, [Route("", "t")])
        desk = Desk(store, _Clock(), router, preflight, lambda: None, DeskSettings())
        values = {"campaign_name": "c", "start_url": PLAN.start_url}
        idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        load = await desk.queue_list(account, Submission(QUEUECALLS, values), listed)
        spent = time.perf_counter() - started
        assert load.queued == COUNT, load
        return COUNT / spent, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) / 1024


def run() -> str:
    base = raw()
    rate, memory = asyncio.run(ours())
    print(f"load: raw executemany {base:,.0f} rows/s, ours {rate:,.0f} rows/s, {memory:.0f} MB above idle", flush=True)
    return f"load of 1,000,000 numbers {rate / base:.2f} of raw (goal 0.5), {memory:.0f} MB (limit 200)"


def parts() -> Iterator[Callable[[], str]]:
    yield run
