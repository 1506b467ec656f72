"""The fetcher against a real HTTP server on loopback: cookies, caching, redirects, forms, limits, the guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from gateway.adapters.cookies import CookieStore
from gateway.adapters.fetcher import HttpFetcher
from gateway.core.addresses import AllowList
from gateway.core.model import AccountId
from gateway.ports import FetchError, FetchErrorKind, FetchRequest, FilePart


@dataclass
class Site:
    """``seen`` are the requests: path, Cookie header, body."""

    base: str = ""
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.path, request.headers.get("Cookie", ""), await request.read()))
        match request.path:
            case "/login":
                response = web.Response(text="in")
                response.set_cookie("PHPSESSID", f"s{len(self.seen)}")
                response.set_cookie("elsewhere", "x", path="/elsewhere")
                return response
            case "/cached":
                return web.Response(text=f"{len(self.seen)}", headers={"Cache-Control": "max-age=60"})
            case "/validated":
                if request.headers.get("If-None-Match") == '"v1"':
                    return web.Response(status=304, headers={"ETag": '"v1"'})
                return web.Response(text="v1", headers={"ETag": '"v1"', "Cache-Control": "no-cache"})
            case "/moved":
                raise web.HTTPFound("/there")
            case "/kept":
                raise web.HTTPTemporaryRedirect("/there")
            case "/round":
                raise web.HTTPFound("/round")
            case "/file":
                raise web.HTTPFound("file:///etc/passwd")
            case "/large":
                return web.Response(body=bytes(10_000))
            case "/slow":
                await asyncio.sleep(5)
        return web.Response(text=request.method)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    fetcher = HttpFetcher(AllowList.of(["127.0.0.0/8"]))
    yield fetcher
    await fetcher.close()


async def test_cookies_are_a_session_s_own(site: Site, fetcher: HttpFetcher) -> None:
    first, second = CookieStore(), CookieStore()
    for cookies in (first, second):
        await fetcher.fetch(FetchRequest(f"{site.base}/login", cookies=cookies))
    for cookies in (first, second, None):
        await fetcher.fetch(FetchRequest(f"{site.base}/next", cookies=cookies))
    assert [cookie for _, cookie, _ in site.seen] == ["", "", "PHPSESSID=s1", "PHPSESSID=s2", ""]


async def test_what_a_cookie_was_sent_for_is_not_kept_for_others(site: Site, fetcher: HttpFetcher) -> None:
    cookies = CookieStore()
    await fetcher.fetch(FetchRequest(f"{site.base}/login", cookies=cookies))
    own = await fetcher.fetch(FetchRequest(f"{site.base}/cached", cookies=cookies))
    others = await fetcher.fetch(FetchRequest(f"{site.base}/cached"))
    assert (own.body, others.body) == (b"2", b"3")


async def test_fresh_answers_come_from_the_cache(site: Site, fetcher: HttpFetcher) -> None:
    url = f"{site.base}/cached"
    bodies = [(await fetcher.fetch(FetchRequest(url, max_age=age))).body for age in (None, None, 0.0, None)]
    assert bodies == [b"1", b"1", b"2", b"2"]


async def test_stale_answers_are_validated(site: Site, fetcher: HttpFetcher) -> None:
    bodies = [(await fetcher.fetch(FetchRequest(f"{site.base}/validated"))).body for _ in range(2)]
    assert bodies == [b"v1", b"v1"]
    assert len(site.seen) == 2


@pytest.mark.parametrize(("path", "method", "answered"), [("moved", "POST", b"GET"), ("kept", "POST", b"POST")])
async def test_redirects(site: Site, fetcher: HttpFetcher, path: str, method: str, answered: bytes) -> None:
    request = FetchRequest(f"{site.base}/{path}", method=method, form=(("a", "1"),))
    answer = await fetcher.fetch(request)
    assert (answer.body, answer.url) == (answered, f"{site.base}/there")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("round", FetchErrorKind.PROTOCOL),
        ("file", FetchErrorKind.PROTOCOL),
        ("large", FetchErrorKind.TOO_LARGE),
        ("slow", FetchErrorKind.TIMEOUT),
    ],
)
async def test_what_is_refused(site: Site, fetcher: HttpFetcher, path: str, kind: FetchErrorKind) -> None:
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(FetchRequest(f"{site.base}/{path}", timeout=0.5, max_bytes=5000))
    assert refused.value.kind is kind


async def test_addresses_inside_are_refused_unless_allowed(site: Site) -> None:
    fetcher = HttpFetcher(AllowList.of([]))
    try:
        for host in ("127.0.0.1", "localhost", "[::1]"):
            with pytest.raises(FetchError) as refused:
                await fetcher.fetch(FetchRequest(f"http://{host}:{site.base.rpartition(':')[2]}/"))
            assert refused.value.kind is FetchErrorKind.REFUSED
    finally:
        await fetcher.close()
    assert not site.seen


async def test_a_recording_is_a_part_of_a_multipart_form(site: Site, fetcher: HttpFetcher) -> None:
    form = (("name", "é"), ("message", FilePart("m.wav", "audio/wav", b"RIFF")))
    await fetcher.fetch(FetchRequest(f"{site.base}/up", method="POST", form=form, multipart=True))
    body = site.seen[-1][2]
    assert b'filename="m.wav"' in body
    assert b"Content-Type: audio/wav" in body
    assert "é".encode() in body
    assert b"RIFF" in body


async def test_pre_flights_that_hang_hold_up_no_other_account(site: Site, fetcher: HttpFetcher) -> None:
    slow, other = AccountId(1), AccountId(2)
    hanging = [asyncio.create_task(fetcher.preflight(f"{site.base}/slow?{n}", slow)) for n in range(60)]
    await asyncio.sleep(0.05)
    same = asyncio.create_task(fetcher.preflight(f"{site.base}/fresh", slow))  # waits behind its account's own
    async with asyncio.timeout(5):
        assert await fetcher.preflight(f"{site.base}/fresh", other) is None
    assert not same.done()
    for task in (*hanging, same):
        task.cancel()
    await asyncio.gather(*hanging, same, return_exceptions=True)
