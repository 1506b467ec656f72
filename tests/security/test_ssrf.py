"""Whoever names a URL is not led into the operator's network: by no spelling, redirect, name or document."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from gateway.adapters import fetcher as fetching
from gateway.adapters.cookies import CookieStore
from gateway.adapters.fetcher import HttpFetcher
from gateway.core.addresses import AllowList
from gateway.core.model import AccountId
from gateway.ports import FetchError, FetchErrorKind, FetchRequest, FetchResponse
from tests.security.webs import ALLOWED, INSIDE, Names, Webs, raw_server, webs
from tests.services.test_dialog import Booth
from tests.services.test_dialog import booth as booth
from tests.vxml.caller import document

SPELLINGS = [
    INSIDE, "127.0.0.2.", "2130706434", "0x7f000002", "0x7f.0.0.2", "0177.0.0.2", "127.2", "017700000002", "localhost.",
    "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[::127.0.0.2]", "[::7f00:2]", "[64:ff9b::7f00:2]", "[64:ff9b:1::7f00:2]",
    "[2002:7f00:2::]", "[2001:0:1:1:0:0:80ff:fffd]", "[::ffff:0:127.0.0.2]", "[::1%25lo]", "[fe80::1%25lo]", "[fec0::1]",
    "[::]", "0", "0.0.0.0", "user@127.0.0.2", "public.example@127.0.0.2", "public.example:80@127.0.0.2",
    "127.0.0.2%00.public.example", "①②⑦.⓪.⓪.②", "127。0。0。2", "127%2e0%2e0%2e2", "%6c%6f%63%61%6c%68%6f%73%74",
    "ip6-localhost", "\t127.0.0.2", "127.0.0.2\r\n",
]  # fmt: skip
SCHEMES = [
    "file:///etc/passwd", "file://127.0.0.2/etc/passwd", "ftp://127.0.0.2/", "gopher://127.0.0.2/_x", "data:text/plain,x",
    "unix:///run/voxgate.sock", "http+unix://%2Frun%2Fvoxgate.sock/", "javascript:1", "//127.0.0.2/", "http:///x", "http://",
    "http://[", "http://[::1", "http://x:99999999/", "http://x:-1/", "ws://127.0.0.2/",
]  # fmt: skip


@pytest.fixture
async def around() -> AsyncIterator[Webs]:
    async with webs() as made:
        yield made


@pytest.fixture
async def fetcher() -> AsyncIterator[Callable[..., HttpFetcher]]:
    """Makes fetchers that may fetch from one loopback address, and not from the one beside it."""
    made: list[HttpFetcher] = []

    def make(resolver: AbstractResolver | None = None, allow: tuple[str, ...] = (f"{ALLOWED}/32",)) -> HttpFetcher:
        made.append(HttpFetcher(AllowList.of(allow), resolver=resolver))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def refused(fetcher: HttpFetcher, url: str, **more: object) -> FetchErrorKind:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(FetchRequest(url, timeout=5.0, **more))  # type: ignore[arg-type]
    return caught.value.kind


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_a_host_leads_inside(around: Webs, fetcher: Callable[..., HttpFetcher], host: str) -> None:
    made = fetcher()
    assert await refused(made, f"http://{host}:{around.port}/x") in (
        FetchErrorKind.REFUSED, FetchErrorKind.CONNECT, FetchErrorKind.PROTOCOL,
    )  # fmt: skip
    assert await made.preflight(f"http://{host}:{around.port}/x", AccountId(1)) is not None
    assert not around.asked
    assert not around.stolen


@pytest.mark.parametrize("url", SCHEMES)
async def test_nothing_but_http_is_fetched(fetcher: Callable[..., HttpFetcher], url: str) -> None:
    made = fetcher(allow=("0.0.0.0/0", "::/0"))
    for cookies in (None, CookieStore()):
        assert await refused(made, url, cookies=cookies) is FetchErrorKind.PROTOCOL


async def test_a_name_with_a_space_is_none(fetcher: Callable[..., HttpFetcher]) -> None:
    assert await refused(fetcher(), "http://a b/") is FetchErrorKind.CONNECT


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to", ["http://{inside}/x", "//{inside}/x", "http://2130706434:{port}/x", "http://{metadata}/"]
)
async def test_a_redirect_is_checked_as_the_first_address_was(
    around: Webs, fetcher: Callable[..., HttpFetcher], status: int, to: str
) -> None:
    made = fetcher(allow=(f"{ALLOWED}/32", "169.254.0.0/16"))
    target = to.format(inside=f"{INSIDE}:{around.port}", port=around.port, metadata="169.254.169.254")
    url = f"{around.open}/away?status={status}&to={quote(target)}"
    kind = FetchErrorKind.PROTOCOL if "2130706434" in to else FetchErrorKind.REFUSED  # aiohttp knows it for an address
    assert await refused(made, url) is kind
    assert await refused(made, url, method="POST", form=(("a", "b"),)) is kind
    assert "cannot be fetched" in str(await made.preflight(url, AccountId(1)))
    assert not around.stolen


async def test_the_address_that_was_checked_is_the_one_connected_to(
    around: Webs, fetcher: Callable[..., HttpFetcher]
) -> None:
    names = Names(app_test=[[ALLOWED], [INSIDE]])
    made = fetcher(names)
    await made.fetch(FetchRequest(f"http://app.test:{around.port}/first"))
    assert (names.asked, around.asked, around.stolen) == (1, ["/first"], [])
    await made.close()
    again = fetcher(names)  # no connection of before to use: the name now leads inside
    assert await refused(again, f"http://app.test:{around.port}/second") is FetchErrorKind.REFUSED
    assert not around.stolen


@pytest.mark.parametrize("answers", [[ALLOWED, INSIDE], [INSIDE, ALLOWED]])
async def test_one_forbidden_address_among_many_forbids_the_name(
    around: Webs, fetcher: Callable[..., HttpFetcher], answers: list[str]
) -> None:
    made = fetcher(Names(app_test=[answers]))
    assert await refused(made, f"http://app.test:{around.port}/x") is FetchErrorKind.REFUSED
    assert not around.asked
    assert not around.stolen


async def test_a_list_that_was_narrowed_holds_for_the_next_connection(
    around: Webs, fetcher: Callable[..., HttpFetcher]
) -> None:
    made = fetcher(allow=("127.0.0.0/8",))
    assert (await made.fetch(FetchRequest(f"{around.inside}/x"))).body == b"secret"
    made.allow(AllowList.of([f"{ALLOWED}/32"]))
    assert await refused(made, f"http://127.0.0.3:{around.port}/x") is FetchErrorKind.REFUSED


@pytest.mark.parametrize("port", [22, 25, 5060, 5061, 6667, 10080])
async def test_no_form_is_sent_to_a_port_of_another_protocol(fetcher: Callable[..., HttpFetcher], port: int) -> None:
    made = fetcher(allow=("0.0.0.0/0", "::/0"))
    for host in (ALLOWED, "localhost"):
        assert await refused(made, f"http://{host}:{port}/", method="POST") is FetchErrorKind.REFUSED


REACHING = {
    "document": '<form><block><goto next="{to}"/></block></form>',
    "submit": '<var name="a" expr="1"/><form><block><submit next="{to}" method="post" namelist="a"/></block></form>',
    "script": '<script src="{to}"/><form><block/></form>',
    "grammar": '<form><field name="f"><grammar src="{to}" type="application/srgs+xml"/></field></form>',
    "data": '<form><block><data name="d" src="{to}"/></block></form>',
    "subdialog": '<form><subdialog name="s" src="{to}"/></form>',
    "link": '<form><block><throw event="go"/></block></form><catch event="go"><goto next="{to}"/></catch>',
    "audio": '<form><block><prompt><audio src="{to}"/></prompt></block></form>',
    "fetchaudio": '<property name="fetchaudio" value="{to}"/><property name="fetchaudiodelay" value="0s"/>'
    '<form><block><goto next="/next"/></block></form>',
}


@pytest.mark.parametrize("kind", REACHING)
@pytest.mark.parametrize("way", ["straight", "redirected"])
async def test_no_element_of_a_document_leads_inside(
    around: Webs, fetcher: Callable[..., HttpFetcher], booth: Callable[..., Booth], kind: str, way: str
) -> None:
    made, real = await booth(), fetcher()  # type: ignore[misc]

    async def fetch(request: FetchRequest) -> FetchResponse:
        return await real.fetch(replace(request, url=request.url.replace("http://a/", f"{around.open}/")))

    made.web.fetch = fetch
    to = f"{around.inside}/x"
    if way == "redirected":
        to = f"{around.open}/away?status=307&amp;to={quote(to)}"
    around.pages["/s"] = document(REACHING[kind].format(to=to))
    around.pages["/next"] = document("<form><block/></form>")
    await made.talk()
    assert around.asked[0] == "/s"
    assert ("/away" in around.asked) is (way == "redirected")
    assert not around.stolen
    error = made.live.session.application_error
    assert error is None if "audio" in kind else error.startswith("error.badfetch")


async def test_what_unpacks_to_more_than_the_limit_is_not_unpacked(
    around: Webs, fetcher: Callable[..., HttpFetcher]
) -> None:
    bomb = gzip.compress(bytes(256 * 1024 * 1024), 1)
    assert len(bomb) < 2_000_000
    for coding, body in (("gzip", bomb), ("deflate", bomb)):
        around.pages["/bomb"] = web.Response(body=body, headers={"Content-Encoding": coding})
        tracemalloc.start()
        kind = await refused(fetcher(), f"{around.open}/bomb")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kind in (FetchErrorKind.TOO_LARGE, FetchErrorKind.PROTOCOL)
        assert peak < 32 * 1024 * 1024


async def test_an_account_whose_servers_hang_holds_up_nobody_else_s_fetches(
    around: Webs, fetcher: Callable[..., HttpFetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "OF_ONE_ACCOUNT", 3)
    monkeypatch.setattr("gateway.adapters.guard.CONNECTIONS", 4)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    made = fetcher()
    async with raw_server(hang) as port:
        greedy = [
            asyncio.create_task(made.fetch(FetchRequest(f"http://{ALLOWED}:{port}/{n}", account=AccountId(1))))
            for n in range(20)
        ]
        try:
            await asyncio.sleep(0)
            for account in (AccountId(2), None):
                request = FetchRequest(f"{around.open}/x", timeout=10.0, account=account, max_age=0.0)
                assert (await made.fetch(request)).status == 200
            assert not any(one.done() for one in greedy)
        finally:
            for one in greedy:
                one.cancel()
            await asyncio.gather(*greedy, return_exceptions=True)


async def test_a_cookie_sends_no_header_of_its_own(around: Webs, fetcher: Callable[..., HttpFetcher]) -> None:
    cookies, seen = CookieStore(), []
    answer = web.Response()
    for value in ('a="1\\015\\012X-Injected: yes"', 'b="as it is"', "c=1; domain=a.test\tX-Injected: yes"):
        answer.headers.add("Set-Cookie", value)
    around.pages["/set"] = answer
    made = fetcher()
    await made.fetch(FetchRequest(f"{around.open}/set", cookies=cookies))

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(look) as port:
        await made.fetch(FetchRequest(f"http://{ALLOWED}:{port}/", cookies=cookies))
    (request,) = seen
    assert b'Cookie: b="as it is"\r\n' in request
    assert b"X-Injected" not in request


async def test_a_private_answer_is_kept_for_nobody_else(around: Webs, fetcher: Callable[..., HttpFetcher]) -> None:
    made = fetcher()
    for control in ({"Cache-Control": "private, max-age=60"}, {"Cache-Control": "max-age=60", "Vary": "*"}):
        around.asked.clear()
        for _ in range(2):
            around.pages["/own"] = web.Response(text="mine", headers=control)
            await made.fetch(FetchRequest(f"{around.open}/own"))
        assert around.asked == ["/own", "/own"]


async def test_what_a_session_was_redirected_to_with_its_cookie_is_kept_for_nobody_else(
    around: Webs, fetcher: Callable[..., HttpFetcher]
) -> None:
    names = Names(own_test=[[ALLOWED]], app_test=[[ALLOWED]])
    made, cookies = fetcher(names), CookieStore()
    cookies.store(f"http://own.test:{around.port}/", ["session=1"])
    url = f"http://app.test:{around.port}/away?status=307&to=" + quote(f"http://own.test:{around.port}/mine")
    for session in (cookies, CookieStore()):
        around.pages["/mine"] = web.Response(text="mine", headers={"Cache-Control": "max-age=60"})
        await made.fetch(FetchRequest(url, cookies=session))
    assert around.asked == ["/away", "/mine"] * 2
