"""A thousand strangers at each port of a running gateway: those who may come are served meanwhile."""

from __future__ import annotations

import asyncio
import json
import stat
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, FormData

from gateway.adapters.agi import AgiServer, AgiSettings
from gateway.adapters.audiosocket import AudioSocketServer, AudioSocketSettings
from gateway.adapters.audiosocket.frames import Kind, encode
from gateway.ports import AgiChannel
from lab.instance import free_port
from tests.adapters.test_audiosocket import PCM, Ear, dial, until
from tests.api.running import Running
from tests.security.attacks import GET, answer, connections, ended, flood
from voxgate import system
from voxgate.client import Client

GREETING = b"agi_network: yes\nagi_network_script: call/vg-abc-1\n\n"
STRANGERS = [
    pytest.param(b"", id="silent"),
    pytest.param(b"\x01\x00", id="half"),
    pytest.param(GET, id="http"),
    pytest.param(encode(Kind.UUID, bytes(16)), id="guess"),
    pytest.param(GREETING.replace(b"abc-1", b"abc-guess"), id="agi"),
    pytest.param(bytes(20_000), id="zeros"),
]


# --- FastAGI ---


@asynccontextmanager
async def agi(served: list[str]) -> AsyncIterator[AgiServer]:
    expected = {"call/vg-abc-1"}

    def accept(path: str) -> bool:
        if path not in expected:
            return False
        expected.discard(path)
        return True

    async def handle(channel: AgiChannel) -> None:
        served.append(channel.path)

    server = AgiServer(AgiSettings(port=0), accept, handle)
    await server.start()
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("say", STRANGERS)
async def test_asterisk_has_its_session_while_a_thousand_strangers_knock(say: bytes) -> None:
    served: list[str] = []
    async with agi(served) as server, flood(server.port, say=say), connections(server.port) as connect:
        reader, writer = await connect()
        writer.write(GREETING)
        assert await answer(reader) == b'SET VARIABLE "VOXGATE_DONE" "1"\n'
        again, writer = await connect()  # the same once more, by who has seen it pass
        writer.write(GREETING)
        assert await ended(again) == b""
    assert served == ["call/vg-abc-1"]


# --- the media tap ---


@pytest.mark.parametrize("say", STRANGERS)
async def test_a_call_is_heard_while_a_thousand_strangers_knock(say: bytes) -> None:
    server, ear = AudioSocketServer(AudioSocketSettings()), Ear()
    await server.start()
    running = asyncio.create_task(server.run())
    way = server.expect(ear)
    try:
        async with flood(server.port, say=say):
            _, writer, greeting = await dial(way)
            writer.write(greeting + encode(Kind.AUDIO, PCM))
            await until(lambda: len(ear.heard) == 320)
            assert (server.taps, bytes(ear.heard), ear.why) == (1, PCM, [])
            _, wrong, _ = await dial(way)
            wrong.write(encode(Kind.UUID, uuid.uuid4().bytes) + encode(Kind.AUDIO, bytes(320)))
            await asyncio.sleep(0.1)
            assert bytes(ear.heard) == PCM
            writer.close()
            wrong.close()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


# --- the whole gateway ---


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("ports"))
    more = f'[metrics]\nport = 0\n[media]\nshare = "http"\nport = {free_port()}\n'
    made.config.write_text(made.config.read_text().replace("[[trunk]]", more + "[[trunk]]"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


def ports(gateway: Running) -> dict[str, int]:
    """By name, as its log and its configuration tell them."""
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]
    told = {line["event"]: line for line in lines}
    media = int(gateway.config.read_text().partition('share = "http"\nport = ')[2].split()[0])
    return {
        "server": told["gateway.started"]["port"], "agi": told["gateway.started"]["agi"],
        "metrics": told["metrics.listening"]["port"], "media": media,
    }  # fmt: skip


HALF = b"POST /webservice/queuecalls.php HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
HALF += (
    b'Content-Length: 99999\r\n\r\n--b\r\nContent-Disposition: form-data; name="phone_list"; filename="l"\r\n\r\n6175'
)


@pytest.mark.parametrize("say", [b"", GET[:-2], HALF], ids=["silent", "half a head", "half a list"])
async def test_the_rightful_are_served_while_every_port_is_flooded(gateway: Running, say: bytes) -> None:
    found = ports(gateway)
    async with AsyncExitStack() as attacks, ClientSession() as session:
        for name, port in found.items():
            await attacks.enter_async_context(flood(port, 1000 if name == "server" else 600, say))
        base = f"http://127.0.0.1:{found['server']}"
        form = FormData({"login": "customer", "pin": "12345678", "campaign_name": f"flood {say[:9]!r}"})
        form.add_field("start_url", "http://127.0.0.1:2/s")
        form.add_field("phone_list", b"6175550100\n6175550101\n", filename="list.csv")
        async with session.post(f"{base}/webservice/queuecalls.php", data=form) as told:
            assert 'queued="2"' in await told.text()
        async with session.get(f"{base}/signin") as page:
            assert page.status == 200
        async with session.get(f"http://127.0.0.1:{found['metrics']}/metrics") as scraped:
            assert "voxgate_" in await scraped.text()
        async with session.get(f"http://127.0.0.1:{found['media']}/media/x.wav") as prompt:
            assert prompt.status == 404
        told_status = await asyncio.to_thread(ask_status, gateway.socket)
        assert told_status.pid > 0


def ask_status(socket: Path) -> object:
    with Client(socket=socket) as client:
        return client.ask(system.status())


def test_only_its_owner_reaches_the_socket(gateway: Running) -> None:
    assert stat.S_IMODE(gateway.socket.stat().st_mode) & 0o077 == 0


async def test_a_stranger_s_list_is_gone_from_the_disk_with_the_stranger(gateway: Running) -> None:
    spool = gateway.config.parent / "spool"
    async with flood(ports(gateway)["server"], 50, HALF):
        await until(lambda: len(list(spool.glob("*"))) == 50)
    await until(lambda: not list(spool.glob("*")))


async def test_what_strangers_do_fills_no_log(gateway: Running) -> None:
    before = gateway.log.stat().st_size
    for name, port in ports(gateway).items():
        async with flood(port, 300, GREETING if name == "agi" else b"\x00\r\n\r\n"):
            pass
    assert gateway.log.stat().st_size - before < 20_000
    assert "Traceback" not in gateway.log.read_text()
