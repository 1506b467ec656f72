"""What the event loop could raise nowhere: logged, and not a hundred times a second."""

from __future__ import annotations

import asyncio
import errno
from typing import Any

import structlog

log = structlog.get_logger()

#: Seconds for which one line tells of connections that found no descriptor.
QUIET = 1.0


class LoopFaults:
    """An exception handler of a loop. asyncio 3.11 tells of a port without descriptors once for each of its backlog."""

    def __init__(self) -> None:
        self._told = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif loop.time() - self._told >= QUIET:
            self._told = loop.time()
            log.error("gateway.no_descriptors", error=str(error))
