"""A scripted AMI server for faults that a real Asterisk cannot be told to make."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Fields = dict[str, str]
Reaction = Callable[["FakeAmi", Fields], Awaitable[None]]


def message(**fields: object) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n"


class FakeAmi:
    """Answers logins and pings; other actions go to ``react``. ``actions`` is everything that was received."""

    def __init__(self, react: Reaction | None = None, *, refuse: bool = False) -> None:
        self.actions: list[Fields] = []
        self.connections = 0
        self.react = react
        self.refuse = refuse
        self.silent = False
        self._writer: asyncio.StreamWriter | None = None

    def sent(self, action: str) -> list[Fields]:
        return [one for one in self.actions if one.get("Action") == action]

    def send(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    def cut(self) -> None:
        assert self._writer is not None
        self._writer.transport.abort()

    async def answer(self, action: Fields, **fields: object) -> None:
        self.send(message(Response="Success", ActionID=action["ActionID"], **fields))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connections += 1
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                raw = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in raw.split("\r\n") if ": " in line)
                self.actions.append(action)
                await self._one(action)
        writer.close()

    async def _one(self, action: Fields) -> None:
        match action.get("Action"):
            case "Login" if self.refuse:
                self.send(message(Response="Error", ActionID=action["ActionID"], Message="Authentication failed"))
            case "Login":
                await self.answer(action, Message="Authentication accepted")
                self.send(message(Event="FullyBooted", Status="Fully Booted"))
            case "Ping" if self.silent:
                pass
            case "CoreStatus" | "Ping":
                await self.answer(action, CoreStartupDate="2026-01-01", CoreStartupTime="00:00:00")
            case _ if self.react is not None:
                await self.react(self, action)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            if self._writer is not None:
                self._writer.close()
