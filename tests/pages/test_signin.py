"""Signing in over HTTP: cookies, proofs of origin, the lockout, and what other accounts may not see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.store import SqliteStore
from gateway.core.lockout import FREE
from gateway.core.model import AccountSettings
from gateway.core.retry import RetryPolicy
from gateway.services.feed import EventKind, Feed
from gateway.services.pages import streams
from tests.pages.conftest import HTML, Clock, House, hasher, pages_on


async def test_a_page_leads_to_the_sign_in_and_back(house: House) -> None:
    answer = await house.client.get("/?order=status", headers=HTML, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/signin?next=%2F%3Forder%3Dstatus")
    assert await house.sign_in() == 303
    assert "Outbound Calling" in await house.page()


@pytest.mark.parametrize("onward", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x", ""])
async def test_a_sign_in_leads_nowhere_else(house: House, onward: str) -> None:
    data = {"login": "user1", "pin": "12345678", "next": onward}
    answer = await house.client.post("/signin", data=data, headers=HTML, allow_redirects=False)
    assert answer.headers["Location"] == "/"


async def test_the_cookie_is_bound_and_opaque_and_the_page_allows_nothing_foreign(house: House) -> None:
    answer = await house.client.post("/signin", data={"login": "user1", "pin": "12345678"}, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    page = await house.client.get("/", headers=HTML)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    text = await page.text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon[a-z]+=", text)


async def test_https_binds_the_cookie_to_this_host(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db", installation="abc", policy=RetryPolicy())
    await store.add_account("user1", hasher.hash("12345678"), AccountSettings("UTC", "US"))
    clock = Clock()
    status: dict[str, Any] = {"why_not_dialing": None}
    pages = pages_on(store, tmp_path / "spool", clock, Feed(clock), status, secure=True)
    app = web.Application()
    pages.setup(app)
    async with TestClient(TestServer(app)) as client:
        answer = await client.post("/signin", data={"login": "user1", "pin": "12345678"}, allow_redirects=False)
        assert answer.headers["Set-Cookie"].startswith("__Host-voxgate=") and "Secure" in answer.headers["Set-Cookie"]
    await store.close()


async def test_guessing_is_slowed_down_and_ends_with_time(house: House) -> None:
    assert [await house.sign_in(pin="0000") for _ in range(5)] == [403] * 5
    assert await house.sign_in() == 429  # even with the right PIN
    assert await house.sign_in("user2", "88888888") == 303  # another login from the same address
    house.clock.at += 31_000
    assert await house.sign_in() == 303


async def test_guessing_from_elsewhere_locks_nobody_out(house: House) -> None:
    elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=elsewhere) as stranger:
        url = house.client.make_url("/signin")
        for n in range(FREE + 1):
            async with stranger.post(url, data={"login": "user1", "pin": f"{n:04d}"}) as answer:
                assert answer.status == (403 if n < FREE else 429)
    assert await house.sign_in() == 303


async def test_an_unknown_login_is_told_like_a_wrong_pin(house: House) -> None:
    told = []
    for login in ("user1", "nobody"):
        answer = await house.client.post("/signin", data={"login": login, "pin": "0000"}, headers=HTML)
        told.append(re.search(r'role="alert">([^<]+)', await answer.text())[1])  # type: ignore[index]
    assert told[0] == told[1]


async def test_nothing_changes_without_the_sessions_own_proof(house: House) -> None:
    campaign = await house.campaign("user1", "mine")
    await house.sign_in()
    token, path = await house.csrf(), f"/campaigns/{campaign}/pause"
    for data, headers in (
        ({}, {}), ({"csrf": "x"}, {}), ({"csrf": token}, {"Origin": "http://evil.example"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
    ):  # fmt: skip
        assert (await house.client.post(path, data=data, headers=headers)).status == 403
    found = await house.store.campaign(campaign)
    assert found is not None and found.state == "active"
    assert (await house.client.post(path, data={"csrf": token}, allow_redirects=False)).status == 303
    found = await house.store.campaign(campaign)
    assert found is not None and found.state == "paused"


async def test_accounts_see_their_own_and_operators_all(house: House) -> None:
    theirs = await house.campaign("user2", "theirs")
    await house.sign_in()
    assert "theirs" not in await house.page()
    token = await house.csrf()
    answer = await house.client.post(f"/campaigns/{theirs}/cancel", data={"csrf": token})
    assert answer.status == 404
    await house.client.post("/signout", data={"csrf": token})
    await house.sign_in("boss", "99999999")
    assert "theirs" in await house.page()


async def test_signing_out_everywhere_ends_all_sessions_of_the_account(house: House) -> None:
    await house.sign_in()
    first = house.client.session.cookie_jar.filter_cookies(house.client.make_url("/"))["voxgate"].value
    house.client.session.cookie_jar.clear()
    await house.sign_in()
    await house.client.post("/signout/everywhere", data={"csrf": await house.csrf()})
    house.client.session.cookie_jar.clear()
    answer = await house.client.get("/", headers={**HTML, "Cookie": f"voxgate={first}"}, allow_redirects=False)
    assert answer.status == 303 and answer.headers["Location"].startswith("/signin")


@asynccontextmanager
async def told(house: House) -> AsyncIterator[aiohttp.ClientResponse]:
    """A page's stream of changes, begun."""
    async with house.client.get("/live") as stream:
        if stream.status == 200:
            assert await stream.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
        yield stream


