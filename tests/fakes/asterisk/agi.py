"""FastAGI from Asterisk's side: brings an answered channel to the gateway and carries out what it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum

from tests.fakes.asterisk.channel import Channel
from tests.fakes.asterisk.commands import Answer, carry_out
from tests.fakes.asterisk.lines import Line
from tests.fakes.asterisk.pbx import Pbx


class AgiEnded(Enum):
    """AGISTATUS, as far as our dialplan tells them apart."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


async def serve_agi(pbx: Pbx, channel: Channel, line: Line) -> AgiEnded:
    """Hold a session until the gateway ends it; a hang-up alone does not."""
    loop = asyncio.get_running_loop()
    try:
        _, session = await loop.create_connection(lambda: Session(pbx, channel, line), "127.0.0.1", pbx.agi_port)
    except OSError:
        return AgiEnded.FAILURE
    pbx.sessions += 1
    channel.listener, channel.mourner = session.keyed, session.wake
    try:
        await session.run()
    finally:
        pbx.sessions -= 1
        channel.listener = channel.mourner = None
        session.transport.close()
    return AgiEnded.SUCCESS


class Session(asyncio.Protocol):
    """What commands wait by: the time, a key, the hang-up, the next command or the end."""

    transport: asyncio.Transport

    def __init__(self, pbx: Pbx, channel: Channel, line: Line) -> None:
        self.pbx = pbx
        self.channel = channel
        self.line = line
        self.ended = False
        self._bytes = bytearray()
        self._commands: deque[str] = deque()
        self._waiter: asyncio.Future[str] | None = None
        self._keys = ""
        self._told = False  # that the channel is gone
        self._count = 0

    async def run(self) -> None:
        self.transport.write(self._greeting().encode())
        while True:
            while not self._commands and not self.ended:
                self._tell_gone()
                await self.wait(None)
            if not self._commands:
                return
            command = self._commands.popleft()
            self._count += 1
            if not await self._one(command):
                return

    async def _one(self, line: str) -> bool:
        """Carry out one command; whether the session goes on."""
        faults = self.pbx.faults
        words = line.split(" ")
        here = (self._count, words[0], " ".join(words[:2]))
        if faults.strike("agi_dies", command=here) is not None:
            self.transport.abort()
            return False
        if faults.strike("agi_silent", command=here) is not None:
            while not self.ended:  # whatever else comes, or hangs up
                await asyncio.sleep(0.05)
            return False
        said = await carry_out(self, line)
        if said is not Answer.NONE:
            self.transport.write(f"{said}\n".encode())
        return True

    def _tell_gone(self) -> None:
        """After the answer to the command under way, once."""
        if self.channel.gone.is_set() and not self._told:
            self._told = True
            self.transport.write(b"HANGUP\n")

    async def wait(self, seconds: float | None, keys: str = "") -> str:
        """Wait for so long, None without end. Returns ``""`` for the time, one of ``keys``, ``gone`` or ``next``:
        a command that came, or the session's end.
        """
        if self._commands or self.ended:
            return "next"
        if self.channel.gone.is_set() and not self._told:
            return "gone"
        loop = asyncio.get_running_loop()
        self._waiter, self._keys = loop.create_future(), keys
        timer = None if seconds is None else loop.call_later(seconds, self._end_wait, "")
        try:
            return await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    async def last(self, seconds: float, keys: str = "") -> str:
        """As :meth:`wait`, but neither a command nor the session's end cuts it short."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            if self.channel.gone.is_set():
                return "gone"
            if (left := end - loop.time()) <= 0:
                return ""
            if not self._commands and not self.ended:
                if (how := await self.wait(left, keys)) != "next":
                    return how
            else:
                await asyncio.sleep(min(left, 0.05))

    def _end_wait(self, how: str) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(how)

    def keyed(self, digit: str) -> None:
        if digit in self._keys:
            self._end_wait(digit)

    def wake(self) -> None:
        self._end_wait("gone")

    # --- the connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        *lines, rest = self._bytes.split(b"\n")
        self._bytes = rest
        self._commands.extend(line.decode("utf-8", "replace") for line in lines)
        if lines:
            self._end_wait("next")

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._end_wait("next")

    def _greeting(self) -> str:
        channel = self.channel
        variables = {
            "network": "yes", "network_script": f"call/{channel.id}", "request": channel.data, "channel": channel.name,
            "language": "en", "type": "PJSIP", "uniqueid": channel.id, "version": "22.10.1", "callerid": channel.caller,
            "calleridname": "unknown", "callingpres": "0", "callingani2": "0", "callington": "0", "callingtns": "0",
            "dnid": "unknown", "rdnis": "unknown", "context": channel.context, "extension": channel.exten,
            "priority": str(channel.priority), "enhanced": "0.0", "accountcode": channel.account, "threadid": "1",
        }  # fmt: skip
        return "".join(f"agi_{name}: {value}\n" for name, value in variables.items()) + "\n"
