"""Signing in over HTTP: cookies, proofs of origin, the lockout, and what other accounts may not see."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from gateway.adapters.store import SqliteBooks, SqliteStore
from gateway.core.model import Account, AccountSettings, CallPlan, Millis, NewCall
from gateway.core.retry import RetryPolicy
from gateway.services.feed import Feed
from gateway.services.intake.logins import Logins
from gateway.services.pages import Pages, PagesSettings

NOW = Millis(1_800_000_000_000)
HTML = {"Accept": "text/html"}
hasher = PasswordHasher(time_cost=1, memory_cost=64)  # cheap: what it costs to guess is tested elsewhere


@dataclass
class Clock:
    at: int = NOW

    def now(self) -> Millis:
        return Millis(self.at)


@dataclass
class Desk:
    """A browser without a screen, the store behind the pages, and their clock."""

    client: TestClient
    store: SqliteStore
    books: SqliteBooks
    clock: Clock
    accounts: dict[str, Account]

    async def sign_in(self, login: str = "user1", pin: str = "12345678", **more: str) -> int:
        answer = await self.client.post(
            "/signin", data={"login": login, "pin": pin, **more}, headers=HTML, allow_redirects=False
        )
        return answer.status

    async def page(self, path: str = "/") -> str:
        answer = await self.client.get(path, headers=HTML)
        return await answer.text()

    async def csrf(self) -> str:
        found = re.search(r'data-csrf="([^"]+)"', await self.page())
        assert found is not None
        return found[1]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    books, clock = SqliteBooks(store), Clock()
    plain = AccountSettings("America/New_York", "US")
    accounts = {
        login: await store.add_account(login, hasher.hash(pin), settings)
        for login, pin, settings in (
            ("user1", "12345678", plain), ("user2", "88888888", plain),
            ("boss", "99999999", AccountSettings("UTC", "US", operator=True)),
        )
    }  # fmt: skip
    status = {"why_not_dialing": None, "trunks": {}, "ami": True, "live": 0}
    pages = Pages(
        store,
        books,
        Logins(store, clock),
        Feed(clock),
        clock,
        lambda: status,
        lambda account: 0,
        lambda: None,
        PagesSettings(),
    )
    app = web.Application()
    pages.setup(app)
    async with TestClient(TestServer(app)) as client:
        yield Desk(client, store, books, clock, accounts)
    await store.close()


async def campaign_of(desk: Desk, login: str, name: str) -> int:
    plan = CallPlan("http://a/s", None, None, None, 0, 60, NOW, None)
    opened = await desk.store.open_campaign(desk.accounts[login].id, name, plan, NOW)
    await desk.store.load_calls(opened, [NewCall("16175550001", "+16175550001", "t")], NOW)
    await desk.store.publish_campaign(opened, 0)
    return opened


async def test_a_page_leads_to_the_sign_in_and_back(desk: Desk) -> None:
    answer = await desk.client.get("/?order=status", headers=HTML, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/signin?next=%2F%3Forder%3Dstatus")
    assert await desk.sign_in() == 303
    assert "Outbound Calling" in await desk.page()


@pytest.mark.parametrize("onward", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x", ""])
async def test_a_sign_in_leads_nowhere_else(desk: Desk, onward: str) -> None:
    data = {"login": "user1", "pin": "12345678", "next": onward}
    answer = await desk.client.post("/signin", data=data, headers=HTML, allow_redirects=False)
    assert answer.headers["Location"] == "/"


async def test_the_cookie_is_bound_and_opaque_and_the_page_allows_nothing_foreign(desk: Desk) -> None:
    answer = await desk.client.post("/signin", data={"login": "user1", "pin": "12345678"}, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    page = await desk.client.get("/", headers=HTML)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    text = await page.text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon[a-z]+=", text)


async def test_https_binds_the_cookie_to_this_host(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db", installation="abc", policy=RetryPolicy())
    await store.add_account("user1", hasher.hash("12345678"), AccountSettings("UTC", "US"))
    clock = Clock()
    pages = Pages(
        store, SqliteBooks(store), Logins(store, clock), Feed(clock), clock, lambda: {"why_not_dialing": None},
        lambda account: 0, lambda: None, PagesSettings(secure=True),
    )  # fmt: skip
    app = web.Application()
    pages.setup(app)
    async with TestClient(TestServer(app)) as client:
        answer = await client.post("/signin", data={"login": "user1", "pin": "12345678"}, allow_redirects=False)
        assert answer.headers["Set-Cookie"].startswith("__Host-voxgate=") and "Secure" in answer.headers["Set-Cookie"]
    await store.close()


async def test_guessing_is_slowed_down_and_ends_with_time(desk: Desk) -> None:
    assert [await desk.sign_in(pin="0000") for _ in range(5)] == [403] * 5
    assert await desk.sign_in() == 429  # even with the right PIN
    assert await desk.sign_in("user2", "88888888") == 303  # another login from the same address
    desk.clock.at += 31_000
    assert await desk.sign_in() == 303


async def test_an_unknown_login_is_told_like_a_wrong_pin(desk: Desk) -> None:
    told = []
    for login in ("user1", "nobody"):
        answer = await desk.client.post("/signin", data={"login": login, "pin": "0000"}, headers=HTML)
        told.append(re.search(r'role="alert">([^<]+)', await answer.text())[1])  # type: ignore[index]
    assert told[0] == told[1]


async def test_nothing_changes_without_the_sessions_own_proof(desk: Desk) -> None:
    campaign = await campaign_of(desk, "user1", "mine")
    await desk.sign_in()
    token, path = await desk.csrf(), f"/campaigns/{campaign}/pause"
    for data, headers in (
        ({}, {}), ({"csrf": "x"}, {}), ({"csrf": token}, {"Origin": "http://evil.example"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
    ):  # fmt: skip
        assert (await desk.client.post(path, data=data, headers=headers)).status == 403
    found = await desk.store.campaign(campaign)  # type: ignore[arg-type]
    assert found is not None and found.state == "active"
    assert (await desk.client.post(path, data={"csrf": token}, allow_redirects=False)).status == 303
    found = await desk.store.campaign(campaign)  # type: ignore[arg-type]
    assert found is not None and found.state == "paused"


async def test_accounts_see_their_own_and_operators_all(desk: Desk) -> None:
    theirs = await campaign_of(desk, "user2", "theirs")
    await desk.sign_in()
    assert "theirs" not in await desk.page()
    token = await desk.csrf()
    answer = await desk.client.post(f"/campaigns/{theirs}/cancel", data={"csrf": token})
    assert answer.status == 404
    await desk.client.post("/signout", data={"csrf": token})
    await desk.sign_in("boss", "99999999")
    assert "theirs" in await desk.page()


async def test_signing_out_everywhere_ends_all_sessions_of_the_account(desk: Desk) -> None:
    await desk.sign_in()
    first = desk.client.session.cookie_jar.filter_cookies(desk.client.make_url("/"))["voxgate"].value
    desk.client.session.cookie_jar.clear()
    await desk.sign_in()
    await desk.client.post("/signout/everywhere", data={"csrf": await desk.csrf()})
    desk.client.session.cookie_jar.clear()
    answer = await desk.client.get("/", headers={**HTML, "Cookie": f"voxgate={first}"}, allow_redirects=False)
    assert answer.status == 303 and answer.headers["Location"].startswith("/signin")


async def test_a_session_ends_without_use(desk: Desk) -> None:
    await desk.sign_in()
    desk.clock.at += 11 * 3600 * 1000
    assert "Outbound Calling" in await desk.page()  # used within twelve hours
    desk.clock.at += 11 * 3600 * 1000
    assert "Outbound Calling" in await desk.page()
    desk.clock.at += 13 * 3600 * 1000
    assert "Sign in" in await desk.page()


async def test_suspending_is_for_the_account_or_for_all(desk: Desk) -> None:
    await desk.sign_in()
    await desk.client.post("/dialing/suspend", data={"csrf": await desk.csrf()})
    assert await desk.store.held() == {desk.accounts["user1"].id}
    assert "Dialing is suspended" in await desk.page()
    await desk.client.post("/dialing/resume", data={"csrf": await desk.csrf()})
    assert await desk.store.held() == frozenset()
    await desk.store.hold(None)
    answer = await desk.client.post("/dialing/resume", data={"csrf": await desk.csrf()}, headers=HTML)
    assert answer.status == 403 and "operator has suspended" in await answer.text()
    assert await desk.store.held() == {None}
