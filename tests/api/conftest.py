"""The API on a real port before a real store, with callers of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.core.access import Scope
from gateway.core.admission import admit
from gateway.core.model import Account, AccountSettings, Millis
from gateway.core.pacing import Limit, Pacer
from gateway.core.ratelimit import RateLimit
from gateway.core.retry import RetryPolicy
from gateway.core.routes import Route, Router, Trunk
from gateway.core.trunkhealth import TrunkHealth
from gateway.ports import FetchError, FetchErrorKind, FetchRequest, FetchResponse
from gateway.services.accounts import Accounts
from gateway.services.api import Api, Parts
from gateway.services.audit import Audit
from gateway.services.feed import Feed
from gateway.services.intake import Desk, DeskSettings
from gateway.services.intake.logins import Logins
from gateway.services.livecalls import LiveCalls
from gateway.services.notifier import Notifier, NotifierSettings
from gateway.services.posting import Poster
from gateway.services.preflight import Preflights
from gateway.services.signing import Signing
from gateway.services.tokens import Tokens
from gateway.services.why import Why
from tests.api.running import running as running
from tests.services.test_feed import Clock
from tests.services.test_rescuer import StubPbx

MAX_BODY = 8 * 1024 * 1024
hasher = PasswordHasher(time_cost=1, memory_cost=64)  # cheap: what it costs to guess is tested elsewhere


def basic(login: str, pin: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(login, pin)}


USER = basic("user1", "12345678")
OTHER = basic("user2", "88888888")
BOSS = basic("boss", "99999999")
CALL = {"phone_number": "+16175551234", "start_url": "http://app/start"}


class Web:
    """A customer's web server: ``answers`` by URL, 200 where nothing is said."""

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self.asked: list[FetchRequest] = []

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        self.asked.append(request)
        status = self.answers.get(request.url, 200)
        if status == 0:
            raise FetchError(FetchErrorKind.REFUSED, "may not be fetched")
        return FetchResponse(request.url, status, "text/plain", None, b"thanks")


@dataclass
class House:
    client: TestClient[Any, Any]
    socket: TestClient[Any, Any]
    store: SqliteStore
    access: SqliteAccess
    tokens: Tokens
    clock: Clock
    feed: Feed
    live: LiveCalls
    pbx: StubPbx
    web: Web
    spool: Path
    accounts: dict[str, Account] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        auth: dict[str, str] = USER,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> tuple[int, Any]:
        """Status and answer; problems must be of their media type."""
        given = {"json": body} if body is not None else {}
        headers = {**auth, **(headers or {})}
        async with self.client.request(method, f"/api/v1{path}", headers=headers, **given, **more) as answer:
            if answer.status >= 400:
                assert answer.content_type == "application/problem+json"
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    async def token(self, *scopes: Scope, login: str | None = "user1") -> dict[str, str]:
        account = None if login is None else self.accounts[login].id
        secret, _ = await self.tokens.issue(account, "test", frozenset(scopes), None)
        return {"Authorization": f"Bearer {secret}"}


def build(path: Path, clock: Clock, *, rate: float = 10_000, burst: int = 10_000) -> tuple[Api, SqliteStore, Any]:
    store = SqliteStore(path / "q.db", installation="abc", policy=RetryPolicy())
    access, feed, pbx, webserver = SqliteAccess(store), Feed(clock), StubPbx(), Web()
    pbx.connected = True  # type: ignore[misc]
    logins, tokens = Logins(store, clock), Tokens(access, clock)
    accounts = Accounts(store, access, logins, clock)
    live = LiveCalls(store, pbx, clock, feed.publish)  # type: ignore[arg-type]

    async def preflight(url: str, account: int) -> str | None:
        return None if webserver.answers.get(url, 200) == 200 else "does not answer 200"

    router = Router({"t": Trunk("t", "PJSIP/{number}@t")}, [Route("", "t")])
    desk = Desk(store, clock, router, preflight, lambda: None, DeskSettings(), feed.publish)
    pacer, health = Pacer.of(Limit(5, 5), {"t": Limit(5, 5)}), {"t": TrunkHealth()}

    def admission() -> Any:
        return admit(clock.now(), None, pacer, live.by_trunk(), health)

    signing = Signing(access, clock)
    poster = Poster(webserver, signing, clock)
    trunk = {"live": 0, "max_calls": 5, "cps": 5.0, "faults": 0, "suspended": False, "last_fault": None}
    parts = Parts(
        store=store, clock=clock, accounts=accounts, logins=logins, tokens=tokens, audit=Audit(access, clock),
        receipts=access, desk=desk, feed=feed, live=live, pbx=pbx,  # type: ignore[arg-type]
        notifier=Notifier(store, poster, clock, NotifierSettings(), feed.publish), poster=poster, signing=signing,
        why=Why(store, clock, admission, lambda call, account: None),
        preflights=Preflights(store, clock, desk, pacer, admission, lambda call, account: None),
        status=lambda: {"pid": 1, "ami": True, "why_not_dialing": None, "live": 0, "detector": {}, "trunks": {"t": trunk}},
        wake=lambda: None, spool=path / "spool", max_body=MAX_BODY,
    )  # fmt: skip
    rest = SimpleNamespace(access=access, feed=feed, pbx=pbx, web=webserver, tokens=tokens, live=live)
    return Api(parts, RateLimit(rate, burst)), store, rest


async def add_accounts(store: SqliteStore, now: Millis) -> dict[str, Account]:
    plain = AccountSettings("America/New_York", "US")
    boss = AccountSettings("UTC", "US", operator=True)
    wanted = (("user1", "12345678", plain), ("user2", "88888888", plain), ("boss", "99999999", boss))
    return {login: await store.add_account(login, hasher.hash(pin), settings, now) for login, pin, settings in wanted}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = Clock()
    api, store, rest = build(tmp_path, clock)
    accounts = await add_accounts(store, clock.now())
    app = web.Application(client_max_size=MAX_BODY)
    api.mount(app)
    async with TestClient(TestServer(app)) as client, TestClient(TestServer(api.on_socket())) as socket:
        yield House(
            client, socket, store, rest.access, rest.tokens, clock, rest.feed, rest.live, rest.pbx, rest.web,
            tmp_path / "spool", accounts,
        )  # fmt: skip
    assert not list((tmp_path / "spool").glob("*"))  # no body is left on the disk
    await store.close()
