"""The FastAGI server: lets in Asterisk's addresses and known attempts only, and hands each session to its handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from panoramisk.fast_agi import Application

from gateway.adapters.agi.lending import Lender, splice
from gateway.adapters.agi.session import AgiSession
from gateway.adapters.strangers import Complaints, Strangers, notice_dead_peers
from gateway.core.addresses import networks_of, within
from gateway.ports import AgiChannel, ChannelGone

log = structlog.get_logger()

Handler = Callable[[AgiChannel], Awaitable[None]]

MAX_GREETING = 16_384


@dataclass(frozen=True, slots=True)
class AgiSettings:
    """``allow`` are the networks that Asterisk may connect from. Times in seconds."""

    host: str = "127.0.0.1"
    port: int = 4573
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    greeting_timeout: float = 10.0


class AgiServer(Application):  # type: ignore[misc]
    """``accept`` tells whether a path (``call/ATTEMPT``) is expected now; it says yes once for each."""

    def __init__(self, settings: AgiSettings, accept: Callable[[str], bool], handle: Handler) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._settings = settings
        self._accept = accept
        self._handle = handle
        self.lender = Lender()
        self._networks = networks_of(settings.allow)
        self._strangers: Strangers[asyncio.StreamWriter] = Strangers(lambda writer: writer.transport.abort())
        self._complaints = Complaints()
        self._sessions: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self.handler, self._settings.host, self._settings.port, limit=MAX_GREETING
        )
        notice_dead_peers(self._server)

    async def stop(self) -> None:
        """Listen no more, where :meth:`run` was never called."""
        if self._server is not None:
            self._server.close()

    async def run(self) -> None:
        """Serve until cancelled; then stop listening and end every session."""
        if self._server is None:
            await self.start()
        assert self._server is not None
        try:
            await asyncio.Event().wait()
        finally:
            self._server.close()
            for task in list(self._sessions):
                task.cancel()
            await asyncio.gather(*self._sessions, return_exceptions=True)

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            if self._server is not None and self._server.is_serving():
                raise
        except Exception:
            log.exception("agi.session_failed")
        finally:
            self._sessions.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if not self._allowed(peer):
            if self._complaints.may():
                log.warning("agi.refused", peer=str(peer), why="address not in [agi] allow")
            return
        self._strangers.enter(writer)
        try:
            async with asyncio.timeout(self._settings.greeting_timeout):
                # A port probe closes, or sends something endless: both end here.
                greeting = await reader.readuntil(b"\n\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError) as error:
            if self._complaints.may():
                log.info("agi.no_greeting", peer=str(peer), why=type(error).__name__)
            return
        finally:
            self._strangers.leave(writer)
        headers = dict(line.split(": ", 1) for line in greeting.decode("utf-8", "replace").splitlines() if ": " in line)
        path = headers.get("agi_network_script", "").partition("?")[0].strip("/")
        if (port := self.lender.take(path)) is not None:
            await splice(greeting, reader, writer, port)
            return
        if not self._accept(path):
            if self._complaints.may():
                log.warning("agi.refused", peer=str(peer), why="no such attempt is waiting")
            return
        session = AgiSession(headers, reader, writer, path)
        try:
            await self._handle(session)
        finally:
            if not session.hung_up:
                # The dialplan tells by this that the gateway ended the session, and did not die in it.
                with suppress(ChannelGone, asyncio.CancelledError):
                    await session.set_variable("VOXGATE_DONE", "1")

    def _allowed(self, peer: tuple[str, int] | None) -> bool:
        return peer is not None and within(peer[0], self._networks)
