"""One guess of a PIN at a time, so that a thousand at once are no more than the lockout lets through one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, *keys: str) -> AsyncIterator[None]:
        """Wait until nobody else has one of the keys. All name theirs in the same order: none waits in a ring."""
        locks = [self._locks.setdefault(key, asyncio.Lock()) for key in keys]
        async with AsyncExitStack() as held:
            for lock in locks:
                await held.enter_async_context(lock)
            yield
