"""An export of a million calls, in rows a second, against sqlite3 and csv alone on the same rows."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.common import NOW, PLAN, fresh_store
from gateway.adapters.exports import export
from gateway.core.exporting import ExportQuery, Format
from gateway.core.model import NewCall

ROWS = 1_000_000


def raw(path: Path) -> float:
    """Rows a second of the shortest program that writes the same table."""
    began = time.perf_counter()
    with sqlite3.connect(path) as db:
        csv.writer(io.StringIO()).writerows(db.execute("SELECT * FROM call ORDER BY id"))
    return ROWS / (time.perf_counter() - began)


async def ours(path: Path, form: Format) -> float:
    began = time.perf_counter()
    lines = 0
    async for piece in export(path, form, ExportQuery()):
        lines += piece.count(b"\n")
    assert lines >= ROWS
    return ROWS / (time.perf_counter() - began)


async def measured() -> tuple[float, float, float]:
    async with fresh_store() as (store, account, path):
        campaign = await store.open_campaign(account.id, "c", PLAN, NOW)
        for start in range(0, ROWS, 2000):
            batch = [
                NewCall(
                    f"1{n:010d}", f"+1{n:010d}", "t", message_reference=f"order {n}", call_parameters=f"a={n}&b=x,y"
                )
                for n in range(start, start + 2000)
            ]
            await store.load_calls(campaign, batch, NOW)
        await store.publish_campaign(campaign, 0)
        return raw(path), await ours(path, Format.CSV), await ours(path, Format.JSONL)


def run() -> str:
    alone, as_csv, as_jsonl = asyncio.run(measured())
    print(f"export: raw {alone:,.0f} rows/s, CSV {as_csv:,.0f}, JSON Lines {as_jsonl:,.0f}", flush=True)
    return f"export of 1M calls CSV {as_csv / alone:.2f}, JSON Lines {as_jsonl / alone:.2f} of raw sqlite3 + csv"


def parts() -> Iterator[Callable[[], str]]:
    yield run
