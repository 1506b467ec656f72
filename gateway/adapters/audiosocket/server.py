"""The media tap's server: lets in Asterisk's addresses and one secret a tap, once, and hands on what is heard."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from gateway.adapters.audiosocket.frames import SILENCE, FrameReader, Kind
from gateway.adapters.strangers import Complaints, Strangers, notice_dead_peers
from gateway.core.addresses import networks_of, within
from gateway.ports import Ear

log = structlog.get_logger()

#: Bytes that a peer may send a second, and ahead of the clock: Asterisk sends 16,150 as time passes.
BYTES_A_SECOND = 17_000
AHEAD = 64_000
#: Seconds between silence frames to Asterisk, which may wait for one and send nothing meanwhile (asterisk#2089).
SILENCE_EVERY = 0.2
#: Unread bytes to a peer beyond which it is dead: half a minute of silence frames.
UNREAD = 50_000
#: Taps that are expected no more, for Asterisk to be late with.
WITHDRAWN = 1_000


@dataclass(frozen=True, slots=True)
class AudioSocketSettings:
    """``advertise`` is the HOST:PORT that Asterisk dials, empty for the one listened on. Times in seconds.

    ``allow`` are the networks that Asterisk may connect from.
    """

    host: str = "127.0.0.1"
    port: int = 0
    advertise: str = ""
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    expected_within: float = 10.0
    greeting_timeout: float = 5.0


@dataclass(slots=True)
class _Expected:
    ear: Ear
    timer: asyncio.TimerHandle


class AudioSocketServer:
    """Every expected tap has a UUID that cannot be guessed; it is good for one connection within its time."""

    def __init__(self, settings: AudioSocketSettings) -> None:
        self._settings = settings
        self._networks = networks_of(settings.allow)
        self._expected: dict[bytes, _Expected] = {}
        self._withdrawn: deque[bytes] = deque(maxlen=WITHDRAWN)
        self._connections: set[_Connection] = set()
        self._strangers: Strangers[_Connection] = Strangers(lambda one: one.refuse("too many show no UUID"))
        self.complaints = Complaints()
        self._server: asyncio.Server | None = None

    @property
    def taps(self) -> int:
        """How many are connected now."""
        return len(self._connections) - len(self._strangers)

    @property
    def strangers(self) -> int:
        """Connections that have not yet shown which tap they are."""
        return len(self._strangers)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        """HOST:PORT as Asterisk is to dial it."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return self._settings.advertise or f"{host}:{self.port}"

    async def start(self) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self._settings.host, self._settings.port)
        notice_dead_peers(self._server)

    async def run(self) -> None:
        """Keep taps alive until cancelled; then end them all."""
        try:
            while True:
                await asyncio.sleep(SILENCE_EVERY)
                for connection in list(self._connections):
                    connection.keep_alive()
        finally:
            if self._server is not None:
                self._server.close()
            for connection in list(self._connections):
                connection.drop("the gateway is stopping")

    # --- the port ---

    def expect(self, ear: Ear) -> str:
        token = uuid.uuid4()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._settings.expected_within, self._late, token.bytes)
        self._expected[token.bytes] = _Expected(ear, timer)
        return f"{self.address}/{token}"

    def close(self, ear: Ear) -> None:
        for token, one in list(self._expected.items()):
            if one.ear is ear:
                one.timer.cancel()
                self._withdraw(token)
        for connection in list(self._connections):
            if connection.ear is ear:
                connection.drop("")

    def keep(self, ears: Iterable[Ear]) -> int:
        """End every tap that none of these hears; how many there were."""
        kept = {id(ear) for ear in ears}
        leaked = [one for one in self._connections if one.ear is not None and id(one.ear) not in kept]
        for connection in leaked:
            connection.drop("its call is over")
        return len(leaked)

    def _late(self, token: bytes) -> None:
        one = self._withdraw(token)
        if one is not None:
            one.ear.ended(f"Asterisk opened no tap within {self._settings.expected_within:g} s")

    def _withdraw(self, token: bytes) -> _Expected | None:
        self._withdrawn.append(token)
        return self._expected.pop(token, None)

    # --- what connections ask ---

    def allows(self, host: str) -> bool:
        try:
            return within(host, self._networks)
        except ValueError:  # a peer without an address
            return False

    def take(self, token: bytes) -> Ear | None:
        """The ear that expects this tap; from now on nobody does."""
        one = self._expected.pop(token, None)
        if one is None:
            return None
        one.timer.cancel()
        return one.ear

    def withdrew(self, token: bytes) -> bool:
        """Whether this tap was expected once, and the call has ended or the time has passed since."""
        return token in self._withdrawn

    @property
    def settings(self) -> AudioSocketSettings:
        return self._settings

    def opened(self, connection: _Connection) -> None:
        self._connections.add(connection)
        self._strangers.enter(connection)

    def known(self, connection: _Connection) -> None:
        """It has shown which tap it is, or is gone."""
        self._strangers.leave(connection)

    def closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)