@pytest.mark.parametrize("way", ["/signout", "/signout/everywhere"])
async def test_signing_out_ends_what_is_open(house: House, way: str) -> None:
    await house.sign_in("user2", "88888888")
    own = {"Origin": f"http://{house.client.server.make_url('/').authority}"}
    async with told(house) as others:
        house.client.session.cookie_jar.clear()
        await house.sign_in()
        async with told(house) as mine, house.client.ws_connect("/phone/ws", headers=own) as phone:
            await house.post(way)
            async with asyncio.timeout(20):
                assert await mine.content.read() == b""
                assert (await phone.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        house.feed.publish(EventKind.CALL_CHANGED, house.accounts["user2"].id, {"call_id": 1})
        async with asyncio.timeout(20):
            assert b"changed" in await others.content.readuntil(b"\n\n")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """To be asked for before the house."""
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.05)


async def test_a_session_that_ends_elsewhere_ends_what_is_open(hasty: None, house: House) -> None:
    await house.sign_in()
    async with told(house) as mine:
        await house.books.end_sessions(house.accounts["user1"].id)
        async with asyncio.timeout(20):
            assert await mine.content.read() == b""


async def test_one_account_does_not_take_all_streams(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "AT_ONCE_EACH", 2)
    await house.sign_in()
    async with told(house), told(house):
        async with told(house) as third:
            assert third.status == 503
        house.client.session.cookie_jar.clear()
        await house.sign_in("user2", "88888888")
        async with told(house) as other:
            assert other.status == 200


async def test_a_session_ends_without_use(house: House) -> None:
    await house.sign_in()
    house.clock.at += 11 * 3600 * 1000
    assert "Outbound Calling" in await house.page()  # used within twelve hours
    house.clock.at += 11 * 3600 * 1000
    assert "Outbound Calling" in await house.page()
    house.clock.at += 13 * 3600 * 1000
    assert "Sign in" in await house.page()


async def test_suspending_is_for_the_account_or_for_all(house: House) -> None:
    await house.sign_in()
    await house.client.post("/dialing/suspend", data={"csrf": await house.csrf()})
    assert await house.store.held() == {house.accounts["user1"].id}
    assert "Dialing is suspended" in await house.page()
    await house.client.post("/dialing/resume", data={"csrf": await house.csrf()})
    assert await house.store.held() == frozenset()
    await house.store.hold(None)
    answer = await house.client.post("/dialing/resume", data={"csrf": await house.csrf()}, headers=HTML)
    assert answer.status == 403 and "operator has suspended" in await answer.text()
    assert await house.store.held() == {None}


async def test_another_site_gets_no_socket(house: House) -> None:
    await house.sign_in()
    for headers in ({}, {"Origin": "http://evil.example"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await house.client.ws_connect("/phone/ws", headers=headers)
        assert refused.value.status == 403


async def test_who_is_not_signed_in_gets_no_socket(house: House) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await house.client.ws_connect("/phone/ws", headers={"Origin": "http://127.0.0.1"})
    assert refused.value.status == 401


async def test_a_hundred_guesses_at_once_are_slowed_as_if_they_came_one_by_one(house: House) -> None:
    statuses = await asyncio.gather(*(house.sign_in("user1", f"{n:04d}") for n in range(100)))
    assert statuses.count(403) == FREE and statuses.count(429) == 100 - FREE


async def test_nothing_leads_to_another_site(house: House) -> None:
    for onward in (
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "/a\r\nX-Evil: 1",
        "https://evil.example/",
    ):
        answer = await house.client.post(
            "/signin", data={"login": "user1", "pin": "12345678", "next": onward}, headers=HTML, allow_redirects=False
        )
        assert (answer.status, answer.headers["Location"]) == (303, "/"), onward
    host = house.client.server.make_url("/").authority
    for referer in (f"http://{host}//evil.example/", f"http://{host}/\\evil.example"):
        answer = await house.client.post(
            "/dialing/suspend", data={"csrf": await house.csrf()}, headers={**HTML, "Referer": referer},
            allow_redirects=False,
        )  # fmt: skip
        assert (answer.status, answer.headers["Location"]) == (303, "/"), referer
