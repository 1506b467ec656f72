"""The FastAGI adapter, spoken to as Asterisk and as strangers would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.adapters.agi import AgiDetector, AgiServer, AgiSettings
from gateway.adapters.agi.session import AgiError, quoted
from gateway.core.model import CalleeType
from gateway.ports import AgiChannel, ChannelGone, Detection, PlaybackFailed

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GREETING = b"agi_network: yes\nagi_network_script: call/vg-abc-1\nagi_calleridname: Zo\xeb\n\n"


@asynccontextmanager
async def served(
    handle: Callable[[AgiChannel], Awaitable[None]], *, accept: bool = True, allow: tuple[str, ...] = ("127.0.0.0/8",)
) -> AsyncIterator[Callable[[], Awaitable[Streams]]]:
    server = AgiServer(AgiSettings(port=0, allow=allow, greeting_timeout=0.5), lambda path: accept, handle)
    await server.start()
    running = asyncio.create_task(server.run())
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        opened.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in opened:
            writer.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def dialogue(connect: Callable[[], Awaitable[Streams]], *answers: bytes) -> list[bytes]:
    """Greet as Asterisk does and answer each command in turn; the commands that came."""
    reader, writer = await connect()
    writer.write(GREETING)
    commands = []
    for answer in answers:
        commands.append(await asyncio.wait_for(reader.readline(), 5))
        writer.write(answer)
    commands.append(await asyncio.wait_for(reader.readline(), 5))
    return commands


async def test_a_port_probe_neither_freezes_the_loop_nor_reaches_a_handler() -> None:
    handled = []

    async def handle(channel: AgiChannel) -> None:
        handled.append(channel)

    async with served(handle) as connect:
        _, writer = await connect()
        writer.write(b"agi_network: yes\n")
        writer.close()
        reader, writer = await connect()  # says nothing at all
        assert await asyncio.wait_for(reader.read(), 5) == b""
        commands = await dialogue(connect)
        assert commands == [b'SET VARIABLE "VOXGATE_DONE" "1"\n']
        assert len(handled) == 1


async def test_nobody_is_hung_up_on_because_asterisk_has_no_amd() -> None:
    found: list[Detection] = []

    async def handle(channel: AgiChannel) -> None:
        found.append(await AgiDetector().detect(channel))

    async with served(handle) as connect:
        commands = await dialogue(connect, b"200 result=1\n", b"200 result=-2\n")
    assert commands[1].startswith(b"EXEC AMD ")
    assert commands[2] == b'SET VARIABLE "VOXGATE_DONE" "1"\n'
    (one,) = found
    assert (one.callee_type, one.confidence) == (CalleeType.VOICE, 0.5)
    assert "AMD" in one.evidence["fault"]


async def test_strangers_and_unknown_attempts_are_hung_up_on() -> None:
    async def handle(channel: AgiChannel) -> None:
        raise AssertionError("nobody should be let in")

    for options in ({"accept": False}, {"allow": ("10.0.0.0/8",)}):
        async with served(handle, **options) as connect:  # type: ignore[arg-type]
            reader, writer = await connect()
            writer.write(GREETING)
            try:
                assert await asyncio.wait_for(reader.read(), 5) == b""
            except ConnectionResetError:
                pass  # closed before the greeting was read


async def test_an_asynchronous_hangup_line_shifts_no_answer() -> None:
    got: list[object] = []

    async def handle(channel: AgiChannel) -> None:
        got.append(await channel.get_variable("X"))
        got.append(channel.hung_up)
        with pytest.raises(ChannelGone):
            await channel.stream_file("hello")

    async with served(handle) as connect:
        await dialogue(connect, b"HANGUP\n200 result=1 (value)\n")
    assert got == ["value", True]


async def test_a_usage_error_of_many_lines_is_one_error() -> None:
    got: list[object] = []

    async def handle(channel: AgiChannel) -> None:
        with pytest.raises(AgiError, match="Invalid command"):
            await channel.execute("Nothing")
        got.append(await channel.get_variable("X"))

    async with served(handle) as connect:
        usage = b"520-Invalid command syntax.  Proper usage follows:\nUsage: EXEC\n more\n520 End of proper usage.\n"
        await dialogue(connect, usage, b"200 result=1 (next)\n")
    assert got == ["next"]


async def test_511_and_a_closed_link_mean_that_the_callee_is_gone() -> None:
    gone = []

    async def handle(channel: AgiChannel) -> None:
        with pytest.raises(ChannelGone):
            await channel.wait_for_digit(100)
        gone.append(channel.hung_up)

    async with served(handle) as connect:
        await dialogue(connect, b"511 Command Not Permitted on a dead channel or intercept routine\n")
        reader, writer = await connect()
        writer.write(GREETING)
        await reader.readline()
        writer.close()
        while len(gone) < 2:
            await asyncio.sleep(0.01)
    assert gone == [True, True]


async def test_a_missing_file_is_told_from_a_hangup() -> None:
    got: list[str] = []

    async def handle(channel: AgiChannel) -> None:
        with pytest.raises(PlaybackFailed):
            await channel.stream_file("missing")
        got.append(await channel.stream_file("there", "12"))

    async with served(handle) as connect:
        await dialogue(connect, b"200 result=-1 endpos=0\n", b"200 result=6\n", b"200 result=49 endpos=800\n")
    assert got == ["1"]


async def test_a_handler_that_crashes_ends_its_session_only() -> None:
    async def handle(channel: AgiChannel) -> None:
        raise RuntimeError("a bug")

    async with served(handle) as connect:
        for _ in range(2):
            assert await dialogue(connect) == [b'SET VARIABLE "VOXGATE_DONE" "1"\n']


@pytest.mark.parametrize(("text", "word"), [('a "b" \\', '"a \\"b\\" \\\\"'), ("a,b", '"a,b"')])
def test_arguments_are_quoted(text: str, word: str) -> None:
    assert quoted(text) == word


@pytest.mark.parametrize("text", ["a\nHANGUP", "a\r", "a\0"])
def test_arguments_that_would_end_the_command_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        quoted(text)


async def test_a_path_with_a_query_and_a_caller_name_that_is_no_utf8_find_their_handler() -> None:
    """panoramisk's routes match exactly, and leave such a session unserved."""
    paths: list[str] = []

    async def handle(channel: AgiChannel) -> None:
        paths.append(channel.path)

    async with served(handle) as connect:
        for greeting in (GREETING, GREETING.replace(b"vg-abc-1", b"vg-abc-2?id=1")):
            reader, writer = await connect()
            writer.write(greeting)
            assert await asyncio.wait_for(reader.readline(), 5) == b'SET VARIABLE "VOXGATE_DONE" "1"\n'
    assert paths == ["call/vg-abc-1", "call/vg-abc-2"]
