"""The media tap's server: frames cut anywhere, strangers, replays, floods, and ends with their reasons."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import structlog.testing

from gateway.adapters.audiosocket import AudioSocketServer, AudioSocketSettings
from gateway.adapters.audiosocket import server as audiosocket
from gateway.adapters.audiosocket.frames import LONGEST, Frame, FrameReader, Kind, encode

TOKEN = uuid.UUID("0191d4b8-3a4c-4e1c-8c39-1f0e5f6a7b8c")
PCM = bytes(range(256)) + bytes(64)
STREAM = encode(Kind.UUID, TOKEN.bytes) + encode(Kind.AUDIO, PCM) + encode(Kind.DTMF, b"5") + encode(Kind.TERMINATE)
FRAMES = [
    Frame(Kind.UUID, TOKEN.bytes), Frame(Kind.AUDIO, PCM), Frame(Kind.DTMF, b"5"), Frame(Kind.TERMINATE, b"")
]  # fmt: skip


# --- frames ---


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_frames_cut_anywhere_are_the_same_frames(cut: int) -> None:
    reader = FrameReader()
    assert reader.feed(STREAM[:cut]) + reader.feed(STREAM[cut:]) == FRAMES
    assert reader.fault == ""


def test_frames_that_come_byte_by_byte_are_the_same_frames() -> None:
    reader = FrameReader()
    assert [frame for byte in STREAM for frame in reader.feed(bytes([byte]))] == FRAMES


@pytest.mark.parametrize(
    "data",
    [encode(Kind.AUDIO, PCM), encode(Kind.UUID, b"short"), b"GET / HTTP/1.1\r\n", b"\x16\x03\x01"],
    ids=["audio", "short", "http", "tls"],
)
def test_what_does_not_begin_with_a_uuid_is_refused_before_it_is_whole(data: bytes) -> None:
    reader = FrameReader()
    assert reader.feed(data[:3]) == []
    assert "no UUID" in reader.fault


def test_an_endless_frame_is_refused_at_its_head() -> None:
    reader = FrameReader()
    assert reader.feed(STREAM[:-3] + bytes((Kind.AUDIO,)) + (LONGEST + 1).to_bytes(2, "big")) == FRAMES[:-1]
    assert str(LONGEST + 1) in reader.fault
    assert reader.feed(encode(Kind.AUDIO, PCM)) == []


# --- the server ---


@dataclass
class Ear:
    begun: bool = False
    heard: bytearray = field(default_factory=bytearray)
    why: list[str] = field(default_factory=list)

    def began(self) -> None:
        self.begun = True

    def audio(self, pcm: bytes) -> None:
        self.heard += pcm

    def ended(self, why: str) -> None:
        self.why.append(why)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


Make = Callable[..., Awaitable[AudioSocketServer]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    running: list[asyncio.Task[None]] = []

    async def made(**settings: object) -> AudioSocketServer:
        server = AudioSocketServer(AudioSocketSettings(**settings))  # type: ignore[arg-type]
        await server.start()
        running.append(asyncio.create_task(server.run()))
        return server

    yield made
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def dial(way: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A peer as Asterisk is, and the UUID that it will show."""
    address, _, token = way.partition("/")
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    return reader, writer, encode(Kind.UUID, uuid.UUID(token).bytes)


async def test_a_tap_is_heard_to_its_end_and_is_sent_silence(make: Make) -> None:
    server, ear = await make(), Ear()
    reader, writer, greeting = await dial(server.expect(ear))
    writer.write(greeting + encode(Kind.AUDIO, PCM) + encode(Kind.AUDIO, PCM))
    await until(lambda: len(ear.heard) == 640)
    assert await asyncio.wait_for(reader.readexactly(323), 5) == encode(Kind.AUDIO, bytes(320))
    assert await asyncio.wait_for(reader.readexactly(323), 5) == encode(Kind.AUDIO, bytes(320))  # asterisk#2089
    writer.write(encode(Kind.AUDIO, PCM) + encode(Kind.TERMINATE))
    await until(lambda: bool(ear.why))
    assert (ear.begun, bytes(ear.heard), ear.why) == (True, PCM * 3, ["Asterisk ended the tap"])
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_tap_whose_peer_reads_nothing_ends_when_the_peer_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket, "SILENCE", bytes(16_000_000))  # more than sockets hold
    server, ear = await make(), Ear()
    _, writer, greeting = await dial(server.expect(ear))
    writer.write(greeting + encode(Kind.TERMINATE))
    await until(lambda: bool(ear.why))
    assert (ear.why, server.taps) == (["Asterisk ended the tap"], 0)
    writer.close()


@pytest.mark.parametrize(
    ("last", "words"),
    [(b"", "closed"), (encode(Kind.ERROR, b"\x04"), "error (04)"), (bytes((0x10, 0xFF, 0xFF)), "no AudioSocket")],
    ids=["eof", "error", "garbage"],
)
async def test_a_tap_that_ends_tells_how(make: Make, last: bytes, words: str) -> None:
    server, ear = await make(), Ear()
    _, writer, greeting = await dial(server.expect(ear))
    writer.write(greeting + encode(Kind.AUDIO, PCM) + last)
    await until(lambda: len(ear.heard) == 320)
    if not last:
        writer.close()
    await until(lambda: bool(ear.why))
    assert len(ear.why) == 1
    assert words in ear.why[0]
    writer.close()


