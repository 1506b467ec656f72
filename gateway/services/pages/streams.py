"""Connections that stay open for a visitor: so many each, ended when the session is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.core.visiting import Visitor
from gateway.ports import StoreError
from gateway.services.pages.sessions import Sessions
from gateway.services.pages.site import Refused

log = structlog.get_logger()

#: Seconds between two looks at whether the sessions still live.
LOOK_EVERY = 10.0
#: Streams at once, and those of one account, so that none takes all of them.
AT_ONCE, AT_ONCE_EACH = 500, 100


class Streams:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._open: dict[asyncio.Task[object], Visitor] = {}

    @contextmanager
    def of(self, visitor: Visitor) -> Iterator[None]:
        """The task that asks is cancelled when the session ends. Raises :class:`Refused` where too many are open."""
        own = sum(one.account.id == visitor.account.id for one in self._open.values())
        if own >= AT_ONCE_EACH or len(self._open) >= AT_ONCE:
            raise Refused("Too many pages are open: close some.", 503)
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = visitor
        try:
            yield
        finally:
            del self._open[task]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except StoreError as error:
                log.error("pages.store", error=str(error))

    async def look(self) -> None:
        """End what belongs to a session that was signed out, or whose account sees more or less than it did."""
        visitors = {one.session.mark: one for one in self._open.values()}
        for mark, visitor in visitors.items():
            if await self._sessions.ended(visitor):
                for task in [task for task, one in self._open.items() if one.session.mark == mark]:
                    task.cancel()

    def close(self) -> None:
        """End all, so that a stop of the gateway does not wait for open pages."""
        for task in self._open:
            task.cancel()
