"""Idempotency keys: a request that is sent again is answered as it was the first time, and carried out once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec
from aiohttp import web

from gateway.core.access import Receipt
from gateway.core.model import Millis
from gateway.ports import Clock
from gateway.services.api.callers import Caller
from gateway.services.api.problems import Code, Problem, invalid

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY = 200


class ReceiptBook(Protocol):
    async def receipt(self, owner: int, key: str, now: Millis) -> Receipt | None: ...


def key_of(request: web.Request) -> str | None:
    """Raises :class:`Problem`."""
    key = request.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise invalid(HEADER, f"must be 1 to {MAX_KEY} printable ASCII characters")
    return key


def fingerprint(request: web.Request, *parts: bytes) -> str:
    """What makes two requests the same: method, address and body."""
    found = hashlib.sha256(f"{request.method} {request.path_qs}\n".encode())
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """Makes the receipt of an answer, to be stored in the transaction of what it tells of."""

    owner: int
    key: str
    fingerprint: str
    status: int
    at: Millis

    def __call__(self, answer: object) -> Receipt:
        return Receipt(self.owner, self.key, self.fingerprint, self.status, msgspec.json.encode(answer), self.at)


class Receipts:
    """One process owns the database, so a lock in memory keeps two requests with one key apart."""

    def __init__(self, book: ReceiptBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    async def once(
        self, who: Caller, key: str | None, mark: str, status: int, work: Callable[[Stamp | None], Awaitable[object]]
    ) -> tuple[bytes, bool]:
        """The answer as JSON, and whether it is that of an earlier request. ``work`` stores its stamp."""
        if key is None:
            return msgspec.json.encode(await work(None)), False
        lock = self._locks.setdefault((who.owner, key), asyncio.Lock())
        async with lock:
            now = self._clock.now()
            kept = await self._book.receipt(who.owner, key, now)
            if kept is None:
                return msgspec.json.encode(await work(Stamp(who.owner, key, mark, status, now))), False
            if kept.fingerprint != mark:
                raise Problem(
                    Code.KEY_REUSED, f"the {HEADER} {key!r} was used for another request", field=HEADER,
                    rule="stands for one request, and is kept for seven days",
                )  # fmt: skip
            return kept.answer, True

    async def answer(
        self, who: Caller, request: web.Request, mark: str, status: int,
        work: Callable[[Stamp | None], Awaitable[object]],
    ) -> web.Response:  # fmt: skip
        body, replayed = await self.once(who, key_of(request), mark, status, work)
        headers = {REPLAYED: "true"} if replayed else {}
        return web.Response(body=body, status=status, content_type="application/json", headers=headers)