@pytest.mark.parametrize("greeting", [encode(Kind.UUID, uuid.uuid4().bytes), b"GET / HTTP/1.1\r\n\r\n", b""])
async def test_a_stranger_is_let_go_and_disturbs_nobody(make: Make, greeting: bytes) -> None:
    server, ear = await make(greeting_timeout=0.2), Ear()
    way = server.expect(ear)
    reader, writer, right = await dial(way)
    writer.write(greeting)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    _, other, _ = await dial(way)
    other.write(right + encode(Kind.AUDIO, PCM))
    await until(lambda: len(ear.heard) == 320)
    assert ear.why == []
    writer.close()
    other.close()


async def test_a_uuid_is_good_for_one_connection(make: Make) -> None:
    server, ear = await make(), Ear()
    way = server.expect(ear)
    _, first, greeting = await dial(way)
    first.write(greeting + encode(Kind.AUDIO, PCM))
    await until(lambda: len(ear.heard) == 320)
    reader, second, _ = await dial(way)
    second.write(greeting + encode(Kind.AUDIO, b"\x7f" * 320))
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    assert bytes(ear.heard) == PCM
    first.close()
    second.close()


async def test_a_uuid_is_good_for_its_time_only(make: Make) -> None:
    server, ear = await make(expected_within=0.1), Ear()
    way = server.expect(ear)
    await until(lambda: bool(ear.why))
    assert ear.why == ["Asterisk opened no tap within 0.1 s"]
    reader, writer, greeting = await dial(way)
    writer.write(greeting)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    assert not ear.begun
    writer.close()


async def test_a_tap_that_comes_after_its_call_is_let_go_without_a_warning(make: Make) -> None:
    server, ear = await make(), Ear()
    way = server.expect(ear)
    server.close(ear)
    reader, writer, greeting = await dial(way)
    with structlog.testing.capture_logs() as lines:
        writer.write(greeting)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        assert (lines, ear.begun, server.strangers) == ([], False, 0)
        reader, stranger, _ = await dial(way)
        stranger.write(encode(Kind.UUID, uuid.uuid4().bytes))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
    assert [line["event"] for line in lines] == ["audiosocket.refused"]
    writer.close()
    stranger.close()


async def test_an_address_that_is_not_allowed_is_not_even_listened_to(make: Make) -> None:
    server, ear = await make(allow=("192.0.2.0/24",)), Ear()
    reader, writer, greeting = await dial(server.expect(ear))
    writer.write(greeting)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    assert not ear.begun
    writer.close()


async def test_a_flood_is_cut_off(make: Make) -> None:
    server, ear = await make(), Ear()
    _, writer, greeting = await dial(server.expect(ear))
    writer.write(greeting)
    for _ in range(2000):
        writer.write(encode(Kind.AUDIO, PCM))
    await until(lambda: bool(ear.why))
    assert "faster than time" in ear.why[0]
    assert len(ear.heard) < 400_000
    writer.close()


async def test_hundreds_that_say_nothing_keep_no_tap_out_for_long(make: Make) -> None:
    server, ear = await make(greeting_timeout=0.5), Ear()
    way = server.expect(ear)
    idle = [await dial(way) for _ in range(200)]
    await until(lambda: server.strangers == 0)
    _, writer, greeting = await dial(way)
    writer.write(greeting + encode(Kind.AUDIO, PCM))
    await until(lambda: len(ear.heard) == 320)
    for _, one, _ in (*idle, (None, writer, None)):
        one.close()


async def test_a_closed_ear_is_told_nothing_more(make: Make) -> None:
    server, ear, waiting = await make(), Ear(), Ear()
    reader, writer, greeting = await dial(server.expect(ear))
    writer.write(greeting + encode(Kind.AUDIO, PCM))
    await until(lambda: len(ear.heard) == 320)
    server.close(ear)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1000), 5)
    way = server.expect(waiting)
    server.close(waiting)
    _, other, late = await dial(way)
    other.write(late)
    await asyncio.sleep(0.1)
    assert (ear.why, waiting.begun, waiting.why) == ([], False, [])
    writer.close()
    other.close()


async def test_taps_whose_calls_are_over_are_ended_and_others_are_not(make: Make) -> None:
    server, stays, leaks = await make(), Ear(), Ear()
    writers = []
    for ear in (stays, leaks):
        _, writer, greeting = await dial(server.expect(ear))
        writer.write(greeting + encode(Kind.AUDIO, PCM))
        writers.append(writer)
    _, stranger, _ = await dial(server.expect(Ear()))  # it has not shown whose it is
    await until(lambda: bool(stays.heard) and bool(leaks.heard) and server.taps == 2)
    assert server.keep(ear for ear in (stays,)) == 1
    await until(lambda: bool(leaks.why))
    assert (leaks.why, stays.why, server.taps) == (["its call is over"], [], 1)
    assert server.keep([stays]) == 0
    for writer in (*writers, stranger):
        writer.close()
