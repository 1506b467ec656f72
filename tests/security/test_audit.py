"""Every state-changing request leaves a line in the audit log: a new route that does not is found here."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, FormData, UnixConnector, encode_basic_auth, web
from argon2 import PasswordHasher

from gateway.adapters.store import SqliteAccess
from gateway.config import load
from gateway.core.access import AuditEntry
from gateway.core.model import Account, AccountSettings, CallId, CampaignId, Millis
from gateway.parts import open_store
from gateway.ports import Lane
from gateway.wiring import Gateway
from tests.adapters.test_store import call, ended, plan
from tests.api.running import CONFIG

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
PINS = {"boss": "99999999", "user1": "12345678", "user2": "88888888"}
ALLOW = '[fetch]\nallow = ["127.0.0.0/8"]\n'
LIST = "6175550001\n6175550002\n"
SINGLE = "a call is its own record, and a second write would cost the intake its pace"
#: What changes nothing of the gateway's, or is a record itself.
EXEMPT = {
    "/webservice/queuecall.php": SINGLE,
    "/outbound/webservice/queuecall.php": SINGLE,
    "/api/v1/calls": SINGLE,
    "/queue/call": SINGLE,
    "/phone/ring": SINGLE,
    "/api/v1/campaigns/preflight": "looks only",
    "/api/v1/results/test": "posts an example, keeps nothing",
    "/results/test": "posts an example, keeps nothing",
    "/queue/echo": "looks only",
    "/queue/list": "keeps a list for half an hour, until the form is sent",
    "/phone/walk": "walks in a process of its own, keeps nothing",
    "/phone/walk/{walk}": "walks in a process of its own, keeps nothing",
    "/system/doctor": "looks only",
}


def basic(login: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(login, PINS[login])}


@dataclass
class House:
    """The whole gateway but for Asterisk. ``web`` is signed in as the operator boss."""

    gateway: Gateway
    web: ClientSession
    socket: ClientSession
    account: Account
    path: Path
    numbers: int = 0

    async def ask(self, method: str, path: str, body: object = None) -> int:
        async with self.web.request(method, f"/api/v1{path}", json=body, headers=basic("boss")) as answer:
            return answer.status

    async def by_socket(self, path: str, body: object = None) -> int:
        async with self.socket.post(f"/api/v1{path}", json=body) as answer:
            await answer.read()
            return answer.status

    async def post(self, path: str, **form: str) -> int:
        async with self.web.get("/settings", headers={"Accept": "text/html"}) as page:
            csrf = re.search(r'data-csrf="([^"]+)"', await page.text())
        data = {**form} if csrf is None else {"csrf": csrf[1], **form}
        async with self.web.post(path, data=data, allow_redirects=False) as answer:
            return answer.status

    async def sign_in(self) -> int:
        return await self.post("/signin", login="boss", pin=PINS["boss"])

    async def lines(self) -> list[AuditEntry]:
        return await SqliteAccess(self.gateway.store).audited(None, 1000)

    # --- things of user1 to be changed ---

    async def waiting(self) -> CallId:
        self.numbers += 1
        later = Millis(self.gateway.clock.now() + 10**9)
        return await self.gateway.store.queue_call(self.account.id, call(self.numbers), plan(scheduled_at=later), later)

    async def campaign(self) -> CampaignId:
        self.numbers += 1
        now = self.gateway.clock.now()
        wanted = plan(scheduled_at=Millis(now + 10**9), expires_at=None)
        made = await self.gateway.store.open_campaign(self.account.id, f"c{self.numbers}", wanted, now)
        await self.gateway.store.load_calls(made, [call(self.numbers)], now)
        await self.gateway.store.publish_campaign(made, 0)
        return made

    async def over(self, *, live: bool = False) -> CallId:
        """A call that was dialed: its attempt is over, or it is live."""
        self.numbers += 1
        now, store = self.gateway.clock.now(), self.gateway.store
        ident = await store.queue_call(self.account.id, call(self.numbers), plan(scheduled_at=now, max_retries=0), now)
        (claimed,) = await store.claim([Lane("t", 1)], now, 1)
        if live:
            self.gateway.live.add(claimed)
        else:
            await store.close_attempt(ended(claimed))
        return ident

    async def result(self) -> str:
        found = await self.gateway.store.delivery_of(await self.over())
        assert found is not None
        return found.id

    async def token(self) -> int:
        assert await self.ask("POST", "/tokens", {"name": "t", "scopes": ["read"], "account": "user1"}) == 201
        return max(one.id for _, one in await SqliteAccess(self.gateway.store).tokens())

    async def form(self, path: str, **fields: str) -> int:
        """A form with a list of numbers, as clients of Plum and of the API send it."""
        self.numbers += 1
        data = FormData({"start_url": "http://a/s", "campaign_name": f"l{self.numbers}", **fields})
        data.add_field("phone_list", LIST, filename="list")
        headers = {} if "pin" in fields else basic("boss")
        async with self.web.post(path, data=data, headers=headers) as answer:
            text = await answer.text()
            assert 'status="failed"' not in text, text
            return answer.status

    async def queued_list(self) -> int:
        async with self.web.get("/settings", headers={"Accept": "text/html"}) as page:
            csrf = re.search(r'data-csrf="([^"]+)"', await page.text())
        assert csrf is not None
        data = FormData({"csrf": csrf[1], "account": "user1"})
        data.add_field("phone_list", LIST, filename="list")
        async with self.web.post("/queue/list", data=data, headers={"X-CSRF": csrf[1]}) as answer:
            kept = re.search(r'name="list" value="([^"]+)"', await answer.text())
        assert kept is not None
        self.numbers += 1
        fields = {"csrf": csrf[1], "account": "user1", "list": kept[1], "start_url": "http://a/s"}
        data = FormData({**fields, "campaign_name": f"q{self.numbers}"})
        async with self.web.post("/queue/campaign", data=data, allow_redirects=False) as answer:
            return answer.status


Case = Callable[[House], Awaitable[int]]
PIN = {"pin": "24682468"}


async def _added(house: House) -> int:
    body = {"login": "fresh", "pin": "12345678", "settings": {"time_zone": "UTC", "country": "US"}}
    return await house.ask("POST", "/accounts", body)


async def _numbers(house: House) -> int:
    path = f"/api/v1/campaigns/{await house.campaign()}/calls"
    async with house.web.post(path, data=LIST, headers={**basic("boss"), "Content-Type": "text/csv"}) as answer:
        return answer.status


#: Each state-changing route with what is asked of it, and what is then written down.
API: dict[tuple[str, str], tuple[Case, str]] = {
    ("POST", "/accounts"): (_added, "account.add"),
    ("PATCH", "/accounts/{login}"): (lambda h: h.ask("PATCH", "/accounts/user2", {"country": "DE"}), "account.change"),
    ("POST", "/accounts/{login}/pin"): (lambda h: h.ask("POST", "/accounts/user2/pin", PIN), "account.pin"),
    ("POST", "/accounts/{login}/lift"): (lambda h: h.ask("POST", "/accounts/user2/lift"), "account.lift"),
    ("POST", "/accounts/{login}/signing"): (lambda h: h.ask("POST", "/accounts/user2/signing", {}), "account.signing"),
    ("POST", "/accounts/{login}/signing/off"): (lambda h: h.ask("POST", "/accounts/user2/signing/off"), "account.unsigned"),
    ("POST", "/lift"): (lambda h: h.ask("POST", "/lift"), "gateway.lift"),
    ("POST", "/tokens"): (lambda h: h.ask("POST", "/tokens", {"name": "t", "scopes": ["read"]}), "token.issue"),
    ("DELETE", "/tokens/{token_id}"): (lambda h: _then(h.token(), lambda i: h.ask("DELETE", f"/tokens/{i}")), "token.revoke"),
    ("POST", "/calls/{call_id}/cancel"): (lambda h: _then(h.waiting(), lambda i: h.ask("POST", f"/calls/{i}/cancel")), "call.cancel"),
    ("POST", "/calls/{call_id}/hangup"): (
        lambda h: _then(h.over(live=True), lambda i: h.ask("POST", f"/calls/{i}/hangup")), "call.hangup",
    ),
    ("POST", "/calls/{call_id}/relabel"): (
        lambda h: _then(h.over(), lambda i: h.ask("POST", f"/calls/{i}/relabel", {"callee_type": "fax"})), "call.relabel",
    ),
    ("POST", "/campaigns"): (lambda h: h.form("/api/v1/campaigns", account="user1"), "campaign.load"),
    ("POST", "/campaigns/{campaign_id}/calls"): (_numbers, "campaign.add"),
    **{
        ("POST", f"/campaigns/{{campaign_id}}/{verb}"): (
            lambda h, verb=verb: _then(h.campaign(), lambda i: h.ask("POST", f"/campaigns/{i}/{verb}")), f"campaign.{verb}",
        )
        for verb in ("pause", "resume", "cancel")
    },
    ("POST", "/results/{result_id}/redeliver"): (
        lambda h: _then(h.result(), lambda i: h.ask("POST", f"/results/{i}/redeliver")), "result.redeliver",
    ),
}  # fmt: skip
PLUM = {"login": "user1", "pin": PINS["user1"], "result_url": "http://a/r"}
ELSEWHERE: dict[tuple[str, str], tuple[Case, str]] = {
    ("POST", "/webservice/queuecalls.php"): (lambda h: h.form("/webservice/queuecalls.php", **PLUM), "campaign.load"),
    ("POST", "/outbound/webservice/queuecalls.php"): (
        lambda h: h.form("/outbound/webservice/queuecalls.php", **PLUM), "campaign.load",
    ),
    ("POST", "/queue/campaign"): (lambda h: h.queued_list(), "campaign.load"),
    ("POST", "/calls/{id}/delete"): (lambda h: _then(h.waiting(), lambda i: h.post(f"/calls/{i}/delete")), "call.cancel"),
    ("POST", "/calls/{id}/hangup"): (
        lambda h: _then(h.over(live=True), lambda i: h.post(f"/calls/{i}/hangup")), "call.hangup",
    ),
    ("POST", "/calls/{id}/relabel"): (
        lambda h: _then(h.over(), lambda i: h.post(f"/calls/{i}/relabel", callee_type="fax")), "call.relabel",
    ),
    **{
        ("POST", f"/campaigns/{{id}}/{verb}"): (
            lambda h, verb=verb: _then(h.campaign(), lambda i: h.post(f"/campaigns/{i}/{verb}")), action,
        )
        for verb, action in (
            ("pause", "campaign.pause"), ("resume", "campaign.resume"), ("cancel", "campaign.cancel"),
            ("delete", "calls.cancel"), ("retry", "campaign.retry"),
        )
    },
    ("POST", "/dialing/suspend"): (lambda h: h.post("/dialing/suspend"), "dialing.suspend"),
    ("POST", "/dialing/resume"): (lambda h: h.post("/dialing/resume"), "dialing.resume"),
    ("POST", "/results/{id}/retry"): (lambda h: _then(h.result(), lambda i: h.post(f"/results/{i}/retry")), "result.redeliver"),
    ("POST", "/settings"): (
        lambda h: h.post("/settings", account="user2", time_zone="UTC", country="FR", evidence_days="7"), "account.settings",
    ),
    ("POST", "/settings/pin"): (lambda h: h.post("/settings/pin", account="user2"), "account.pin"),
    ("POST", "/settings/lift"): (lambda h: h.post("/settings/lift", account="user2"), "account.lift"),
    ("POST", "/settings/signing"): (lambda h: h.post("/settings/signing", account="user2"), "account.signing"),
    ("POST", "/settings/unsigned"): (lambda h: h.post("/settings/unsigned", account="user2"), "account.unsigned"),
    ("POST", "/settings/accounts"): (
        lambda h: h.post("/settings/accounts", login="more", time_zone="UTC", country="US"), "account.add",
    ),
    ("POST", "/signin"): (lambda h: h.sign_in(), "session.open"),
    ("POST", "/signout"): (lambda h: _then(h.post("/signout"), lambda _: h.sign_in()), "session.end"),
    ("POST", "/signout/everywhere"): (lambda h: _then(h.post("/signout/everywhere"), lambda _: h.sign_in()), "session.end"),
}  # fmt: skip
SOCKET: dict[tuple[str, str], tuple[Case, str]] = {
    ("POST", "/api/v1/db/backup"): (lambda h: h.by_socket("/db/backup", {"path": str(h.path / "copy.db")}), "database.backup"),
    ("POST", "/api/v1/doctor"): (lambda h: h.by_socket("/doctor", {"path": "doctor/1", "port": 4000}), "doctor.lend"),
    ("POST", "/api/v1/reload"): (lambda h: h.by_socket("/reload"), "gateway.reload"),
    ("POST", "/api/v1/retention/run"): (lambda h: h.by_socket("/retention/run"), "retention.run"),
}  # fmt: skip
DRIVEN = {(method, f"/api/v1{path}"): case for (method, path), case in API.items()} | ELSEWHERE | SOCKET
#: Driven in a test of its own below: it needs a house without an account.
ALONE = ("POST", "/first/{token}")


async def _then(thing: Awaitable[Any], act: Callable[[Any], Awaitable[int]]) -> int:
    return await act(await thing)


async def made(folder: Path) -> Gateway:
    place = folder / "voxgate.toml"
    place.write_text(CONFIG.format(port=0, ami=1) + ALLOW)
    config = load(place)
    return Gateway(config, open_store(config), place)


async def closed(gateway: Gateway) -> None:
    await gateway.fetcher.close()
    await gateway.speech.close()
    await gateway.store.close()


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("audited")
    hasher = PasswordHasher(time_cost=1, memory_cost=64)  # cheap: what it costs to guess is tested elsewhere
    gateway = await made(folder)
    accounts = {
        login: await gateway.store.add_account(
            login, hasher.hash(pin), AccountSettings("UTC", "US", operator=login == "boss"), Millis(1)
        )
        for login, pin in PINS.items()
    }
    running = asyncio.create_task(gateway.pages.run())
    public, api = web.AppRunner(gateway.app), web.AppRunner(gateway.api)
    for runner in (public, api):
        await runner.setup()
    await web.TCPSite(public, "127.0.0.1", 0).start()
    await web.UnixSite(api, str(folder / "s.sock")).start()
    base = f"http://127.0.0.1:{public.addresses[0][1]}"
    async with (
        ClientSession(base_url=base, cookie_jar=CookieJar(unsafe=True)) as browser,
        ClientSession("http://localhost", connector=UnixConnector(str(folder / "s.sock"))) as socket,
    ):
        opened = House(gateway, browser, socket, accounts["user1"], folder)
        assert await opened.sign_in() == 303
        yield opened
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for runner in (public, api):
        await runner.cleanup()
    await closed(gateway)


def routes(*apps: web.Application) -> set[tuple[str, str]]:
    """Every state-changing route."""
    return {
        (route.method, route.resource.canonical)
        for app in apps
        for route in app.router.routes()
        if route.resource is not None and route.method in CHANGING
    }


async def test_every_state_changing_route_is_known_here(house: House) -> None:
    there = routes(house.gateway.app, house.gateway.api)
    assert {path for _, path in there} >= set(EXEMPT), "a route that is gone is still exempt"
    assert {one for one in there if one[1] not in EXEMPT} == {*DRIVEN, ALONE}, "drive it here, or say why it is exempt"
    assert not set(EXEMPT) & {path for _, path in DRIVEN}


@pytest.mark.parametrize("route", DRIVEN, ids=" ".join)
async def test_what_is_changed_is_written_down(
    house: House, route: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangup(attempt: str) -> None:
        """Asterisk's part."""

    monkeypatch.setattr(house.gateway.pbx, "hangup", hangup)
    monkeypatch.setattr(type(house.gateway.pbx), "connected", True)
    last = max((one.id for one in await house.lines()), default=0)
    drive, action = DRIVEN[route]
    assert await drive(house) < 400
    for _ in range(100):  # chores write when they are done
        found = [one for one in await house.lines() if one.id > last and one.action == action]
        if found:
            break
        await asyncio.sleep(0.05)
    (line, *_) = found
    if route in SOCKET:
        assert (line.actor, line.origin) == ("operator", f"the socket, user {getpass.getuser()}")
    else:
        assert (line.actor, line.origin) == ("user1" if "queuecalls" in route[1] else "boss", "127.0.0.1")
    assert line.subject and line.outcome == "done"
    for secret in (*PINS.values(), PIN["pin"], "whsec_", "vgt_"):
        assert secret not in repr(line)


