"""The test phone's WebSocket: for signed-in visitors of our own page, a few each, and not beyond their session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError, web

from gateway.services.pages.phone import AT_ONCE
from tests.security.attacks import flood
from tests.security.house import House, whole

UPGRADE = (
    b"GET /phone/ws HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)


async def echo(request: web.Request) -> web.WebSocketResponse:
    """In place of Asterisk's."""
    answer = web.WebSocketResponse(protocols=("sip",))
    await answer.prepare(request)
    async for message in answer:
        await answer.send_str(f"heard {message.data}")
    return answer


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    app = web.Application()
    app.router.add_get("/ws", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with whole(tmp_path, f'[phone]\nwebsocket = "ws://127.0.0.1:{port}/ws"\nsecret = "s"\n') as made:
        yield made
        await made.gateway.phone_socket.close()
    await runner.cleanup()


def own(house: House) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{house.port}"}


async def refused(house: House, client: ClientSession, headers: dict[str, str]) -> int:
    with pytest.raises(WSServerHandshakeError) as caught:
        async with client.ws_connect("/phone/ws", protocols=("sip",), headers=headers):
            pass
    return caught.value.status


async def test_strangers_and_other_sites_reach_no_asterisk(house: House) -> None:
    async with ClientSession(base_url=f"http://127.0.0.1:{house.port}") as stranger:
        assert await refused(house, stranger, own(house)) == 401
        assert await refused(house, stranger, {**own(house), "Cookie": "voxgate=" + "x" * 43}) == 401
    await house.sign_in("alice")
    for headers in (
        {}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {**own(house), "Sec-Fetch-Site": "cross-site"},
    ):  # fmt: skip
        assert await refused(house, house.client, headers) == 403


async def test_one_account_s_phones_and_a_thousand_strangers_keep_nobody_s_phone_out(house: House) -> None:
    async with AsyncExitStack() as open_, flood(house.port, say=UPGRADE):
        await house.sign_in("mallory")
        for _ in range(AT_ONCE):
            await open_.enter_async_context(
                house.client.ws_connect("/phone/ws", protocols=("sip",), headers=own(house))
            )
        assert await refused(house, house.client, own(house)) == 429
        await house.sign_in("alice")
        async with house.client.ws_connect("/phone/ws", protocols=("sip",), headers=own(house)) as phone:
            await phone.send_str("OPTIONS")
            assert await phone.receive_str() == "heard OPTIONS"


async def test_a_message_without_end_ends_its_own_phone_alone(house: House) -> None:
    await house.sign_in("alice")
    async with (
        house.client.ws_connect("/phone/ws", protocols=("sip",), headers=own(house)) as one,
        house.client.ws_connect("/phone/ws", protocols=("sip",), headers=own(house)) as other,
    ):
        await one.send_str("x" * 200_000)
        assert (await one.receive(10)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)
        await other.send_str("OPTIONS")
        assert await other.receive_str() == "heard OPTIONS"


async def test_a_phone_ends_with_its_session(house: House) -> None:
    token = await house.sign_in("alice")
    async with house.client.ws_connect("/phone/ws", protocols=("sip",), headers=own(house)) as phone:
        async with house.client.post("/signout", data={"csrf": token}, allow_redirects=False) as answer:
            assert answer.status == 303
        assert (await phone.receive(30)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)
