"""Measures how late the event loop is: whatever holds it up delays every call at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

EVERY = 0.25


async def watch_loop(tell: Callable[[float], None]) -> None:
    """Tell, four times a second, by how many seconds the loop woke this task too late."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        tell(max(0.0, loop.time() - due))
