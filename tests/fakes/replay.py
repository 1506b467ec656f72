"""Plays a recording of an AMI link (``voxgate serve --record-ami``) to the AMI adapter, as Asterisk did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

#: Asked at any time, and answered at any time.
ANY_TIME = frozenset({"Ping"})


@dataclass(frozen=True, slots=True)
class Line:
    sent: bool  # by the gateway
    text: str

    def header(self, name: str) -> str:
        wanted = f"{name}: "
        return next((one.removeprefix(wanted) for one in self.text.splitlines() if one.startswith(wanted)), "")


def read(path: Path) -> list[Line]:
    rows = (json.loads(row) for row in path.read_text().splitlines()[1:])
    return [Line(row[1] == ">", row[2]) for row in rows]


@dataclass
class Replay:
    """Answers each action where the recording answered it, with the ids of now in place of the recorded ones.

    ``faults`` names what the adapter sent otherwise than it was recorded.
    """

    lines: list[Line]
    faults: list[str] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ids: dict[str, str] = {}
        skipped = {line.header("ActionID") for line in self.lines if line.sent and line.header("Action") in ANY_TIME}
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            for line in self.lines:
                if line.header("ActionID") in skipped:
                    continue
                if line.sent:
                    asked = await self._asked(reader, writer)
                    if asked.header("Action") != line.header("Action"):
                        self.faults.append(f"{asked.header('Action')} instead of {line.header('Action')}")
                    ids[line.header("ActionID")] = asked.header("ActionID")
                else:
                    text = line.text
                    for recorded, now in ids.items():
                        text = text.replace(recorded, now)
                    writer.write(text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
            self.done.set()
            while True:
                await self._asked(reader, writer)
        writer.close()

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Line:
        """The next action that is not asked at any time."""
        while True:
            raw = (await reader.readuntil(b"\r\n\r\n")).decode()
            line = Line(True, raw.replace("\r\n", "\n").strip())
            if line.header("Action") not in ANY_TIME:
                return line
            writer.write(f"Response: Success\r\nActionID: {line.header('ActionID')}\r\nPing: Pong\r\n\r\n".encode())
