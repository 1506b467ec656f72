"""Result posts: accepted by any 2xx, tried again with one webhook-id, never held up by another host."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.adapters.fetcher import HttpFetcher
from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.core.addresses import AllowList
from gateway.core.model import Account, AccountSettings, AttemptEnd, CalleeType, EndKind, Millis
from gateway.core.retry import RetryPolicy
from gateway.parts import SystemClock
from gateway.ports import Delivery, DeliveryTry, FetchError, FetchErrorKind, FetchRequest, Lane, StoreError
from gateway.services import notifier
from gateway.services.notifier import Notifier, NotifierSettings
from gateway.services.posting import Poster
from gateway.services.signing import Signing
from tests.adapters.test_store import call, plan


class Customer:
    """A result_url that answers as told; ``got`` is (webhook-id, form) by path."""

    def __init__(self) -> None:
        self.got: dict[str, list[tuple[str, dict[str, str]]]] = defaultdict(list)
        self.raw: dict[str, list[tuple[dict[str, str], bytes]]] = defaultdict(list)
        self.answers: dict[str, list[int]] = defaultdict(list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.raw[path].append((dict(request.headers), await request.read()))
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.got[path].append((request.headers.get("webhook-id", ""), form))
        if path == "/slow":
            await asyncio.sleep(30)
        if path == "/unhurried":
            await asyncio.sleep(0.2)
        if path == "/drip":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.1)
            return response
        if path == "/huge":
            return web.Response(body=b"x" * 2_000_000)
        if path == "/round":
            raise web.HTTPFound("/round")
        if path == "/moved":
            raise web.HTTPFound("/ok")
        if path == "/nowhere":
            return web.Response(status=307, headers={"Location": "http://["})
        if path == "/odd":
            return web.Response(headers={"Cache-Control": "max-age=\u00b2"})
        status = self.answers[path].pop(0) if self.answers[path] else 200
        return web.Response(status=status)


@pytest.fixture
async def customer() -> AsyncIterator[tuple[Customer, str]]:
    made = Customer()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", made.serve)
    async with TestServer(app) as server:
        yield made, f"http://127.0.0.1:{server.port}"


async def deliver(
    tmp_path: Path,
    urls: list[str],
    seconds: float,
    prepare: Callable[[Signing, Account], Awaitable[None]] | None = None,
) -> SqliteStore:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    now = SystemClock().now()
    for url in urls:
        await store.queue_call(account.id, call(), plan(result_url=url, scheduled_at=now, max_retries=0), now)
    for claimed in await store.claim([Lane("t", len(urls))], now, len(urls)):
        await store.close_attempt(AttemptEnd(claimed.attempt.id, EndKind.NOT_REACHED, CalleeType.BUSY, Millis(now)))
    fetcher = HttpFetcher(AllowList.of(["127.0.0.0/8"]))
    signing = Signing(SqliteAccess(store), SystemClock())
    poster = Poster(fetcher, signing, SystemClock())
    if prepare is not None:
        await prepare(signing, account)
    settings = NotifierSettings(timeout=1.0, backoff=0.1, backoff_limit=0.2, give_up_after=60)
    running = asyncio.create_task(Notifier(store, poster, SystemClock(), settings).run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await fetcher.close()
    return store


async def test_posts_are_repeated_under_one_id_until_accepted(customer: tuple[Customer, str], tmp_path: Path) -> None:
    made, base = customer
    made.answers["/ok"] = [500, 404]
    store = await deliver(tmp_path, [f"{base}/ok", f"{base}/slow", f"{base}/moved"], seconds=4.0)
    try:
        posts = made.got["/ok"]
        assert len(posts) == 3
        assert len({ident for ident, _ in posts}) == 1
        assert posts[0][1]["callee_type"] == "busy"
        assert posts[0][1]["attempts"] == "1"
        assert await store.next_delivery() is not None  # slow and moved are still owed
        assert len(made.got["/moved"]) >= 2  # a redirect that drops the form is no acceptance
    finally:
        await store.close()


async def test_a_look_from_before_a_post_was_accepted_does_not_make_it_again(
    customer: tuple[Customer, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look began while the post was under way, and is told when that is over: what it read is of before."""
    monkeypatch.setattr(notifier, "IDLE_LOOK", 0.05)
    whole = SqliteStore.due_deliveries

    async def due_deliveries(store: SqliteStore, now: Millis, per_host: int, limit: int) -> list[Delivery]:
        found = await whole(store, now, per_host, limit)
        await asyncio.sleep(0.5)
        return found

    monkeypatch.setattr(SqliteStore, "due_deliveries", due_deliveries)
    made, base = customer
    store = await deliver(tmp_path, [f"{base}/unhurried"], seconds=2.0)
    try:
        assert len(made.got["/unhurried"]) == 1
        assert await store.next_delivery() is None
    finally:
        await store.close()


