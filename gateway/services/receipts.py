"""Requests that must not be carried out twice: what is sent again is answered as it was the first time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec

from gateway.core.access import Receipt
from gateway.core.model import Millis
from gateway.ports import Clock


class ReceiptBook(Protocol):
    async def receipt(self, owner: int, key: str, now: Millis) -> Receipt | None: ...


class KeyReused(Exception):
    """The key stands for another request."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


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
        self, owner: int, key: str | None, mark: str, status: int, work: Callable[[Stamp | None], Awaitable[object]]
    ) -> tuple[bytes, bool]:
        """The answer as JSON, and whether it is that of an earlier request. ``work`` stores its stamp.

        Raises :class:`KeyReused`.
        """
        if key is None:
            return msgspec.json.encode(await work(None)), False
        lock = self._locks.setdefault((owner, key), asyncio.Lock())
        async with lock:
            now = self._clock.now()
            kept = await self._book.receipt(owner, key, now)
            if kept is None:
                return msgspec.json.encode(await work(Stamp(owner, key, mark, status, now))), False
            if kept.fingerprint != mark:
                raise KeyReused(key)
            return kept.answer, True
