"""What a proxy and we could read differently is refused: no second request hides in the first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.adapters.doors import Door, DoorSettings
from tests.security.attacks import connections, ended

HOST = b"Host: a\r\n"
POST = b"POST /first HTTP/1.1\r\n" + HOST
HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

REFUSED = {
    "both lengths": POST + CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "both, the other way": POST + b"Content-Length: %d\r\n" % (5 + len(HIDDEN)) + CHUNKED + b"\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a list of lengths": POST + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a signed length": POST + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a hexadecimal length": POST + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "a length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n" + HIDDEN,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked twice": POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": POST + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a NUL in a header": POST + b"X: a\0b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a bare CR": POST + b"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "no host": b"POST /first HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /first HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a chunk size with an underscore": POST + CHUNKED + b"\r\n1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    "a chunk size with a sign": POST + CHUNKED + b"\r\n+1\r\nx\r\n0\r\n\r\n",
    "a chunk size with 0x": POST + CHUNKED + b"\r\n0x1\r\nx\r\n0\r\n\r\n",
    "a chunk that ends too late": POST + CHUNKED + b"\r\n1\r\nxy\r\n0\r\n\r\n" + HIDDEN,
    "a space in the path": b"GET /fir st HTTP/1.1\r\n" + HOST + b"\r\n",
    "a version of tomorrow": b"GET /first HTTP/9.9\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a line that never ends": b"GET /" + b"a" * 20_000,
    "a header that never ends": POST + b"X: " + b"a" * 20_000,
    "a thousand headers": POST + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n",
}  # fmt: skip


@pytest.fixture
async def seen() -> AsyncIterator[tuple[Door, list[tuple[str, bytes]]]]:
    """A port, and path and body of each request that came through it whole."""
    found: list[tuple[str, bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        found.append((request.path, await request.read()))
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    door = Door("test", app, DoorSettings(first_within=1.0, idle=1.0, look_every=0.1), shutdown_timeout=0.1)
    await door.open("127.0.0.1", 0)
    yield door, found
    await door.close()


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
async def test_what_can_be_read_in_two_ways_is_refused(
    seen: tuple[Door, list[tuple[str, bytes]]], request_: bytes
) -> None:
    door, found = seen
    async with connections(door.port) as connect:
        reader, writer = await connect()
        writer.write(request_)
        said = await ended(reader)
    assert said == b"" or said.startswith(b"HTTP/1.0 400")
    assert b"200 OK" not in said
    assert not any(path == "/hidden" for path, _ in found)


async def test_a_body_that_looks_like_a_request_is_a_body(seen: tuple[Door, list[tuple[str, bytes]]]) -> None:
    door, found = seen
    async with connections(door.port) as connect:
        reader, writer = await connect()
        writer.write(POST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN)
        writer.write(POST + CHUNKED + b"\r\n%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n")
        await ended(reader)
    assert found == [("/first", HIDDEN), ("/first", HIDDEN)]
