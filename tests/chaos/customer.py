"""A customer's web server that can be in any mood: it serves the application and takes the result posts."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter, defaultdict
from contextlib import suppress
from enum import StrEnum

from aiohttp import web

from lab.inthread import InThread

START = """<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block>
<prompt>Hello. This is a call.</prompt><submit next="next.php"/></block></form></vxml>"""
NEXT = """<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block>
<prompt>Good bye.</prompt><exit/></block></form></vxml>"""

#: Bytes of the answer that is too large, and of one piece of it.
HUGE, PIECE = 1 << 30, 1 << 20


class Mood(StrEnum):
    KIND = "kind"
    HANGS = "hangs"
    RESETS = "resets"
    DRIPS = "drips"  # a byte a second
    FAILS = "fails"  # 500
    FLOODS = "floods"  # 1 GB
    CIRCLES = "circles"  # redirects to itself


class Customer(InThread):
    """Serves in a thread of its own. ``posts`` and ``ids`` (webhook-ids) are by call id, of posts it said yes to."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host  # the name by which the gateway finds it
        self.starts = self.results = Mood.KIND
        self.posts: dict[int, list[dict[str, str]]] = defaultdict(list)
        self.ids: dict[int, set[str]] = defaultdict(set)
        self.begun: Counter[int] = Counter()  # how often each call's application was asked for

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/start.php", self._serve_start)
        app.router.add_route("*", "/next.php", self._serve_next)
        app.router.add_route("*", "/result.php", self._serve_result)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def start_url(self) -> str:
        return f"http://{self.host}:{self.port}/start.php"

    @property
    def result_url(self) -> str:
        return f"http://{self.host}:{self.port}/result.php"

    async def _serve_start(self, request: web.Request) -> web.StreamResponse:
        # A redirect in a circle asks again and again for one session.
        if (ident := (await request.post()).get("call_id")) and self.starts is not Mood.CIRCLES:
            self.begun[int(str(ident))] += 1
        answer = await _moody(request, self.starts)
        return _document(START) if answer is None else answer

    async def _serve_next(self, request: web.Request) -> web.StreamResponse:
        answer = await _moody(request, self.starts)
        return _document(NEXT) if answer is None else answer

    async def _serve_result(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if (answer := await _moody(request, self.results)) is not None:
            return answer
        if "call_id" in form:
            self.posts[int(form["call_id"])].append(form)
            self.ids[int(form["call_id"])].add(request.headers.get("webhook-id", ""))
        return web.Response(text="Data Written")


def _document(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/voicexml+xml")


async def _moody(request: web.Request, mood: Mood) -> web.StreamResponse | None:
    """The answer of a server in that mood; None where it is kind."""
    match mood:
        case Mood.HANGS:
            await asyncio.sleep(600)
        case Mood.RESETS:
            assert request.transport is not None
            own = request.transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
        case Mood.DRIPS:
            answer = web.StreamResponse()
            answer.content_type = "application/voicexml+xml"
            await answer.prepare(request)
            with suppress(ConnectionError):
                for byte in START.encode():
                    await answer.write(bytes((byte,)))
                    await asyncio.sleep(1)
            return answer
        case Mood.FAILS:
            return web.Response(status=500, text="out of order")
        case Mood.FLOODS:
            answer = web.StreamResponse()
            await answer.prepare(request)
            with suppress(ConnectionError):
                for _ in range(HUGE // PIECE):
                    await answer.write(b" " * PIECE)
            return answer
        case Mood.CIRCLES:
            raise web.HTTPTemporaryRedirect(request.url)
    return None