async def test_a_post_whose_acceptance_cannot_be_written_is_not_made_again(
    customer: tuple[Customer, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "IDLE_LOOK", 0.05)
    whole, fails = SqliteStore.record_try, 5

    async def record_try(store: SqliteStore, tried: DeliveryTry) -> None:
        nonlocal fails
        fails -= 1
        if fails >= 0:
            raise StoreError("the disk is full")
        await whole(store, tried)

    monkeypatch.setattr(SqliteStore, "record_try", record_try)
    made, base = customer
    store = await deliver(tmp_path, [f"{base}/ok"], seconds=1.5)
    try:
        assert fails == -1 and len(made.got["/ok"]) == 1
        assert await store.next_delivery() is None
    finally:
        await store.close()


async def test_without_a_secret_a_post_is_what_it_was(customer: tuple[Customer, str], tmp_path: Path) -> None:
    made, base = customer
    await (await deliver(tmp_path, [f"{base}/ok"], seconds=0.5)).close()
    ((headers, body),) = made.raw["/ok"]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert {name for name in headers if name.startswith("webhook-")} == {"webhook-id", "webhook-timestamp"}
    assert body.startswith(b"phone_number=") and body.endswith(b"&duration=0") and b"&callee_type=busy&" in body


async def test_each_try_is_signed_anew_by_the_new_secret_and_the_old_one(
    customer: tuple[Customer, str], tmp_path: Path
) -> None:
    made, base = customer
    made.answers["/ok"] = [500] * 6
    secrets: list[str] = []

    async def prepare(signing: Signing, account: Account) -> None:
        secrets.extend([(await signing.renew(account, 0)).secret, (await signing.renew(account, 24)).secret])

    await (await deliver(tmp_path, [f"{base}/ok"], 2.5, prepare)).close()
    posts = made.raw["/ok"]
    assert len({headers["webhook-id"] for headers, _ in posts}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in posts}) >= 2  # the time is each try's own
    for headers, body in posts:
        for secret in secrets:
            Webhook(secret).verify(body, headers, json_parse=False)
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + "A" * 32).verify(body, headers, json_parse=False)


async def test_a_dead_host_with_many_results_delays_no_other(customer: tuple[Customer, str], tmp_path: Path) -> None:
    made, base = customer
    other = base.replace("127.0.0.1", "localhost")
    store = await deliver(tmp_path, [*[f"{base}/slow"] * 300, f"{other}/ok"], seconds=1.5)
    await store.close()
    assert len(made.got["/slow"]) <= 2 * NotifierSettings().per_host
    assert len(made.got["/ok"]) == 1


async def test_a_redirect_to_nonsense_is_not_accepted_and_ends_nothing(
    customer: tuple[Customer, str], tmp_path: Path
) -> None:
    made, base = customer
    made.answers["/ok"] = [500]
    store = await deliver(tmp_path, [f"{base}/nowhere", f"{base}/ok"], seconds=1.5)
    await store.close()
    assert len(made.got["/nowhere"]) > 1
    assert len(made.got["/ok"]) == 2


async def test_a_lifetime_that_is_no_number_is_none(customer: tuple[Customer, str]) -> None:
    fetcher = HttpFetcher(AllowList.of(["127.0.0.0/8"]))
    try:
        assert (await fetcher.fetch(FetchRequest(customer[1] + "/odd"))).status == 200
    finally:
        await fetcher.close()


async def test_the_fetcher_bounds_what_a_hostile_host_can_do(customer: tuple[Customer, str]) -> None:
    _, base = customer
    fetcher = HttpFetcher(AllowList.of(["127.0.0.0/8"]))
    try:
        for path, kind in (
            ("/slow", FetchErrorKind.TIMEOUT), ("/drip", FetchErrorKind.TIMEOUT), ("/huge", FetchErrorKind.TOO_LARGE),
            ("/round", FetchErrorKind.PROTOCOL),
        ):  # fmt: skip
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(FetchRequest(base + path, timeout=0.5, max_bytes=100_000))
            assert caught.value.kind is kind, path
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(FetchRequest("http://127.0.0.1:2/"))
        assert caught.value.kind is FetchErrorKind.CONNECT
    finally:
        await fetcher.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_without_an_allow_list_loopback_is_refused_under_every_name(
    customer: tuple[Customer, str], host: str
) -> None:
    made, base = customer
    fetcher = HttpFetcher(AllowList())
    try:
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(FetchRequest(f"http://{host}:{base.rsplit(':', 1)[1]}/x", timeout=5))
        assert caught.value.kind in (FetchErrorKind.REFUSED, FetchErrorKind.CONNECT, FetchErrorKind.PROTOCOL)
        assert made.got == {}
    finally:
        await fetcher.close()


async def test_a_redirect_into_the_house_is_refused(customer: tuple[Customer, str]) -> None:
    """The first hop is allowed by name, the second, by address, is not."""
    made, base = customer
    port = base.rsplit(":", 1)[1]

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://127.0.0.1:{port}/secret")

    app = web.Application()
    app.router.add_get("/", redirect)
    fetcher = HttpFetcher(AllowList.of(["localhost"]))
    try:
        async with TestServer(app) as server:
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(FetchRequest(f"http://localhost:{server.port}/", timeout=5))
        assert caught.value.kind is FetchErrorKind.REFUSED
        assert "[fetch]" in str(caught.value)
        assert made.got == {}
    finally:
        await fetcher.close()
