"""The media tap: an AudioSocket connection to the gateway that carries what a callee says, as time passes."""

from __future__ import annotations

import asyncio
import time
import uuid

from tests.fakes.asterisk.channel import Channel
from tests.fakes.asterisk.pbx import Pbx
from tests.fakes.asterisk.sounds import FRAME_BYTES, RATE, sound

UUID, AUDIO = 0x01, 0x10
#: Seconds of audio that are sent at once: 20 ms as Asterisk does would cost more than all else here.
TICK = 0.1
DIES_AFTER = 1.0
_SILENT = bytes((AUDIO,)) + FRAME_BYTES.to_bytes(2, "big") + bytes(FRAME_BYTES)


async def begin_tap(pbx: Pbx, channel: Channel, host: str, port: int, token: str) -> None:
    """From the connection to the end of the call, of the tap's own channel, or of the connection."""
    tap = _Tap()
    try:
        await asyncio.get_running_loop().create_connection(lambda: tap, host, port)
    except OSError:
        pbx.channels.pop(channel.id, None)
        return
    try:
        tap.transport.write(bytes((UUID, 0, 16)) + uuid.UUID(token).bytes)
        if (spied := pbx.channels.get(channel.exten)) is not None:
            await _spy(pbx, tap, channel, spied)
    finally:
        pbx.channels.pop(channel.id, None)
        tap.transport.close()


async def _spy(pbx: Pbx, tap: _Tap, own: Channel, spied: Channel) -> None:
    dies = pbx.faults.strike("tap_dies")
    dies_at = float("inf") if dies is None else time.monotonic() + float(dies.more.get("after", DIES_AFTER))
    said, sent = sound(spied.says), 0
    while not (spied.gone.is_set() or own.gone.is_set() or tap.closed):
        if time.monotonic() >= dies_at:
            tap.transport.abort()
            return
        if spied.answered_at is not None:  # none of the numbers has early media
            due = round((time.monotonic() - spied.answered_at) * RATE) * 2 // FRAME_BYTES
            tap.transport.write(b"".join(_frame(said, n) for n in range(sent, due)))
            sent = due
        await asyncio.sleep(TICK)


def _frame(said: bytes, n: int) -> bytes:
    piece = said[n * FRAME_BYTES : (n + 1) * FRAME_BYTES]
    return _SILENT if not piece else _SILENT[:3] + piece.ljust(FRAME_BYTES, b"\0")


class _Tap(asyncio.Protocol):
    """What the gateway sends is silence, and is let go by."""

    transport: asyncio.Transport
    closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
