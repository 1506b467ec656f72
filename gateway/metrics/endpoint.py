"""``GET /metrics``: on a port of its own, on the commands' socket, and on the public port for allowed peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web
from prometheus_client.exposition import choose_encoder

from gateway.core.addresses import networks_of, within
from gateway.metrics.instruments import Instruments
from gateway.metrics.reading import Reading
from gateway.ports import StoreError

PATH = "/metrics"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MetricsEndpoint:
    """``read`` reads the gateway as it is now."""

    def __init__(self, instruments: Instruments, read: Callable[[], Awaitable[Reading]]) -> None:
        self._instruments = instruments
        self._read = read

    async def handle(self, request: web.Request) -> web.Response:
        """The text format, or OpenMetrics where the scraper asks for it."""
        try:
            (await self._read()).show_on(self._instruments)
        except StoreError as error:
            raise web.HTTPServiceUnavailable(text=f"the database could not be read: {error}\n") from None
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        body: bytes = encode(self._instruments.registry)
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})

    def app(self) -> web.Application:
        app = web.Application()
        self.add_to(app)
        return app

    def add_to(self, app: web.Application, allow: Sequence[str] | None = None) -> None:
        """Serve it in ``app``; where networks are given, the path is not there for any other peer."""
        app.router.add_get(PATH, self.handle if allow is None else _restricted(self.handle, allow))


def _restricted(handler: Handler, allow: Sequence[str]) -> Handler:
    networks = networks_of(allow)

    async def guarded(request: web.Request) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        if not peer or not within(str(peer[0]), networks):
            raise web.HTTPNotFound
        return await handler(request)

    return guarded
