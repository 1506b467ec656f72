"""The client: ``Client(url, token=…).ask(calls.create(…))``, and the same awaited of :class:`AsyncClient`."""

from __future__ import annotations

import asyncio
import http.client
import socket as sockets
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from voxgate import models
from voxgate.request import (
    EventReader,
    Lost,
    Refused,
    Request,
    Unreachable,
    Upload,
    VoxgateError,
    authorization,
    pause,
    refusal,
)

if TYPE_CHECKING:
    import aiohttp

__all__ = ["AsyncClient", "Client", "Lost", "Refused", "Unreachable", "VoxgateError"]

T = TypeVar("T")

TIMEOUT = 60.0
RETRIES = 3
#: Seconds before a stream of events that ended is opened anew.
RECONNECT = 1.0


class Client:
    """``base`` as ``http://127.0.0.1:8080``, or ``socket``: the gateway's Unix socket, whose rights authenticate.

    Refusals that ask to come back, and requests that may be repeated whose answer was lost, are tried again.
    """

    def __init__(
        self, base: str = "", *, socket: Path | None = None, login: str | None = None, pin: str | None = None,
        token: str | None = None, timeout: float = TIMEOUT, retries: int = RETRIES,
    ) -> None:  # fmt: skip
        self._base = urlsplit(base)
        self._socket = socket
        self._headers = authorization(login, pin, token)
        self._timeout = timeout
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def ask(self, request: Request[T], key: str | None = None) -> T:
        """Raises :class:`VoxgateError`. With ``key`` (an Idempotency-Key) nothing is carried out twice."""
        with self._answered(request if key is None else request.with_key(key)) as answer:
            return request.read(answer.read())

    def pages(self, request: Request[models.Page[T]]) -> Iterator[T]:
        """All items of a list, page after page."""
        while True:
            page = self.ask(request)
            yield from page.items
            if page.next is None:
                return
            request = request.after(page.next)

    def lines(self, request: Request[T], key: str | None = None) -> Iterator[T]:
        """The lines of an answer in JSON Lines, as they come."""
        with self._answered(request if key is None else request.with_key(key)) as answer:
            for line in answer:
                yield request.read(line)

    def pieces(self, request: Request[bytes]) -> Iterator[bytes]:
        """An answer's bytes, as they come."""
        with self._answered(request) as answer:
            while piece := answer.read(65_536):
                yield piece

    def events(self, request: Request[models.Event]) -> Iterator[models.Event]:
        """Events for ever: a stream that breaks off goes on after the last one. The first connection must succeed."""
        reader, connected = EventReader(), False
        while True:
            try:
                more = {} if reader.last is None else {"Last-Event-ID": str(reader.last)}
                with self._answered(request, more) as answer:
                    connected = True
                    while piece := answer.read1(65_536):
                        yield from reader.feed(piece)
            except (Lost, Unreachable):
                if not connected:
                    raise
            time.sleep(RECONNECT)

    @contextmanager
    def _answered(
        self, request: Request[Any], more: dict[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        for left in range(self._retries, -1, -1):
            with self._connected() as connection:
                try:
                    answer = self._asked(connection, request, more or {})
                except Lost:
                    if left == 0 or not request.repeatable:
                        raise
                    time.sleep(RECONNECT)
                    continue
                if answer.status < 400:
                    try:
                        yield answer
                    except (OSError, http.client.HTTPException) as error:
                        raise Lost(f"the gateway's answer was lost: {error}") from None
                    return
                wait = pause(request, answer.status, dict(answer.headers.items()))
                if left == 0 or wait is None:
                    raise refusal(answer.status, answer.read())
            time.sleep(wait)

    def _asked(
        self, connection: http.client.HTTPConnection, request: Request[Any], more: dict[str, str]
    ) -> http.client.HTTPResponse:
        headers = {**self._headers, **request.headers, **more}
        try:
            connection.connect()
        except OSError as error:
            raise Unreachable(_nobody(self._socket, self._base.geturl(), error)) from None
        body = request.body.pieces() if isinstance(request.body, Upload) else request.body
        try:
            connection.request(request.method, request.target, body, headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Lost(f"the gateway's answer was lost: {error}") from None

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        connection: http.client.HTTPConnection
        if self._socket is not None:
            connection = _OverSocket(self._socket, self._timeout)
        elif self._base.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                self._base.hostname or "", self._base.port, timeout=self._timeout, context=context
            )
        else:
            connection = http.client.HTTPConnection(self._base.hostname or "", self._base.port, timeout=self._timeout)
        try:
            yield connection
        finally:
            connection.close()


def _nobody(socket: Path | None, base: str, error: OSError) -> str:
    if socket is not None:
        return f"no gateway answers at {socket}: start it with `voxgate serve`"
    return f"no gateway answers at {base}: {error.strerror or error}"


class _OverSocket(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class AsyncClient:
    """As :class:`Client`, with connections kept open; use it by ``async with``."""

    def __init__(
        self, base: str = "http://localhost", *, socket: Path | None = None, login: str | None = None,
        pin: str | None = None, token: str | None = None, timeout: float = TIMEOUT, retries: int = RETRIES,
    ) -> None:  # fmt: skip
        self._base = base.rstrip("/")
        self._socket = socket
        self._headers = authorization(login, pin, token)
        self._timeout = timeout
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, request: Request[T], key: str | None = None) -> T:
        """Raises :class:`VoxgateError`. With ``key`` (an Idempotency-Key) nothing is carried out twice."""
        async with self._answered(request if key is None else request.with_key(key)) as answer:
            return request.read(await answer.read())

    async def pages(self, request: Request[models.Page[T]]) -> AsyncIterator[T]:
        """All items of a list, page after page."""
        while True:
            page = await self.ask(request)
            for item in page.items:
                yield item
            if page.next is None:
                return
            request = request.after(page.next)

    async def lines(self, request: Request[T], key: str | None = None) -> AsyncIterator[T]:
        """The lines of an answer in JSON Lines, as they come."""
        async with self._answered(request if key is None else request.with_key(key)) as answer:
            async for line in answer.content:
                yield request.read(line)

    async def events(self, request: Request[models.Event]) -> AsyncIterator[models.Event]:
        """Events for ever: a stream that breaks off goes on after the last one. The first connection must succeed."""
        reader, connected = EventReader(), False
        while True:
            try:
                more = {} if reader.last is None else {"Last-Event-ID": str(reader.last)}
                async with self._answered(request, more) as answer:
                    connected = True
                    async for piece in answer.content.iter_any():
                        for event in reader.feed(piece):
                            yield event
            except (Lost, Unreachable):
                if not connected:
                    raise
            await asyncio.sleep(RECONNECT)

    @asynccontextmanager
    async def _answered(
        self, request: Request[Any], more: dict[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp  # the synchronous client needs none of it

        for left in range(self._retries, -1, -1):
            try:
                answer = await self._asked(request, more or {})
            except Lost:
                if left == 0 or not request.repeatable:
                    raise
                await asyncio.sleep(RECONNECT)
                continue
            try:
                if answer.status < 400:
                    yield answer
                    return
                wait = pause(request, answer.status, answer.headers)
                if left == 0 or wait is None:
                    raise refusal(answer.status, await answer.read())
            except (aiohttp.ClientError, TimeoutError) as error:
                raise Lost(f"the gateway's answer was lost: {error}") from None
            finally:
                answer.release()
            await asyncio.sleep(wait)

    async def _asked(self, request: Request[Any], more: dict[str, str]) -> aiohttp.ClientResponse:
        import aiohttp

        if self._session is None:
            connector = None if self._socket is None else aiohttp.UnixConnector(str(self._socket))
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=self._timeout)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        body = _sent(request.body) if isinstance(request.body, Upload) else request.body
        headers = {**self._headers, **request.headers, **more}
        try:
            return await self._session.request(request.method, self._base + request.target, data=body, headers=headers)
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(_nobody(self._socket, self._base, error)) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Lost(f"the gateway's answer was lost: {error}") from None


async def _sent(upload: Upload) -> AsyncIterator[bytes]:
    """The pieces of an upload, each read in a thread."""
    pieces = upload.pieces()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
