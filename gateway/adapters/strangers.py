"""What every listening port needs against strangers: a bounded waiting room, and an end for peers that are gone."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

#: Connections of one port that have not shown yet what they want. Several times a listening socket's backlog, so that
#: whoever speaks at once is heard before a burst has pushed it out.
MOST = 512
#: Seconds of silence after which a peer is asked whether it still is there, between asking, and how often it is asked.
KEEP_IDLE, KEEP_EVERY, KEEP_COUNT = 60, 15, 4
#: Milliseconds for which sent bytes may stay unacknowledged.
UNACKNOWLEDGED = 60_000

#: Lines about strangers that are logged within so many seconds: a flood must not fill the disk.
LINES, WITHIN = 20, 10.0

DESCRIPTORS = 65_536

T = TypeVar("T", bound=Hashable)


class Strangers(Generic[T]):
    """Where too many wait, the one that came first is let go: a flood keeps out nobody who speaks at once."""

    def __init__(self, let_go: Callable[[T], None], most: int = MOST) -> None:
        self._let_go = let_go
        self._most = most
        self._waiting: dict[T, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        return len(self._waiting) >= self._most

    def enter(self, one: T) -> None:
        while self.full:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self._let_go(oldest)
        self._waiting[one] = None

    def leave(self, one: T) -> bool:
        """It is known now, or gone; False where it was let go before."""
        return self._waiting.pop(one, self) is not self


class Complaints:
    """How much is logged of what strangers do; the rest is left out."""

    def __init__(self) -> None:
        self._since = -WITHIN
        self._said = 0

    def may(self) -> bool:
        """Whether one more line may be logged."""
        now = time.monotonic()
        if now - self._since >= WITHIN:
            self._since, self._said = now, 0
        self._said += 1
        return self._said <= LINES


def notice_dead_peers(server: asyncio.Server) -> None:
    """Let the kernel end connections whose other host is gone; those that are accepted inherit it."""
    for listening in server.sockets:
        if listening.family in (socket.AF_INET, socket.AF_INET6):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_IDLE)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEP_EVERY)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEP_COUNT)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED)


def allow_many() -> None:
    """Let this process have as many descriptors as it may: one port's flood would fill the 1,024 of a shell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
