"""The audit log: who changed what, from where, and whether it was done; kept in the database and told in the log."""

from __future__ import annotations

import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Protocol

import structlog
from aiohttp import web

from gateway.core.access import DONE, AuditEntry
from gateway.core.model import AccountId
from gateway.core.ratelimit import RateLimit
from gateway.ports import Clock, StoreError

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Of what was refused so many lines are kept a second, in the long run and at once: nobody fills the disk by trying.
REFUSED_RATE, REFUSED_BURST = 0.2, 100

#: Where the request that is being served came from.
_origin: ContextVar[str] = ContextVar("origin", default="the gateway")


class AuditBook(Protocol):
    async def audit(self, entry: AuditEntry) -> None: ...
    async def audited(self, before: int | None, limit: int) -> list[AuditEntry]: ...


class Audit:
    def __init__(self, book: AuditBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._refused = RateLimit(REFUSED_RATE, REFUSED_BURST)

    async def note(self, actor: str, action: str, subject: str, account: AccountId | None, detail: str = "") -> None:
        """``action`` is a verb of a thing, as ``campaign.cancel``. ``detail`` never holds a secret."""
        await self._keep(actor, action, subject, account, detail, DONE)

    async def refused(self, actor: str, action: str, subject: str, why: str) -> None:
        """Somebody tried what they may not. ``actor`` is nothing that a stranger typed."""
        if self._refused.take("", self._clock.now()).allowed:
            with suppress(StoreError):  # it was refused all the same
                await self._keep(actor, action, subject, None, "", f"refused: {why}")

    async def _keep(
        self, actor: str, action: str, subject: str, account: AccountId | None, detail: str, outcome: str
    ) -> None:
        origin = _origin.get()
        log.info(
            "audit", actor=actor, origin=origin, action=action, subject=subject, detail=detail, outcome=outcome
        )  # fmt: skip
        entry = AuditEntry(self._clock.now(), actor, action, subject, account, detail, origin, outcome)
        await self._book.audit(entry)

    async def page(self, before: int | None, limit: int) -> list[AuditEntry]:
        """The newest first."""
        return await self._book.audited(before, limit)


def watch(app: web.Application) -> None:
    """What is noted while ``app`` serves a request is known to have come from where the request did."""

    @web.middleware
    async def from_where(request: web.Request, handler: Handler) -> web.StreamResponse:
        token = _origin.set(origin_of(request))
        try:
            return await handler(request)
        finally:
            _origin.reset(token)

    app.middlewares.insert(0, from_where)


def came_from(origin: str) -> None:
    """For what is no request: a signal, or a command that does the gateway's work itself."""
    _origin.set(origin)


def origin_of(request: web.Request) -> str:
    """The address, or the user of this machine who opened the Unix socket (SO_PEERCRED, unix(7))."""
    peer = None if request.transport is None else request.transport.get_extra_info("socket")
    if peer is None or peer.family != socket.AF_UNIX:
        return request.remote or "unknown"
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        return f"the socket, user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the socket, user {uid}"
