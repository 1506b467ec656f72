"""FastAGI sessions that another process of this host serves: the doctor looks while the gateway has the port."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

#: Seconds for which a path is lent.
FOR = 60.0


class Lender:
    """Each path is lent for one connection."""

    def __init__(self) -> None:
        self._lent: dict[str, tuple[int, float]] = {}

    def lend(self, path: str, port: int) -> None:
        """Let the next session that asks for ``path`` be served at ``port`` of the loopback interface."""
        now = time.monotonic()
        self._lent = {one: (where, until) for one, (where, until) in self._lent.items() if until > now}
        self._lent[path] = (port, now + FOR)

    def take(self, path: str) -> int | None:
        port, until = self._lent.pop(path, (None, 0.0))
        return port if until > time.monotonic() else None


async def splice(greeting: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Hand a session on as it is, until either side ends it."""
    try:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return  # the borrower has gone: Asterisk finds its session ended
    far_writer.write(greeting)
    pumps = [asyncio.create_task(_pump(reader, far_writer)), asyncio.create_task(_pump(far_reader, writer))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        far_writer.close()
        with suppress(OSError):
            await far_writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
