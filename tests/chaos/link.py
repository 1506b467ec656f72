"""A TCP link that can stall, crawl, and break in the midst of chosen bytes."""

from __future__ import annotations

import random
import socket
import threading
import time
from types import TracebackType
from typing import Self

from lab.proxy import Proxy


class Link(Proxy):
    """Beside :class:`lab.proxy.Proxy`'s cut and mend."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._flowing = threading.Event()
        self._flowing.set()
        self._delay = 0.0
        self._trap: tuple[bytes, bool, random.Random] | None = None
        self.sprung = threading.Event()
        super().__init__(target, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.flow()
        super().__exit__(kind, error, tb)

    def stall(self) -> None:
        """Pass nothing on until :meth:`flow`; the connections stay."""
        self._flowing.clear()

    def crawl(self, delay: float) -> None:
        """Pass on 512 bytes every ``delay`` seconds until :meth:`flow`."""
        self._delay = delay

    def flow(self) -> None:
        self._delay = 0.0
        self._flowing.set()

    def break_in(self, marker: bytes, rng: random.Random, *, upwards: bool) -> None:
        """Break once, at a random byte of the next message that holds ``marker``; ``sprung`` tells when."""
        self.sprung.clear()
        self._trap = (marker, upwards, rng)

    def disarm(self) -> None:
        self._trap = None

    def _forward(self, data: bytes, sink: socket.socket, upwards: bool) -> None:
        self._flowing.wait()
        trap = self._trap
        if trap is not None and trap[1] is upwards and trap[0] in data:
            self._trap = None
            begin = data.index(trap[0])
            sink.sendall(data[: trap[2].randint(begin, len(data))])
            self.cut()
            self.sprung.set()
            return
        if not self._delay:
            sink.sendall(data)
            return
        for start in range(0, len(data), 512):
            sink.sendall(data[start : start + 512])
            time.sleep(self._delay)
