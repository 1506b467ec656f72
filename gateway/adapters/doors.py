"""An HTTP port against strangers: who is slow to ask, to send or to read is let go, and a flood keeps nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from gateway.adapters.strangers import Strangers, notice_dead_peers
from gateway.core.addresses import networks_of, within

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Protocol = web.RequestHandler

#: Connections of one port at once, whatever they do.
MOST = 4096


#: On each answer that says nothing of its own: it is what its type says, and no page may show it or run what it holds.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Times in seconds.

    ``first_within``: a connection's first request, to the end of its headers. ``idle``: from one request to the next.
    ``body_grace``, ``body_rate``: a body may take so long, and a second longer for each so many bytes that came.
    ``unread``: so long may a peer take nothing of its answer.
    """

    first_within: float = 10.0
    idle: float = 75.0
    body_grace: float = 20.0
    body_rate: float = 500.0
    unread: float = 60.0
    look_every: float = 1.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A connection that is to ask something; ``again``: not for the first time. Times of the loop's clock."""

    since: float
    until: float
    again: bool = False


@dataclass(slots=True, eq=False)
class _Serving:
    """One request under way; ``held``: seconds we did not read it; ``taken``: bytes taken of it, no more ``since``."""

    request: web.Request
    began: float
    held: float = 0.0
    taken: int = 0
    since: float = 0.0


