"""Runs the export worker and hands its output on, piece by piece."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from gateway.core.exporting import ExportQuery, Format
from gateway.ports import StoreError

PIECE = 256 * 1024


class ExportUnavailable(ValueError):
    """The format needs something that is not installed; the message says what."""


def available(form: Format) -> None:
    """Raises :class:`ExportUnavailable`."""
    if form is Format.PARQUET and importlib.util.find_spec("pyarrow") is None:
        raise ExportUnavailable("needs pyarrow, which is not installed: pip install 'voxgate[parquet]'")


async def export(path: Path, form: Format, query: ExportQuery) -> AsyncIterator[bytes]:
    """The file's bytes. A reader that goes away ends the worker. Raises :class:`StoreError` where it fails midway."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.adapters.store.export_worker",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdin is not None and worker.stdout is not None and worker.stderr is not None
    try:
        worker.stdin.write(msgspec.json.encode({"path": str(path), "format": form, "query": query}))
        worker.stdin.close()
        while piece := await worker.stdout.read(PIECE):
            yield piece
        said = await worker.stderr.read()
        if await worker.wait() != 0:
            reason = said.decode(errors="replace").strip().rpartition("\n")[2]
            raise StoreError(f"the export ended midway: {reason}")
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
