"""The test phone: a softphone in the page that your own calls ring, and the application walked through in text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from aiohttp import web

from gateway.core.model import AccountId, AttemptId, CallId
from gateway.core.plum import QUEUECALL, FieldError, read_submission
from gateway.core.timeline import Timeline, timeline
from gateway.core.visiting import Visitor
from gateway.ports import Clock, Store
from gateway.services.intake.desk import Desk
from gateway.services.origin import same_origin
from gateway.services.pages.callinfo import own_call
from gateway.services.pages.once import fresh, key_of
from gateway.services.pages.runner import Runner
from gateway.services.pages.site import NotHere, Refused, Site, plain
from gateway.services.pages.streams import Streams
from gateway.services.receipts import Receipts, Stamp

log = structlog.get_logger()

_NO_PIN = "-"
#: Phones of one account that are connected at once.
AT_ONCE = 10


Bridge = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """The endpoint that the browser registers as, and the extension that rings it."""

    on: bool = False
    user: str = ""
    secret: str = ""
    extension: str = ""


class Phone:
    """``bridge`` passes the browser's WebSocket on to Asterisk. ``so_far`` is the evidence of an open attempt."""

    def __init__(
        self, site: Site, store: Store, clock: Clock, desk: Desk, receipts: Receipts, settings: PhoneSettings,
        runner: Runner, streams: Streams,
        bridge: Bridge,
        so_far: Callable[[AttemptId], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._clock = clock
        self._desk = desk
        self._receipts = receipts
        self._streams = streams
        self._settings = settings
        self._runner = runner
        self._bridge = bridge
        self._so_far = so_far
        self._open: Counter[AccountId] = Counter()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/phone", self._site.page(self.show))
        router.add_get("/phone/ws", self._site.page(self.socket))
        router.add_post("/phone/ring", self._site.action(self.ring))
        self._runner.add_routes(router)

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """``call`` in the address names the call whose path is shown beside the phone."""
        asked = request.query.get("call", "")
        call = None
        if asked.isascii() and asked.isdigit() and len(asked) <= 10:
            try:
                call = await own_call(self._store, visitor, CallId(int(asked)))
            except NotHere:
                call = None
        return self._site.render(
            "phone.html", request, visitor, phone=self._settings, call=call,
            picture=None if call is None else await self._path(call.id),
            start_url=request.query.get("start_url", "")[:255], once=fresh(),
        )  # fmt: skip

    async def _path(self, call: CallId) -> Timeline | None:
        found = await self._store.attempts(call)
        if not found:
            return None
        attempt, end = found[-1]
        return timeline(attempt, end, self._clock.now(), self._so_far(attempt.id))

    async def socket(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        # A WebSocket is not held to one origin by the browser: only our own page may use this one (RFC 6455 §10.2).
        if not same_origin(request) or "Origin" not in request.headers:
            raise Refused("The request came from another site.")
        if not self._settings.on:
            raise Refused("The test phone is off.", 409)
        account = visitor.account
        if self._open[account.id] >= AT_ONCE:
            raise Refused("The test phone is open too often: close some pages.", 429)
        log.info("phone.connected", account=account.login)
        self._open[account.id] += 1
        try:
            with self._streams.of(visitor):
                return await self._bridge(request)
        finally:
            self._open[account.id] -= 1

    async def ring(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Queue a call to the phone in the page, once for each time that the form was fresh: a double click is one."""
        form = await request.post()
        start_url = str(form.get("start_url", ""))[:255].strip()
        fields = [
            ("login", visitor.account.login), ("pin", _NO_PIN), ("phone_number", self._settings.extension),
            ("start_url", start_url), ("message_reference", "test phone"),
        ]  # fmt: skip
        try:
            submission = read_submission(QUEUECALL, fields)

            async def work(stamp: Stamp | None) -> CallId:
                return await self._desk.queue_call(visitor.account, submission, stamp)

            key = key_of(str(form.get("once", "")), fields)
            call, _ = await self._receipts.once(visitor.account.id, key, "", 200, work)
        except FieldError as error:
            return plain({"error": str(error)}, 422)
        return plain({"call_id": msgspec.json.decode(call, type=int), "once": fresh()})
