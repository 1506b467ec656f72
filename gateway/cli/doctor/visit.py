"""A FastAGI server of the doctor's own, to which Asterisk brings one channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from gateway.adapters.agi import AgiServer, AgiSettings
from gateway.adapters.agi.server import Handler
from gateway.cli.client import VoxgateError, lend, on_socket
from gateway.cli.doctor.host import Host
from gateway.settings import Config


@asynccontextmanager
async def visited(config: Config, token: str, handle: Handler, host: Host) -> AsyncIterator[Host]:
    """Serve the channel with the unique id ``token``, at the gateway's FastAGI port or behind the gateway.

    The host with what was learned of a gateway that runs. Raises OSError where another program has the port.
    """
    server, beside = await _started(config, f"doctor/{token}", handle, host)
    running = asyncio.create_task(server.run())
    try:
        yield beside
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _started(config: Config, path: str, handle: Handler, host: Host) -> tuple[AgiServer, Host]:
    def accept(asked: str) -> bool:
        return asked == path

    server = AgiServer(AgiSettings(config.agi.host, config.agi.port, tuple(config.agi.allow)), accept, handle)
    try:
        await server.start()
        return server, host
    except OSError:
        behind = AgiServer(AgiSettings("127.0.0.1", 0), accept, handle)
        await behind.start()
        try:
            lent = await asyncio.to_thread(on_socket(config.socket_path).ask, lend(path, behind.port))
        except VoxgateError:
            lent = {}
        if not lent:
            await behind.stop()
            raise
        return behind, replace(host, gateway=True, gateway_links=int(lent["ami"]))
