"""``voxgate vxml run`` in the page: each walk in a process of its own, typed to and read over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from gateway.core.plum import FieldError, read_url
from gateway.core.visiting import Visitor
from gateway.services.pages.site import HEADERS, NotHere, Refused, Site, plain
from gateway.services.pages.streams import Streams

log = structlog.get_logger()

#: Walks at once, and those of one account, so that none takes all of them; each session has one.
MOST, MOST_EACH = 20, 5
#: Seconds without input or output after which a walk is ended, and its longest life.
IDLE, LONGEST = 300.0, 1800.0
#: Characters of output that are kept; what was said before is left out.
KEPT = 100_000


@dataclass(slots=True)
class _Walk:
    visitor: Visitor
    process: asyncio.subprocess.Process
    text: str = ""
    dropped: int = 0  # characters that are no longer in ``text``
    ended: bool = False
    more: asyncio.Event = field(default_factory=asyncio.Event)


class Runner:
    """``command`` is the program to which the start's URL is added; empty: it cannot be run here."""

    def __init__(self, site: Site, streams: Streams, command: Sequence[str]) -> None:
        self._site = site
        self._streams = streams
        self._command = list(command)
        self._walks: dict[str, _Walk] = {}
        self._beginning = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/phone/walk", self._site.action(self.begin))
        router.add_get("/phone/walk/{walk}", self._site.page(self.follow))
        router.add_post("/phone/walk/{walk}", self._site.action(self.type))

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await asyncio.Event().wait()
        finally:
            self._tasks = None

    async def begin(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        try:
            url = read_url("start_url", str((await request.post()).get("start_url", "")))
        except FieldError as error:
            return plain({"error": str(error)}, 422)
        if not self._command or self._tasks is None:
            raise Refused("Run `voxgate vxml run` on your own machine.", 409)
        async with self._beginning:  # one at a time, so that those that begin at once are counted
            token = await self._begin(url, visitor)
        log.info("walk.began", account=visitor.account.login)
        return plain({"walk": token})

    async def _begin(self, url: str, visitor: Visitor) -> str:
        mark = visitor.session.mark
        for old in self._walks.values():
            if old.visitor.session.mark == mark:
                _end(old)
        going = [one for one in self._walks.values() if not one.ended and one.visitor.session.mark != mark]
        own = sum(one.visitor.account.id == visitor.account.id for one in going)
        if len(going) >= MOST or own >= MOST_EACH:
            raise Refused("Too many walks go on: try again in a minute.", 429)
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):  # then it has ended, which is told like any end
            process.stdin.write(url.encode() + b"\n")
            await process.stdin.drain()
        token = secrets.token_urlsafe(16)
        walk = self._walks[token] = _Walk(visitor, process)
        assert self._tasks is not None
        self._tasks.create_task(self._keep(token, walk))
        return token

    async def _keep(self, token: str, walk: _Walk) -> None:
        """Read what the process says until it ends, or is ended."""
        assert walk.process.stdout is not None
        try:
            async with asyncio.timeout(LONGEST):
                while True:
                    async with asyncio.timeout(IDLE):
                        piece = await walk.process.stdout.read(4096)
                    if not piece:
                        break
                    walk.text += piece.decode("utf-8", "replace")
                    if (over := len(walk.text) - KEPT) > 0:
                        walk.text, walk.dropped = walk.text[over:], walk.dropped + over
                    walk.more.set()
        except TimeoutError:
            walk.text += "\n[ended: nothing was typed for a while]\n"
        finally:
            _end(walk)
            await walk.process.wait()
            walk.ended = True
            walk.more.set()
        await asyncio.sleep(60)  # a page that was away may still read the end
        self._walks.pop(token, None)

    def _find(self, request: web.Request, visitor: Visitor) -> _Walk:
        walk = self._walks.get(request.match_info["walk"])
        if walk is None or walk.visitor.session.mark != visitor.session.mark:
            raise NotHere
        return walk

    async def follow(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """What is said, as server-sent events of JSON strings; ``ended`` is the last."""
        walk = self._find(request, visitor)
        answer = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        with self._streams.of(visitor):
            try:
                await answer.prepare(request)
                await _tell(answer, walk)
            except (asyncio.CancelledError, ConnectionError):
                pass
        return answer

    async def type(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        walk = self._find(request, visitor)
        line = str((await request.post()).get("line", ""))[:500]
        if walk.ended or walk.process.stdin is None:
            raise Refused("The application has ended: begin anew.", 409)
        try:
            walk.process.stdin.write(line.replace("\n", " ").encode() + b"\n")
            await walk.process.stdin.drain()
        except ConnectionError:
            raise Refused("The application has ended: begin anew.", 409) from None
        return plain({})


async def _tell(answer: web.StreamResponse, walk: _Walk) -> None:
    told = 0
    while True:
        walk.more.clear()
        place = max(told - walk.dropped, 0)
        if fresh := walk.text[place:]:
            told = walk.dropped + len(walk.text)
            await answer.write(f"data: {json.dumps(fresh)}\n\n".encode())
        if walk.ended:
            await answer.write(b"event: ended\ndata: {}\n\n")
            break
        await walk.more.wait()


def _end(walk: _Walk) -> None:
    """Its whole process group, so that nothing of it holds the output open."""
    if walk.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(walk.process.pid, signal.SIGKILL)
