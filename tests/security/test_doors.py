"""Every HTTP port's door: the slow, the silent and the many are let go, and whoever asks properly is answered."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog.testing
import trustme
from aiohttp import ClientSession, web

from gateway.adapters import doors, strangers
from gateway.adapters.doors import Door, DoorSettings
from tests.security.attacks import GET, answer, connections, drip, ended, flood

#: Everything a hundred times faster than it is.
QUICK = DoorSettings(
    first_within=0.4, idle=0.6, body_grace=0.3, body_rate=50_000.0, unread=0.4, look_every=0.05
)  # fmt: skip
LARGE = bytes(24 * 1024 * 1024)


async def front(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/large":
            return web.Response(body=LARGE)
        case "/late":  # we ourselves read late
            await asyncio.sleep(0.8)
    return web.Response(text=str(len(await request.read())))


@asynccontextmanager
async def opened(settings: DoorSettings = QUICK, tls: ssl.SSLContext | None = None) -> AsyncIterator[Door]:
    app = web.Application(client_max_size=1024**3)
    app.router.add_route("*", "/{path:.*}", front)
    door = Door("test", app, settings, shutdown_timeout=0.1)
    await door.open("127.0.0.1", 0, tls)
    try:
        yield door
    finally:
        await door.close()


async def is_served(door: Door) -> None:
    async with ClientSession() as session, session.post(f"http://127.0.0.1:{door.port}/", data=b"x" * 100) as told:
        assert await told.text() == "100"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"G",
        GET[:-2],
        b"GET / HTTP/1.1\r\nX: " + b"y" * 2000,
        b"\r\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
)
async def test_who_asks_nothing_whole_is_let_go(said: bytes) -> None:
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        writer.write(said)
        assert b"200" not in await ended(reader)
        await is_served(door)


async def test_a_handshake_that_never_ends_is_not_waited_for() -> None:
    authority = trustme.CA()
    theirs, ours = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(theirs)
    authority.issue_cert("localhost").configure_cert(ours)
    async with opened(tls=ours) as door, connections(door.port) as connect:
        hanging = []
        for said in (b"", b"\x16\x03\x01\x02\x00\x01", GET):
            reader, writer = await connect()
            writer.write(said)
            hanging.append(reader)
        for reader in hanging:
            assert b"HTTP" not in await ended(reader)
        async with ClientSession() as session, session.get(f"https://localhost:{door.port}/", ssl=theirs) as told:
            assert told.status == 200


async def test_headers_that_drip_are_not_waited_for() -> None:
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        dripping = asyncio.create_task(drip(writer, GET[:-2] + b"X-A: b\r\n" * 100))
        assert await ended(reader) == b""
        assert not dripping.done()
        await is_served(door)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_body_that_drips_is_not_waited_for() -> None:
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        dripping = asyncio.create_task(drip(writer, b"x" * 1000))
        assert await ended(reader) == b""
        assert not dripping.done()
        await is_served(door)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_large_body_on_a_slow_line_is_taken_whole() -> None:
    """It takes longer than the grace, and at twice the least rate."""
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(20):
            writer.write(b"x" * 5000)
            await asyncio.sleep(0.05)
        assert await answer(reader) == b"HTTP/1.1 200 OK\r\n"


async def test_a_body_that_we_do_not_read_is_not_slow() -> None:
    async with opened() as door, ClientSession() as session:
        body = bytes(8 * 1024 * 1024)  # more than fits between us
        async with session.post(f"http://127.0.0.1:{door.port}/late", data=io.BytesIO(body)) as told:
            assert await told.text() == str(len(body))


async def test_who_does_not_take_an_answer_is_let_go() -> None:
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        with structlog.testing.capture_logs() as lines:
            writer.write(GET.replace(b"/ ", b"/large "))
            await asyncio.sleep(1.0)
            got = len(await ended(reader))
        assert 0 < got < len(LARGE)
        assert {"slow_to_read": 1} in [line.get("why") for line in lines]
        await is_served(door)


async def test_who_takes_an_answer_slowly_gets_it_whole() -> None:
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        writer.write(GET.replace(b"/ ", b"/large "))
        got = 0
        async with asyncio.timeout(60):
            while got < len(LARGE):
                got += len(await reader.readexactly(512 * 1024))
                await asyncio.sleep(0.01)


async def test_a_connection_is_kept_between_requests_and_not_for_ever() -> None:
    async with opened() as door, connections(door.port) as connect:
        reader, writer = await connect()
        for _ in range(3):
            writer.write(GET)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n0")
            await asyncio.sleep(0.2)
        assert await ended(reader) == b""


@pytest.mark.parametrize("say", [b"", GET[:-2], GET, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nx"])
async def test_a_thousand_that_hang_on_keep_nobody_out(say: bytes) -> None:
    """With the times of a real port: nobody is too slow yet."""
    async with opened(DoorSettings()) as door, flood(door.port, say=say):
        await is_served(door)


async def test_a_full_port_lets_go_who_has_been_sending_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MOST", 20)
    sending = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nx"
    async with opened(DoorSettings()) as door, connections(door.port) as connect:
        first, writer = await connect()
        writer.write(sending)
        await asyncio.sleep(0.1)
        async with flood(door.port, 30, say=sending):
            assert await ended(first) == b""
            await is_served(door)


async def test_who_is_gone_takes_nobody_s_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "MOST", 10)
    async with opened(DoorSettings()) as door, connections(door.port) as connect:
        door._strangers._most = 10
        reader, writer = await connect()
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n0")
        for _ in range(50):  # each on a connection of its own
            await is_served(door)
        writer.write(GET)
        assert await answer(reader) == b"HTTP/1.1 200 OK\r\n"


async def test_the_kernel_looks_whether_peers_are_alive() -> None:
    async with opened() as door, connections(door.port) as connect:
        _, writer = await connect()
        await is_served(door)
        accepted = next(iter(door._waiting)).transport
        assert accepted is not None
        kept = accepted.get_extra_info("socket")
        assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == strangers.KEEP_IDLE
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == strangers.UNACKNOWLEDGED
        assert not writer.is_closing()
