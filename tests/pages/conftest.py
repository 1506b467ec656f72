"""A browser without a screen on the pages, a store behind them, and a clock that stands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from playwright.sync_api import Browser, sync_playwright

from gateway.adapters.exports import available, export
from gateway.adapters.store import SqliteAccess, SqliteBooks, SqliteStore
from gateway.core.admission import Admission, Gate
from gateway.core.model import Account, AccountSettings, CallId, CallPlan, CampaignId, Millis, NewCall
from gateway.core.retry import RetryPolicy
from gateway.core.routes import Route, Router, Trunk
from gateway.ports import FetchError, FetchErrorKind, FetchRequest, FetchResponse
from gateway.services.accounts import Accounts
from gateway.services.audit import Audit
from gateway.services.exports import Exports
from gateway.services.feed import Feed
from gateway.services.intake import Desk, DeskSettings
from gateway.services.intake.logins import Logins
from gateway.services.pages import Around, Gauges, Pages, PagesSettings, PhoneSettings
from gateway.services.posting import Poster
from gateway.services.signing import Signing
from gateway.services.why import Why
from lab.application import SampleApplication
from lab.browser import FLAGS, PHONE_FLAGS, chromium
from lab.fetch import FetchFailed
from lab.gateway import GatewayProcess
from lab.lab import Lab

NOW = Millis(1_800_000_000_000)
HTML = {"Accept": "text/html"}
hasher = PasswordHasher(time_cost=1, memory_cost=64)  # cheap: what it costs to guess is tested elsewhere


#: In place of `voxgate vxml run`: says what it was started with, then everything that is typed.
WALK = ("sh", "-c", 'read -r url; echo "at $url"; cat')
#: Files of evidence by name.
AUDIO: dict[str, bytes] = {}


@dataclass
class Clock:
    at: int = NOW

    def now(self) -> Millis:
        return Millis(self.at)

    def ticks(self) -> Millis:
        return self.now()


@dataclass
class House:
    """``status`` is what the gateway tells of itself."""

    client: TestClient[web.Request, web.Application]
    store: SqliteStore
    books: SqliteBooks
    feed: Feed
    clock: Clock
    accounts: dict[str, Account]
    pages: Pages
    status: dict[str, Any] = field(default_factory=dict)

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

    async def post(self, path: str, **data: str) -> tuple[int, str]:
        """Status, and where it leads or what it says."""
        answer = await self.client.post(
            path, data={"csrf": await self.csrf(), **data}, headers=HTML, allow_redirects=False
        )
        return answer.status, answer.headers.get("Location") or await answer.text()

    async def campaign(self, login: str, name: str, count: int = 1, **plan: Any) -> CampaignId:
        values: dict[str, Any] = {
            "start_url": "http://a/s", "result_url": None, "message_reference": None, "call_parameters": None,
            "max_retries": 0, "retry_interval": 60, "scheduled_at": NOW, "expires_at": None, **plan,
        }  # fmt: skip
        opened = await self.store.open_campaign(self.accounts[login].id, name, CallPlan(**values), NOW)
        calls = [NewCall(f"1617555{n:04d}", f"+1617555{n:04d}", "t", message_reference=f"r{n}") for n in range(count)]
        await self.store.load_calls(opened, calls, NOW)
        await self.store.publish_campaign(opened, 0)
        return opened


class Nowhere:
    """A network on which nobody answers but one server."""

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        if request.url == "http://app.example/result.php":
            return FetchResponse(request.url, 200, "text/plain", None, request.body or b"")
        raise FetchError(FetchErrorKind.CONNECT, "connection refused")


def pages_on(
    store: SqliteStore, spool: Path, clock: Clock, feed: Feed, status: dict[str, Any], **settings: Any
) -> Pages:
    async def preflight(url: str, account: int) -> str | None:
        return None

    router = Router({"t": Trunk("t", "PJSIP/{number}@t")}, [Route("", "t")])
    desk = Desk(store, clock, router, preflight, lambda: None, DeskSettings(), feed.publish)
    admission = Admission(None, 1, {"t": Gate(1, None)})
    why = Why(store, clock, lambda: admission, lambda call, account: None)

    async def hang_up(call: CallId) -> bool:
        return False

    async def bridge(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    logins, access = Logins(store, clock), SqliteAccess(store)
    signing = Signing(access, clock)
    around = Around(
        store=store, books=SqliteBooks(store), logins=logins, accounts=Accounts(store, access, logins, clock),
        audit=Audit(access, clock), receipts=access, feed=feed, clock=clock, desk=desk, why=why,
        poster=Poster(Nowhere(), signing, clock), signing=signing, gauges=Gauges(feed), status=lambda: status, vitals=store.vitals,
        trunks=lambda: {"t": (5.0, 20)}, live_of=lambda account: 0, hang_up=hang_up, so_far=lambda attempt: {}, audio=AUDIO.get,
        exports=Exports(store, available, partial(export, spool.parent / "q.db")), bridge=bridge, wake_dialer=lambda: None,
        wake_notifier=lambda: None,
    )  # fmt: skip
    return Pages(around, PagesSettings(spool, **settings))


@asynccontextmanager
async def opened(
    folder: Path, accounts: Mapping[str, tuple[str, AccountSettings]], **settings: Any
) -> AsyncIterator[House]:
    store = SqliteStore(folder / "q.db", installation="abc", policy=RetryPolicy())
    clock = Clock()
    feed = Feed(clock)
    made = {
        login: await store.add_account(login, hasher.hash(pin), settings) for login, (pin, settings) in accounts.items()
    }
    status: dict[str, Any] = {"why_not_dialing": None, "trunks": {}, "ami": True, "live": 0, "pid": 1}
    app = web.Application()
    pages = pages_on(store, folder / "spool", clock, feed, status, **settings)
    pages.setup(app)
    running = asyncio.create_task(pages.run())
    async with TestClient(TestServer(app)) as client:
        yield House(client, store, SqliteBooks(store), feed, clock, made, pages, status)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    plain = AccountSettings("America/New_York", "US")
    boss = AccountSettings("UTC", "US", operator=True)
    accounts = {"user1": ("12345678", plain), "user2": ("88888888", plain), "boss": ("99999999", boss)}
    phone = PhoneSettings(True, "phone9", "phone9-secret", "+16175550199")
    async with opened(tmp_path, accounts, walk=WALK, phone=phone) as house:
        yield house


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway without any account."""
    async with opened(tmp_path, {}) as house:
        yield house


# --- a real browser on a running gateway ---

OPERATOR, OPERATOR_PIN = "operator", "87654321"


@pytest.fixture(scope="module")  # while it lives no asynchronous test can run
def browser() -> Iterator[Browser]:
    try:
        found = chromium()
    except FetchFailed as error:
        pytest.skip(f"no Chromium: {error}")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(found.program), env=dict(found.environment), args=[*FLAGS, *PHONE_FLAGS]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def gateway(lab: Lab) -> Iterator[GatewayProcess]:
    started = GatewayProcess(lab, name="pages", retry_gap_scale=0.05)
    started.add_account()
    started.voxgate(
        "account",
        "add",
        OPERATOR,
        "--pin",
        OPERATOR_PIN,
        "--time-zone",
        "Europe/Berlin",
        "--country",
        "US",
        "--operator",
    )
    started.start()
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="package")
def application() -> Iterator[SampleApplication]:
    with SampleApplication() as serving:
        yield serving
