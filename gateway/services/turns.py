"""One guess of a PIN at a time, so that a thousand at once are no more than the lockout lets through one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, login: str, address: str) -> AsyncIterator[None]:
        """Wait until nobody else tries this login, nor any from this address. The login first: none waits in a ring."""
        login_lock = self._locks.setdefault(("login", login), asyncio.Lock())
        address_lock = self._locks.setdefault(("address", address), asyncio.Lock())
        async with login_lock, address_lock:
            yield
