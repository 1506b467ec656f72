"""FastAGI sessions that are lent to another process: its path alone, once, for a while."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.agi import AgiServer, AgiSettings, lending
from gateway.ports import AgiChannel
from gateway.services.doctoring import Doctoring
from tests.fakes.audit import audit

GREETING = b"agi_network: yes\nagi_network_script: doctor/vg-a-doctor-1\n\n"


def server(handled: list[str], who: str) -> AgiServer:
    async def handle(channel: AgiChannel) -> None:
        handled.append(f"{who} {await channel.get_variable('X')}")

    return AgiServer(AgiSettings(port=0), lambda path: path == "doctor/vg-a-doctor-1" and who == "borrower", handle)


async def test_a_lent_session_is_served_by_the_borrower_once() -> None:
    handled: list[str] = []
    gateway, borrower = server(handled, "gateway"), server(handled, "borrower")
    running = []
    for one in (gateway, borrower):
        await one.start()
        running.append(asyncio.create_task(one.run()))
    gateway.lender.lend("doctor/vg-a-doctor-1", borrower.port)
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(GREETING)
        if asked := await asyncio.wait_for(reader.readline(), 5):
            assert asked == b'GET VARIABLE "X"\n'
            writer.write(b"200 result=1 (here)\n")
            while await asyncio.wait_for(reader.readline(), 5):
                writer.write(b"200 result=1\n")  # the borrower says that it is done
        writer.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert handled == ["borrower here"]


async def test_a_borrower_that_has_gone_ends_the_session() -> None:
    gateway = server([], "gateway")
    await gateway.start()
    running = asyncio.create_task(gateway.run())
    gateway.lender.lend("doctor/vg-a-doctor-1", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(GREETING)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_loan_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    lender = lending.Lender()
    lender.lend("doctor/1", 4000)
    assert lender.take("doctor/2") is None
    monkeypatch.setattr(lending, "FOR", -1.0)
    lender.lend("doctor/3", 4000)
    assert lender.take("doctor/3") is None
    assert lender.take("doctor/1") == 4000
    assert lender.take("doctor/1") is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"path": "doctor/1", "port": 4000}, 200), ({"path": "call/vg-a-1", "port": 4000}, 400),
        ({"path": "doctor/1", "port": 0}, 400), ({"path": "doctor/1"}, 400), ({"path": 1, "port": 2}, 400),
    ],
)  # fmt: skip
async def test_only_the_doctors_own_sessions_are_lent(body: dict[str, object], status: int) -> None:
    class Up:
        connected = True

    lent: list[tuple[str, int]] = []
    app = web.Application()
    log, entries = audit()
    Doctoring(Up(), lambda path, port: lent.append((path, port)), log).add_routes(app.router)  # type: ignore[arg-type]
    async with TestClient(TestServer(app)) as client, client.post("/api/v1/doctor", json=body) as answer:
        assert answer.status == status
        if status == 200:
            assert await answer.json() == {"ami": True}
    assert [one.action for one in entries] == ["doctor.lend"] * (status == 200)
    assert lent == ([("doctor/1", 4000)] if status == 200 else [])
