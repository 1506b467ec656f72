"""Web servers on loopback: one that may be fetched from, one inside that may not, and names that change their mind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

ALLOWED, INSIDE = "127.0.0.1", "127.0.0.2"


@dataclass
class Webs:
    """``pages`` are served at the allowed address by path; ``stolen`` are the requests that came in where none may."""

    port: int
    pages: dict[str, str | bytes | web.StreamResponse] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stolen: list[str] = field(default_factory=list)

    @property
    def open(self) -> str:
        return f"http://{ALLOWED}:{self.port}"

    @property
    def inside(self) -> str:
        return f"http://{INSIDE}:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path == "/away":
            return web.Response(status=int(request.query["status"]), headers={"Location": request.query["to"]})
        page = self.pages.get(request.path, "")
        if isinstance(page, web.StreamResponse):
            return page
        body = page if isinstance(page, bytes) else page.encode()
        return web.Response(body=body, content_type="application/voicexml+xml")

    async def steal(self, request: web.Request) -> web.StreamResponse:
        self.stolen.append(request.path)
        return web.Response(text="secret")


@asynccontextmanager
async def webs() -> AsyncIterator[Webs]:
    """Both on the same port, so that an address alone tells them apart."""
    made = Webs(0)
    runners = []
    for handler in (made.answer, made.steal):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        runners.append(runner)
    with _both() as (first, second):
        made.port = int(first.getsockname()[1])
        for runner, listening in zip(runners, (first, second), strict=True):
            await web.SockSite(runner, listening).start()
        try:
            yield made
        finally:
            for runner in runners:
                await runner.cleanup()


class _both:
    """Two sockets on one port of two addresses."""

    def __enter__(self) -> tuple[socket.socket, socket.socket]:
        while True:
            first, second = socket.socket(), socket.socket()
            first.bind((ALLOWED, 0))
            try:
                second.bind((INSIDE, first.getsockname()[1]))
            except OSError:
                first.close()
                second.close()
                continue
            self._sockets = first, second
            return self._sockets

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            one.close()


@asynccontextmanager
async def raw_server(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A server of bytes; its port. Every connection ends with it."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)

    server = await asyncio.start_server(serve, ALLOWED, 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


class Names(AbstractResolver):
    """``answers`` by name, one after the other; the last goes on. ``asked`` counts."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        found = self.answers[host]
        addresses = found.pop(0) if len(found) > 1 else found[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in addresses
        ]

    async def close(self) -> None:
        pass
