"""Removes what is too old, every night, in small batches between which calls are claimed as ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from gateway.core.access import OPERATOR
from gateway.core.model import Millis
from gateway.core.retention import Kept, Step, Swept, cutoffs, due
from gateway.core.saying import iso
from gateway.ports import Clock, StoreError, StoreRefused
from gateway.services.audit import Audit

log = structlog.get_logger()

#: Rows of one batch: a few milliseconds of the database's one writer.
BATCH = 25
#: After each batch the writer is left alone for so many times as long as the batch took.
REST = 4.0
LOOK_EVERY = 600.0


class Sweeps(Protocol):
    """Removing old rows; each step is one transaction."""

    async def step(self, kind: Kept, before: Millis, after: int, limit: int, *, dry: bool) -> Step: ...
    async def last_run(self) -> Millis | None: ...
    async def ran(self, at: Millis) -> None: ...


class Retention:
    """``recordings`` removes (or, told so, only counts) the files of callees that are older than a time. It blocks."""

    def __init__(
        self, sweeps: Sweeps, recordings: Callable[[Millis, bool], int], clock: Clock, days: Mapping[Kept, float],
        hour: int, audit: Audit,
    ) -> None:  # fmt: skip
        self._sweeps = sweeps
        self._recordings = recordings
        self._clock = clock
        self._audit = audit
        self._one = asyncio.Lock()
        self.days = days
        self.hour = hour

    def reconfigure(self, days: Mapping[Kept, float], hour: int) -> None:
        """Other times from the next sweep on."""
        self.days, self.hour = days, hour

    async def run(self) -> None:
        while True:
            try:
                last = await self._sweeps.last_run()
                if due(_local(self._clock.now()), None if last is None else _local(last), self.hour):
                    async for swept in self.sweep():
                        log.info("retention.swept", kind=swept.kind, removed=swept.removed)
            except (StoreError, OSError) as error:
                log.error("retention.failed", error=str(error))
            await asyncio.sleep(LOOK_EVERY)

    async def sweep(self, *, dry: bool = False) -> AsyncIterator[Swept]:
        """Remove what is too old, or count it; what was found of each kind, as it is done."""
        if self._one.locked():
            raise StoreRefused("another sweep is under way: wait for its end")
        async with self._one:
            now = self._clock.now()
            for kind, before in cutoffs(self.days, now).items():
                if kind is Kept.RECORDINGS:
                    removed = await asyncio.to_thread(self._recordings, before, dry)
                else:
                    removed = await self._walk(kind, before, dry)
                yield Swept(kind, before, removed)
            if not dry:
                await self._sweeps.ran(now)

    async def _walk(self, kind: Kept, before: Millis, dry: bool) -> int:
        clock = asyncio.get_running_loop().time
        removed, after = 0, 0
        while True:
            began = clock()
            step = await self._sweeps.step(kind, before, after, BATCH, dry=dry)
            removed += step.removed
            if step.after is None:
                return removed
            after = step.after
            await asyncio.sleep((clock() - began) * REST)

    # --- for operators ---

    async def by_hand(self, *, dry: bool = False) -> AsyncIterator[Swept]:
        """As :meth:`sweep`; it is in the audit log where anything was to be removed."""
        removed = []
        async for swept in self.sweep(dry=dry):
            removed.append(f"{swept.removed} {swept.kind}")
            yield swept
        if not dry:
            await self._audit.note(OPERATOR, "retention.run", "what is too old", None, ", ".join(removed))

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/v1/retention", self.show)
        router.add_post("/api/v1/retention/run", self.run_now)

    async def show(self, request: web.Request) -> web.Response:
        last = await self._sweeps.last_run()
        body = {"days": self.days, "hour": self.hour, "last_run": None if last is None else iso(last)}
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    async def run_now(self, request: web.Request) -> web.StreamResponse:
        """JSON Lines, one a kind. With ``?dry_run`` nothing is removed."""
        if self._one.locked():
            raise StoreRefused("another sweep is under way: wait for its end")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        async for swept in self.by_hand(dry="dry_run" in request.query):
            await response.write(msgspec.json.encode(shown(swept)) + b"\n")
        return response


def shown(swept: Swept) -> dict[str, object]:
    """As the API tells of it."""
    return {"kind": str(swept.kind), "before": iso(swept.before), "removed": swept.removed}


def _local(at: Millis) -> datetime:
    return datetime.fromtimestamp(at / 1000)
