"""The database's upkeep while the gateway runs: a check and a copy, each in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web

from gateway.core.access import OPERATOR
from gateway.core.plum import FieldError
from gateway.core.upkeep import BackedUp, Checked, Progress
from gateway.ports import StoreError, StoreRefused
from gateway.services.audit import Audit

BASE = "/api/v1/db"
#: Seconds between two words on a copy's progress.
TOLD_EVERY = 0.2


class Upkeep:
    """``check`` is told whether to be quick, ``backup`` where to copy to; both block, and raise StoreError."""

    def __init__(
        self, check: Callable[[bool], Checked], backup: Callable[[Path, Progress], BackedUp], audit: Audit
    ) -> None:
        self._check = check
        self._backup = backup
        self._audit = audit
        self._copying = asyncio.Lock()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(f"{BASE}/check", self.check)
        router.add_post(f"{BASE}/backup", self.backup)

    async def check(self, request: web.Request) -> web.Response:
        found = await asyncio.to_thread(self._check, "quick" in request.query)
        return web.Response(body=msgspec.json.encode(found), content_type="application/json")

    async def backup(self, request: web.Request) -> web.StreamResponse:
        """JSON Lines: ``{"done": pages, "total": pages}`` again and again, then the copy, or ``{"error": text}``."""
        body = msgspec.json.decode(await request.read(), type=dict[str, str])
        path = Path(body.get("path", ""))
        if not path.is_absolute():
            raise FieldError("path", "must be an absolute path")
        if self._copying.locked():
            raise StoreRefused("another backup is under way: wait for its end")
        async with self._copying:
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await response.prepare(request)
            state = _Copy()
            copying = asyncio.create_task(asyncio.to_thread(self._backup, path, state.tell))
            try:
                while not copying.done():
                    await asyncio.wait([copying], timeout=TOLD_EVERY)
                    await _line(response, {"done": state.done, "total": state.total})
                copied = copying.result()
                await self._audit.note(OPERATOR, "database.backup", str(path), None)
                await _line(response, copied)
            except StoreError as error:
                await _line(response, {"error": str(error)})
            finally:
                state.unwanted = True  # whoever asked has gone: the thread ends at its next step
                await asyncio.gather(copying, return_exceptions=True)
            return response


@dataclass(slots=True)
class _Copy:
    done: int = 0
    total: int = 0
    unwanted: bool = False

    def tell(self, done: int, total: int) -> None:
        if self.unwanted:
            raise StoreError("the backup was given up: whoever asked for it has gone")
        self.done, self.total = done, total


async def _line(response: web.StreamResponse, value: object) -> None:
    await response.write(msgspec.json.encode(value) + b"\n")