class Door:
    """``app`` on one port of TCP; ``name`` is what logs call it, ``options`` are of aiohttp's runner.

    ``proxies`` are networks whose word counts for who asks, and whether by https.
    """

    def __init__(
        self, name: str, app: web.Application, settings: DoorSettings | None = None, *, proxies: Sequence[str] = (),
        **options: Any,
    ) -> None:  # fmt: skip
        self._name = name
        self._proxies = networks_of(proxies)
        self._settings = settings = settings or DoorSettings()
        app.middlewares.insert(0, self._watched())
        app.on_response_prepare.append(_headed)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=settings.idle, **options)
        self._strangers: Strangers[Protocol] = Strangers(lambda one: self._let_go(one, "flooded"))
        self._waiting: dict[Protocol, _Waiting] = {}
        self._serving: dict[Protocol, _Serving] = {}
        self._gone: Counter[str] = Counter()  # why, since the last look
        self._looking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return int(self._runner.addresses[0][1])

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()

        async def listen() -> asyncio.Server:
            within = None if tls is None else self._settings.first_within / 2
            server = await loop.create_server(self._admit, host, port, ssl=tls, ssl_handshake_timeout=within)
            notice_dead_peers(server)
            return server

        await _Site(self._runner, listen).start()
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await self._runner.cleanup()

    # --- from the connection to its requests ---

    def _admit(self) -> asyncio.Protocol:
        server = self._runner.server
        assert server is not None
        if len(self._waiting) + len(self._serving) >= MOST:
            self._forget_lost()
            if len(self._waiting) + len(self._serving) >= MOST and not self._make_room():
                self._gone["full"] += 1
                return _Refused()
        protocol = server()
        self._wait(protocol, self._settings.first_within)
        return protocol

    def _wait(self, protocol: Protocol, within: float, *, again: bool = False) -> None:
        if self._strangers.full:
            self._forget_lost()
        now = asyncio.get_running_loop().time()
        self._waiting[protocol] = _Waiting(now, now + within, again)
        self._strangers.enter(protocol)

    def _forget_lost(self) -> None:
        """aiohttp tells nobody that a connection is lost; one that is not made yet has no transport either."""
        made = asyncio.get_running_loop().time() - self._settings.first_within / 2 - self._settings.look_every
        for protocol, one in list(self._waiting.items()):
            if protocol.transport is None and (one.again or one.since < made):
                self._let_go(protocol, "")

    def _make_room(self) -> bool:
        """Let go whoever has been sending, or asking nothing, for longest; False where nobody is."""
        sending = [
            one for one in self._serving.values()
            if one.request.transport is not None and not one.request.content.is_eof()
        ]  # fmt: skip
        if sending:
            found = min(sending, key=lambda one: one.began).request.protocol
        elif self._waiting:
            found = next(iter(self._waiting))
        else:
            return False
        self._let_go(found, "full")
        return True

    def _watched(self) -> Any:
        @web.middleware
        async def watched(request: web.Request, handler: Handler) -> web.StreamResponse:
            protocol, loop = request.protocol, asyncio.get_running_loop()
            self._strangers.leave(protocol)
            self._waiting.pop(protocol, None)
            self._serving[protocol] = _Serving(request, loop.time())
            try:
                answer = await handler(self._as_told(request))
                if not answer.prepared:  # here, so that it is watched while it is read
                    with contextlib.suppress(ConnectionError):
                        await answer.prepare(request)
                        await answer.write_eof()
                return answer
            except ConnectionError:
                if protocol.transport is not None:
                    raise
                return web.Response()  # to nobody; raised, it would be a traceback in the log for each stranger
            finally:
                del self._serving[protocol]
                if protocol.transport is not None:
                    self._wait(protocol, self._settings.idle, again=True)

        return watched

    def _as_told(self, request: web.Request) -> web.Request:
        """The request as a proxy of ours took it in."""
        peer = request.remote
        if not self._proxies or peer is None or not within(peer, self._proxies):
            return request
        came = [one.strip() for one in ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")]
        for address in reversed(
            came
        ):  # each proxy adds who came to it: what stands before the first stranger is his word
            if not _is_address(address):
                break
            peer = address
            if not within(peer, self._proxies):
                break
        proto = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip()
        return request.clone(remote=peer, scheme=proto if proto in ("http", "https") else request.scheme)

    # --- who is let go ---

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._settings.look_every)
            now = asyncio.get_running_loop().time()
            self._forget_lost()
            for protocol, waiting in list(self._waiting.items()):
                if waiting.until <= now:
                    self._let_go(protocol, "silent")
            for one in list(self._serving.values()):
                if (why := self._too_slow(one, now)) is not None:
                    self._let_go(one.request.protocol, why)
            server = self._runner.server
            for protocol in server.connections if server is not None else ():
                if protocol not in self._waiting and protocol not in self._serving:  # let go before it was made
                    self._let_go(protocol, "flooded")
            if self._gone:
                log.warning("http.let_go", door=self._name, why=dict(self._gone))
                self._gone.clear()

    def _too_slow(self, one: _Serving, now: float) -> str | None:
        content, transport, settings = one.request.content, one.request.transport, self._settings
        if transport is None:
            return None
        if not content.is_eof():
            if not transport.is_reading():
                one.held += settings.look_every  # the peer waits for us
            if now - one.began - one.held > settings.body_grace + content.total_raw_bytes / settings.body_rate:
                return "slow_to_send"
        unread = transport.get_write_buffer_size()
        taken = one.request.writer.output_size - unread
        if not unread or taken > one.taken:
            one.taken, one.since = taken, now
        return "slow_to_read" if unread and now - one.since > settings.unread else None

    def _let_go(self, protocol: Protocol, why: str) -> None:
        self._strangers.leave(protocol)
        self._waiting.pop(protocol, None)
        if protocol.transport is not None:
            self._gone[why] += 1
            protocol.transport.abort()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def _headed(request: web.Request, answer: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)


class _Site(web.BaseSite):
    """``listen`` makes the server, whose protocols are the door's choice."""

    def __init__(self, runner: web.BaseRunner, listen: Callable[[], Awaitable[asyncio.Server]]) -> None:
        super().__init__(runner)
        self._listen = listen

    @property
    def name(self) -> str:
        return "door"

    async def start(self) -> None:
        await super().start()
        self._server = await self._listen()


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        with contextlib.suppress(AttributeError):
            transport.abort()  # type: ignore[attr-defined]