async def test_the_first_account_is_written_down(tmp_path: Path) -> None:
    gateway = await made(tmp_path)
    runner = web.AppRunner(gateway.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    form = {"login": "me", "pin": "24682468", "time_zone": "UTC", "country": "US"}
    async with ClientSession(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
        link = await gateway.pages.first_link()
        assert link is not None
        async with client.post(link, data=form, allow_redirects=False) as answer:
            assert answer.status == 303
    (line,) = await SqliteAccess(gateway.store).audited(None, 10)
    await runner.cleanup()
    await closed(gateway)
    assert (line.actor, line.action, line.origin) == ("me", "account.add", "127.0.0.1")


async def test_what_is_refused_is_written_down_too_and_not_without_end(house: House) -> None:
    for _ in range(150):
        async with house.web.post("/api/v1/accounts/user2/lift", headers=basic("user1")) as answer:
            assert answer.status == 403
    refused = [one for one in await house.lines() if one.outcome != "done"]
    assert (refused[0].actor, refused[0].action) == ("user1", "api.lift_account")
    assert refused[0].outcome.startswith("refused: this needs the scope operator")
    assert 90 < len(refused) < 120


async def test_a_failed_sign_in_is_written_down_without_what_was_typed(house: House) -> None:
    form = {"login": "sesame-sesame", "pin": "0000"}
    async with house.web.post("/signin", data=form, allow_redirects=False) as answer:
        assert answer.status == 403
    assert "sesame-sesame" not in repr(await house.lines())
