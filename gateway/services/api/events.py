"""/events: the live feed as server-sent events (WHATWG HTML §9.2), resumed by Last-Event-ID."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from gateway.core.access import Scope
from gateway.services.api import shaping
from gateway.services.api.callers import Caller
from gateway.services.api.problems import Code, Problem, invalid
from gateway.services.api.routing import route
from gateway.services.feed import Event, EventKind, Feed
from voxgate import models

EVENT_STREAM = "text/event-stream"
#: Seconds after which a silent stream says that it lives, and looks whether its token still does.
KEEP_ALIVE = 15.0
#: Seconds that a listener may take to read what waits for it.
SLOW = 60.0
#: Streams at once, and those of one account, so that none takes all of them.
AT_ONCE, AT_ONCE_EACH = 1000, 250


class Events:
    """``valid`` tells whether who opened a stream may still listen."""

    def __init__(self, feed: Feed, valid: Callable[[Caller], Awaitable[bool]]) -> None:
        self._feed = feed
        self._valid = valid
        self._streams: dict[asyncio.Task[object], int] = {}  # and whose each is
        self._encoded: dict[int, bytes] = {}

    async def close(self, app: web.Application) -> None:
        """End all streams: a stop of the gateway does not wait for those who listen."""
        for task in self._streams:
            task.cancel()

    @route("GET", "/events", Scope.READ, gives=(EVENT_STREAM,), replies=(models.Event,))
    async def listen(self, who: Caller, query: models.EventFilter, request: web.Request) -> web.StreamResponse:
        """Events as they happen, as server-sent events.

        `id` resumes by Last-Event-ID (or `after`): events are kept for a while. Where some are lost, the event `missed`
        comes first, and lists should be read anew. Kinds may be added: pass over those that you do not know.
        """
        own = sum(owner == who.owner for owner in self._streams.values())
        if len(self._streams) >= AT_ONCE or own >= AT_ONCE_EACH:
            raise Problem(Code.UNAVAILABLE, "too many listen already", headers={"Retry-After": "30"})
        listener = self._feed.listen(_after(request, query), who.narrowed)
        answer = web.StreamResponse(
            headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        task = asyncio.current_task()
        assert task is not None
        self._streams[task] = who.owner
        wanted = _wanted(query)
        loop = asyncio.get_running_loop()
        try:
            await answer.prepare(request)
            await answer.write(b"retry: 1000\nid: %d\n\n" % listener.after)
            looked = loop.time()
            while True:
                found = await listener.some(KEEP_ALIVE)
                if loop.time() - looked >= KEEP_ALIVE:
                    looked = loop.time()
                    if not await self._valid(who):
                        break
                told = b"".join(self._encode(one) for one in found if wanted(one))
                async with asyncio.timeout(SLOW):
                    await answer.write(told if told or found else b": here\n\n")
        except (asyncio.CancelledError, ConnectionError, TimeoutError):
            pass
        finally:
            self._streams.pop(task, None)
        return answer

    def _encode(self, event: Event) -> bytes:
        """The event's bytes, made once for all who listen."""
        if event.kind == EventKind.MISSED:
            return _bytes(event)
        found = self._encoded.get(event.id)
        if found is None:
            found = self._encoded[event.id] = _bytes(event)
            if len(self._encoded) > 1000:
                self._encoded.pop(next(iter(self._encoded)))
        return found


def _bytes(event: Event) -> bytes:
    told = models.Event(id=event.id, kind=event.kind, at=shaping.moment(event.at), data=dict(event.data))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.encode(), msgspec.json.encode(told))


def _after(request: web.Request, query: models.EventFilter) -> int | None:
    text = request.headers.get("Last-Event-ID")
    if text is None:
        return query.after
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise invalid("Last-Event-ID", "must be the id of an event")
    return int(text)


def _wanted(query: models.EventFilter) -> Callable[[Event], bool]:
    kinds = [one.strip() for one in (query.kinds or "").split(",") if one.strip()]

    def fits(kind: str) -> bool:
        return any(kind == one or (one.endswith("*") and kind.startswith(one[:-1])) for one in kinds)

    def wanted(event: Event) -> bool:
        return event.kind == EventKind.MISSED or (
            (not kinds or fits(event.kind))
            and (query.campaign is None or event.data.get("campaign_id") == query.campaign)
            and (query.call is None or event.data.get("call_id") == query.call)
        )

    return wanted
