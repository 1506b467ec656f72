"""Passes a browser's SIP over WebSocket (RFC 7118) on to Asterisk's, and back."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, WSMsgType, web

log = structlog.get_logger()

PROTOCOL = "sip"
#: Bytes of one SIP message; an INVITE with its candidates has about 3,000.
LARGEST = 64 * 1024
CONNECT_WITHIN = 5.0
PING_EVERY = 20.0


class PhoneSocket:
    """``url`` is Asterisk's WebSocket."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: set[web.WebSocketResponse] = set()

    async def bridge(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one browser until either side closes."""
        browser = web.WebSocketResponse(protocols=(PROTOCOL,), max_msg_size=LARGEST, heartbeat=PING_EVERY)
        await browser.prepare(request)
        self._open.add(browser)
        try:
            async with (
                ClientSession(timeout=ClientTimeout(connect=CONNECT_WITHIN)) as session,
                session.ws_connect(self._url, protocols=(PROTOCOL,), max_msg_size=LARGEST) as asterisk,
            ):
                await _both(browser, asterisk)
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("phone.unreachable", url=self._url, error=str(error))
        finally:
            self._open.discard(browser)
            await browser.close()
        return browser

    async def close(self) -> None:
        for browser in list(self._open):
            await browser.close()


async def _both(browser: web.WebSocketResponse, asterisk: ClientWebSocketResponse) -> None:
    """Carry messages both ways until one side ends."""
    ways = [asyncio.ensure_future(_carry(browser, asterisk)), asyncio.ensure_future(_carry(asterisk, browser))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


Socket = web.WebSocketResponse | ClientWebSocketResponse


async def _carry(one: Socket, other: Socket) -> None:
    async for message in one:
        if message.type is WSMsgType.TEXT:
            await other.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await other.send_bytes(message.data)
