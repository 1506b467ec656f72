"""The gateway's whole public application in this process: every route that there is, before a real store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, CookieJar, encode_basic_auth
from argon2 import PasswordHasher

from gateway.adapters.doors import Door
from gateway.config import load
from gateway.core.model import Account, AccountSettings, CampaignId, Millis
from gateway.parts import open_store
from gateway.ports import Lane
from gateway.wiring import Gateway
from tests.adapters.test_store import call, ended, plan
from tests.api.running import CONFIG

hasher = PasswordHasher(time_cost=1, memory_cost=64)  # cheap: what it costs to guess is tested elsewhere
PINS = {"mallory": "12345678", "alice": "88888888", "boss": "99999999"}
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
HTML = {"Accept": "text/html"}


@dataclass
class Things:
    """What alice has, as paths name it; of a route that is none of these, any name stands for nothing."""

    names: dict[str, str] = field(default_factory=dict)

    def path(self, pattern: str) -> str:
        kind = (
            "campaign_id" if pattern.startswith("/campaigns/") else "call_id" if pattern.startswith("/calls/") else ""
        )
        kind = "result_id" if pattern.startswith("/results/") else kind
        return re.sub(r"\{(\w+)\}", lambda found: self.names.get(kind if found[1] == "id" else found[1], "x"), pattern)


@dataclass
class House:
    gateway: Gateway
    client: ClientSession
    port: int
    things: Things
    accounts: dict[str, Account]

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Method and pattern of each."""
        found = {
            (route.method, route.resource.canonical)
            for route in self.gateway.app.router.routes()
            if route.resource is not None and route.method != "HEAD"
        }
        return sorted(found)

    async def sign_in(self, login: str) -> str:
        """The token of the session's forms."""
        form = {"login": login, "pin": PINS[login]}
        async with self.client.post("/signin", data=form, headers=HTML, allow_redirects=False) as answer:
            assert answer.status == 303
        async with self.client.get("/settings", headers=HTML) as page:
            found = re.search(r'data-csrf="([^"]+)"', await page.text())
        assert found is not None
        return found[1]


def basic(login: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(login, PINS[login])}


@asynccontextmanager
async def whole(folder: Path, more: str = "", proxies: tuple[str, ...] = ()) -> AsyncIterator[House]:
    place = folder / "voxgate.toml"
    place.write_text(CONFIG.format(port=0, ami=1) + more)
    config = load(place)
    gateway = Gateway(config, open_store(config), place)
    store = gateway.store
    try:
        accounts = {}
        for login, pin in PINS.items():
            settings = AccountSettings("UTC", "US", operator=login == "boss")
            accounts[login] = await store.add_account(login, hasher.hash(pin), settings, Millis(1))
        things = await _things(gateway, accounts["alice"])
        door = Door("server", gateway.app, proxies=proxies, shutdown_timeout=0.5)
        await door.open("127.0.0.1", 0)
        try:
            base = f"http://127.0.0.1:{door.port}"
            async with ClientSession(base_url=base, cookie_jar=CookieJar(unsafe=True)) as client:
                yield House(gateway, client, door.port, things, accounts)
        finally:
            await door.close()
    finally:
        await gateway.fetcher.close()
        await gateway.speech.close()
        await store.close()


async def _things(gateway: Gateway, alice: Account) -> Things:
    store, now = gateway.store, gateway.clock.now()
    campaign = CampaignId(await store.open_campaign(alice.id, "hers", plan(scheduled_at=now), now))
    await store.load_calls(campaign, [call(1), call(2)], now)
    await store.publish_campaign(campaign, 0)
    (claimed,) = await store.claim([Lane("t", 1)], now, 1)
    await store.close_attempt(ended(claimed))
    waiting = await store.queue_call(alice.id, call(3), plan(scheduled_at=now + 10**9), now)
    once = await store.queue_call(alice.id, call(4), plan(scheduled_at=now, max_retries=0), now)
    for one in await store.claim([Lane("t", 9)], now, 9):
        await store.close_attempt(ended(one))
    delivery = await store.delivery_of(once)
    assert delivery is not None
    return Things({
        "campaign_id": str(campaign), "call_id": str(waiting), "result_id": delivery.id, "login": "alice", "number": "1",
        "kind": "csv", "token_id": "1", "walk": "x", "name": "voxgate.css", "token": "x",
    })  # fmt: skip
