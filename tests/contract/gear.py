"""What stands in for the gateway in the contract suite: a bare AMI client, a FastAGI and an AudioSocket server.

They know nothing of the gateway's adapters, so that the fake and the real Asterisk are compared byte for byte.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Fields = dict[str, str]
PATIENCE = 20.0


class Ami:
    """``events`` is every event so far, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.banner = ""
        self.events: list[Fields] = []
        self.ended = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._changed = asyncio.Event()
        self._answers: dict[str, asyncio.Future[Fields]] = {}
        self._ids = (f"contract-{secrets.token_hex(4)}-{n}" for n in itertools.count(1))

    @classmethod
    @asynccontextmanager
    async def linked(cls, port: int) -> AsyncIterator[Ami]:
        """A link on which nobody has logged in."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ami = cls(reader, writer)
        ami.banner = (await reader.readuntil(b"\r\n")).decode().strip()
        reading = asyncio.create_task(ami._read())
        try:
            yield ami
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            writer.close()

    @staticmethod
    async def refused(port: int) -> bool:
        """Whether a link is ended before the greeting."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            greeting = await reader.read(100)
            writer.close()
        except ConnectionError:
            return True
        return greeting == b""

    async def _read(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message = parsed(await self._reader.readuntil(b"\r\n\r\n"))
                answer = self._answers.pop(message.get("ActionID", ""), None) if "Response" in message else None
                if answer is not None and "Event" not in message:
                    answer.set_result(message)
                else:
                    self.events.append(message)
                self._changed.set()
        self.ended.set()
        self._changed.set()

    def write(self, fields: Fields) -> str:
        """Send an action; its ActionID."""
        fields = {**fields} if "ActionID" in fields else {**fields, "ActionID": next(self._ids)}
        self._writer.write("".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n")
        return fields["ActionID"]

    async def ask(self, action: str, **fields: str) -> Fields:
        """Send an action; its response."""
        asked = {"Action": action, **fields}
        asked.setdefault("ActionID", next(self._ids))
        answer = self._answers[asked["ActionID"]] = asyncio.get_running_loop().create_future()
        self.write(asked)
        async with asyncio.timeout(PATIENCE):
            said: Fields = await answer
            return said

    async def listed(self, action: str, ends: str, **fields: str) -> tuple[Fields, list[Fields]]:
        """Send an action that is answered by a list: its response, and the list's events with their end."""
        answer = await self.ask(action, **fields)
        await self.event(ends, ActionID=answer["ActionID"])
        return answer, [one for one in self.events if one.get("ActionID") == answer["ActionID"]]

    async def event(self, name: str, seconds: float = PATIENCE, **fields: str) -> Fields:
        """Wait for an event with these headers; the first of them, also one that came before."""
        async with asyncio.timeout(seconds):
            while True:
                self._changed.clear()
                for one in self.events:
                    if one.get("Event") == name and fields.items() <= one.items():
                        return one
                await self._changed.wait()

    def told(self, channel_id: str) -> list[Fields]:
        """The events of one channel, in order, and those of its Originate."""
        names = ("Uniqueid", "DestUniqueid", "ActionID")
        return [one for one in self.events if channel_id in (one.get(name) for name in names)]


def parsed(raw: bytes) -> Fields:
    lines = raw.decode().strip("\r\n").split("\r\n")
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


class Session:
    """One FastAGI session. ``greeting`` is what it began with."""

    def __init__(self, greeting: Fields, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.greeting = greeting
        self._reader = reader
        self._writer = writer

    async def command(self, line: str) -> str:
        """Send a command; its answer, and a ``HANGUP`` that came before it on a line of its own."""
        self.write(line)
        return await self.line()

    def write(self, line: str) -> None:
        self._writer.write(line.encode() + b"\n")

    async def line(self, seconds: float = PATIENCE) -> str:
        """The next line; empty where Asterisk has closed the session."""
        async with asyncio.timeout(seconds):
            return (await self._reader.readline()).decode().rstrip("\n")

    def drop(self) -> None:
        """As a gateway that dies."""
        self._writer.transport.abort()


@dataclass
class Agi:
    """Sessions by channel id."""

    sessions: dict[str, Session] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        raw = (await reader.readuntil(b"\n\n")).decode()
        greeting = {name: value for name, _, value in (line.partition(": ") for line in raw.strip().split("\n"))}
        self.sessions[greeting["agi_uniqueid"]] = Session(greeting, reader, writer)
        self._changed.set()

    async def session(self, channel_id: str) -> Session:
        async with asyncio.timeout(PATIENCE):
            while channel_id not in self.sessions:
                self._changed.clear()
                await self._changed.wait()
        return self.sessions[channel_id]


@dataclass
class Tap:
    """An AudioSocket server that waits for one tap. ``heard`` is its audio, ``first`` its first frame's payload."""

    token: uuid.UUID = field(default_factory=uuid.uuid4)
    port: int = 0
    first: bytes = b""
    heard: bytes = b""
    kinds: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.StreamWriter | None = None

    @property
    def way(self) -> str:
        return f"AudioSocket/127.0.0.1:{self.port}/{self.token}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Tap]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            if self._writer is not None:
                self._writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(3)
                payload = await reader.readexactly(int.from_bytes(head[1:], "big"))
                self.kinds.append(head[0])
                if len(self.kinds) == 1:
                    self.first = payload
                elif head[0] == 0x10:
                    self.heard += payload
        self.ended.set()
        writer.close()
