"""Tells an open page that what it shows has changed: the feed, narrowed to the page and joined into few messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.core.visiting import Visitor
from gateway.services.feed import Event, EventKind, Feed
from gateway.services.pages.site import HEADERS, Site
from gateway.services.pages.streams import Streams

#: Seconds in which events are joined to one message, and after which a silent stream says that it lives.
JOIN = 0.25
KEEP_ALIVE = 15.0


@dataclass(frozen=True, slots=True)
class Topic:
    """What a page shows: ``campaign:3``, ``call:17``, ``results``, ``all``, or ``none``."""

    kind: str
    ident: int = 0

    @classmethod
    def read(cls, text: str) -> Topic:
        kind, _, ident = text.partition(":")
        return cls(kind, int(ident) if ident.isascii() and ident.isdigit() and len(ident) < 18 else 0)

    def concerns(self, event: Event) -> bool:
        if event.kind == EventKind.MISSED:
            return True
        match self.kind:
            case "call":
                return event.data.get("call_id") == self.ident
            case "campaign":
                return event.data.get("campaign_id") == self.ident or event.account is None
            case "none":
                return False
            case "results":
                return event.kind == EventKind.DELIVERY_TRIED
            case _:
                return True


class Live:
    def __init__(self, site: Site, feed: Feed, streams: Streams) -> None:
        self._site = site
        self._feed = feed
        self._streams = streams

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/live", self._site.page(self.stream))

    async def stream(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        topic = Topic.read(request.query.get("topic", "all"))
        answer = web.StreamResponse(
            headers={
                **HEADERS,
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        with self._streams.of(visitor):
            try:
                await answer.prepare(request)
                await answer.write(b"retry: 1000\n\n")
                await self._tell(answer, visitor, topic.concerns)
            except (asyncio.CancelledError, ConnectionError):
                pass
        return answer

    async def _tell(self, answer: web.StreamResponse, visitor: Visitor, concerns: Callable[[Event], bool]) -> None:
        listener = self._feed.listen(account=visitor.scope)
        while True:
            found = await listener.some(KEEP_ALIVE)
            if not found:
                await answer.write(b": here\n\n")
                continue
            if any(concerns(event) for event in found):
                told = {"id": found[-1].id, "since": found[0].at}
                await answer.write(f"event: changed\ndata: {json.dumps(told)}\n\n".encode())
            await asyncio.sleep(JOIN)
