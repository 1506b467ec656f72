"""What strangers do to a port, with bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.adapters.strangers import allow_many

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def ended(reader: asyncio.StreamReader, within: float = 30.0) -> bytes:
    """What the other side said until it ended the connection; fails where it does not."""
    said = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(within):
            while piece := await reader.read(65536):
                said += piece
    return said


async def answer(reader: asyncio.StreamReader, within: float = 30.0) -> bytes:
    """The first line of an answer; nothing where the connection ended without."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(within):
            return await reader.readline()
    return b""


@asynccontextmanager
async def connections(port: int, host: str = "127.0.0.1") -> AsyncIterator[Callable[[], object]]:
    """Opens connections by calls, and ends them all."""
    allow_many()
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Streams:
        reader, writer = await asyncio.open_connection(host, port)
        opened.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in opened:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in opened), return_exceptions=True)


@asynccontextmanager
async def flood(port: int, count: int = 1000, say: bytes = b"") -> AsyncIterator[None]:
    """``count`` connections that say this much and wait."""
    async with connections(port) as connect:
        for start in range(0, count, 50):
            made = await asyncio.gather(
                *(connect() for _ in range(start, min(start + 50, count))), return_exceptions=True
            )
            for one in made:
                if not isinstance(one, BaseException):
                    with contextlib.suppress(ConnectionError):
                        one[1].write(say)
        yield


async def drip(writer: asyncio.StreamWriter, data: bytes, every: float = 0.02) -> None:
    """A byte at a time, until the other side has had enough."""
    with contextlib.suppress(ConnectionError):
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(every)
