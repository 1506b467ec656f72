"""Times the public port's answers, by the part that answers and the class of the status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gateway.happenings import Stopwatch
from gateway.metrics.instruments import Instruments

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Parts by the beginnings of their paths; what is under none of them is the pages'.
PARTS = {"/webservice/": "plum", "/outbound/webservice/": "plum", "/api/": "api", "/metrics": "metrics"}
#: Streams last as long as whoever listens.
STREAM = "text/event-stream"


def timed(instruments: Instruments) -> Any:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        watch, status = Stopwatch(), 500
        try:
            answer = await handler(request)
            status = 0 if answer.headers.get("Content-Type", "").startswith(STREAM) else answer.status
            return answer
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            if status:
                instruments.http.labels(_part(request.path), f"{status // 100}xx").observe(watch.seconds)

    return middleware


def _part(path: str) -> str:
    return next((part for beginning, part in PARTS.items() if path.startswith(beginning)), "pages")