class _Connection(asyncio.Protocol):
    """One TCP connection: a stranger until it has shown a tap's UUID."""

    def __init__(self, server: AudioSocketServer) -> None:
        self._server = server
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = ""
        self._began = 0.0
        self._received = 0  # bytes since then
        self._why = ""  # it ends
        self.ear: Ear | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        loop = asyncio.get_running_loop()
        if not self._server.allows(self._peer):
            self.refuse("address not in [audiosocket] allow")
        else:
            self._timer = loop.call_later(self._server.settings.greeting_timeout, self.refuse, "no UUID in time")
            self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._received += len(data)
        pieces: list[bytes] = []
        for frame in self._reader.feed(data):
            match frame.kind:
                case Kind.UUID if self.ear is None:
                    if not self._greeted(frame.payload):
                        return
                case Kind.AUDIO:
                    pieces.append(frame.payload)
                case Kind.TERMINATE:
                    self._why = "Asterisk ended the tap"
                case Kind.ERROR:
                    self._why = f"Asterisk ended the tap by an error ({frame.payload[:1].hex() or 'none told'})"
        if self.ear is not None and self._received > self._limit():
            self.drop("the tap's peer sends faster than time passes")
            return
        if pieces and self.ear is not None:
            self.ear.audio(b"".join(pieces))
        if self._reader.fault:
            if self.ear is None:
                self.refuse(self._reader.fault)
            else:
                self.drop(f"the tap's peer sent what is no AudioSocket: {self._reader.fault}")
        elif self._why and self._transport is not None:
            self._transport.abort()  # closing would wait for a peer that reads no more

    def _greeted(self, token: bytes) -> bool:
        ear = self._server.take(token)
        if ear is None:
            if self._server.withdrew(token):
                self.drop("")  # Asterisk was slower than the call: nobody is a stranger here
            else:
                self.refuse("no such tap is expected")
            return False
        self._known()
        self._began = asyncio.get_running_loop().time()
        self.ear = ear
        ear.began()
        self.keep_alive()
        return True

    def _limit(self) -> float:
        return (asyncio.get_running_loop().time() - self._began) * BYTES_A_SECOND + AHEAD

    def keep_alive(self) -> None:
        transport = self._transport
        if self.ear is None or transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNREAD:
            self.drop("the tap's peer reads nothing")
        else:
            transport.write(SILENCE)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._known()
        self._server.closed(self)
        self._transport = None
        if self.ear is not None:
            ear, self.ear = self.ear, None
            why = f"the tap's connection was lost: {exc}" if exc is not None else "the tap's connection was closed"
            ear.ended(self._why or why)

    def drop(self, why: str) -> None:
        """End it from our side; empty where nobody need be told."""
        self._why = self._why or why
        if not why:
            self.ear = None
        if self._transport is not None:
            self._transport.abort()

    def _known(self) -> None:
        """It is no stranger any more, or gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._server.known(self)

    def refuse(self, why: str) -> None:
        if self._server.complaints.may():
            log.warning("audiosocket.refused", peer=self._peer, why=why)
        if self._transport is not None:
            self._transport.abort()
