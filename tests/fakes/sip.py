"""A telephone that answers every call and sends no audio, with any address in its SDP: no Asterisk can be told to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class SilentPhone(asyncio.DatagramProtocol):
    """``sdp_address`` is what it names for its audio."""

    def __init__(self, sdp_address: str) -> None:
        self._sdp_address = sdp_address
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        request = data.decode()
        method = request.partition(" ")[0]
        if method == "INVITE":
            self._answer(request, peer, "180 Ringing")
            self._answer(request, peer, "200 OK", self._sdp())
        elif method in ("BYE", "CANCEL", "OPTIONS"):
            self._answer(request, peer, "200 OK")

    def _sdp(self) -> str:
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self._sdp_address}\r\ns=-\r\nc=IN IP4 {self._sdp_address}\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )

    def _answer(self, request: str, peer: tuple[str, int], status: str, body: str = "") -> None:
        assert self._transport is not None
        head = request.partition("\r\n\r\n")[0].split("\r\n")
        copied = [line for line in head if re.match(r"(Via|From|Call-ID|CSeq|Record-Route):", line, re.I)]
        (to,) = (line for line in head if line.lower().startswith("to:"))
        port = self._transport.get_extra_info("sockname")[1]
        lines = [f"SIP/2.0 {status}", *copied, to if ";tag=" in to else f"{to};tag=1"]
        lines += [f"Contact: <sip:127.0.0.1:{port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        self._transport.sendto("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode(), peer)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[int]:
        """Its UDP port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        try:
            yield int(transport.get_extra_info("sockname")[1])
        finally:
            transport.close()
