"""The web's own attacks, on every route that there is: a new one that is not held to this fails here."""

from __future__ import annotations

import gzip
import io
import re
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData

from gateway.adapters.store import SqliteAccess
from gateway.core.access import Scope
from gateway.services.intake import form as intake_form
from gateway.services.pages.site import HEADERS
from gateway.services.tokens import Tokens
from tests.security.house import CHANGING, HTML, PINS, House, basic, whole

#: Credentials are in each of these requests: a browser adds none by itself.
PLUM = re.compile(r"(/outbound)?/webservice/queuecalls?\.php")
#: Not for browsers, or of nobody's: health and what the API is.
PLAIN = ("/healthz", "/readyz", "/api/", "/docs", "/static/")
SENT = {"phone_number": "6175551234", "start_url": "http://app.example/s", "campaign_name": "c", "url": "http://a/r"}


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Nothing is changed in it: that is what is tested."""
    async with whole(tmp_path_factory.mktemp("house")) as made:
        yield made


def pages(house: House, *methods: str) -> list[str]:
    """Paths of the pages' routes."""
    return [
        house.things.path(pattern)
        for method, pattern in house.routes
        if method in methods and not PLUM.fullmatch(pattern) and not pattern.startswith(PLAIN)
    ]


# --- forgery ---


async def test_no_other_site_makes_a_signed_in_browser_change_anything(house: House) -> None:
    token = await house.sign_in("boss")
    before = await house.gateway.store.campaigns(None)
    forged = [
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": f"https://127.0.0.1:{house.port}.evil.example"},
        {"Origin": "http://127.0.0.1:1"},
    ]
    paths = pages(house, *CHANGING)
    assert len(paths) > 25
    for path in paths:
        for headers in forged:  # by a script with the token, were it known, and by a form
            sent = {"data": {**SENT, "csrf": token}, "headers": {**headers, "X-CSRF": token}}
            async with house.client.post(path, allow_redirects=False, **sent) as answer:
                assert answer.status == 403, (path, headers)
    assert await house.gateway.store.campaigns(None) == before


async def test_no_form_without_its_token_changes_anything(house: House) -> None:
    await house.sign_in("boss")
    opened = ("/signin", "/first/x")  # nobody is signed in yet
    for path in pages(house, *CHANGING):
        multipart = FormData(default_to_multipart=True)
        for name, value in SENT.items():
            multipart.add_field(name, value)
        for data in (SENT, {**SENT, "csrf": "x" * 43}, multipart):
            async with house.client.post(path, data=data, allow_redirects=False) as answer:
                assert answer.status in ((403, 422) if path in opened else (403, 400)), path


async def test_the_api_takes_no_browser_s_session(house: House) -> None:
    token = await house.sign_in("boss")
    for method, pattern in house.routes:
        if pattern.startswith("/api/v1/") and not pattern.endswith("openapi.json"):
            path = "/api/v1" + house.things.path(pattern.removeprefix("/api/v1"))
            async with house.client.request(method, path, headers={"X-CSRF": token}, json={}) as answer:
                assert answer.status == 401, path


async def test_no_other_site_uses_the_login_that_a_browser_keeps_for_the_api(house: House) -> None:
    """Forms are sent to other sites without asking them, with HTTP Basic's login where the browser knows it."""
    changing = [(method, pattern) for method, pattern in house.routes if "/api/" in pattern and method in CHANGING]
    assert len(changing) > 10
    for method, pattern in changing:
        path = "/api/v1" + house.things.path(pattern.removeprefix("/api/v1"))
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            kind = {"Content-Type": "text/plain"}
            sent = {**basic("boss"), **headers, **kind}
            async with house.client.request(method, path, headers=sent, data="6175550100") as answer:
                assert answer.status == 403, (method, path)


async def test_nothing_is_changed_by_following_a_link(house: House) -> None:
    await house.sign_in("boss")
    for path in pages(house, *CHANGING):
        async with house.client.get(path, allow_redirects=False) as answer:
            assert answer.status in (405, 404, 200, 303) and (answer.status != 200 or path in pages(house, "GET"))


# --- other people's things ---


async def test_another_account_s_pages_are_not_there(house: House) -> None:
    named = [
        (method, house.things.path(pattern))
        for method, pattern in house.routes
        if "{id}" in pattern and not pattern.startswith("/api/")
    ]
    assert len(named) > 10
    token = await house.sign_in("mallory")
    for method, path in named:
        data = {"csrf": token, "callee_type": "human"} if method in CHANGING else None
        async with house.client.request(method, path, data=data, headers=HTML, allow_redirects=False) as answer:
            assert answer.status == 404, path
            assert "hers" not in await answer.text()
    await house.sign_in("alice")
    for method, path in named:
        if method == "GET" and "audio" not in path:
            async with house.client.get(path) as answer:
                assert answer.status == 200, path  # so it was hers that was not told of


async def test_another_account_s_things_are_not_in_the_api(house: House) -> None:
    access, alice = Tokens(SqliteAccess(house.gateway.store), house.gateway.clock), house.accounts["alice"]
    _, hers = await access.issue(alice.id, "hers", frozenset({Scope.READ}), None)
    house.things.names["token_id"] = str(hers.id)
    named = [(method, pattern) for method, pattern in house.routes if re.match(r"/api/v1/.*\{", pattern)]
    assert len(named) > 15
    secret, _ = await access.issue(house.accounts["mallory"].id, "all", frozenset(Scope), None)
    for auth in (basic("mallory"), {"Authorization": f"Bearer {secret}"}):
        for method, pattern in named:
            path = "/api/v1" + house.things.path(pattern.removeprefix("/api/v1"))
            body = {"json": BODIES.get(pattern, {})} if method in CHANGING else {}
            async with house.client.request(method, path, headers=auth, **body) as answer:
                assert answer.status in (403, 404, 415), (method, path, answer.status)
                if answer.status == 403:
                    assert "{login}" in pattern  # an account's name is no secret; all else is as if it were not
    for method, pattern in named:
        if method == "GET" and "{login}" not in pattern:
            path = "/api/v1" + house.things.path(pattern.removeprefix("/api/v1"))
            async with house.client.get(path, headers=basic("alice")) as answer:
                assert answer.status == 200, path


BODIES = {
    "/api/v1/accounts/{login}/pin": {"pin": "55555555"}, "/api/v1/calls/{call_id}/relabel": {"callee_type": "voice"},
}  # fmt: skip


# --- what every answer carries ---


INLINE = re.compile(rb"<script(?![^>]*\bsrc=)|<style|\son[a-z]+\s*=|\sstyle\s*=|javascript:", re.IGNORECASE)


async def test_every_page_is_strict_and_holds_no_inline_code(house: House) -> None:
    paths = [path for path in pages(house, "GET") if path not in ("/live", "/phone/ws")]
    seen = 0
    for login in (None, "mallory", "alice", "boss"):
        if login is not None:
            await house.sign_in(login)
        for path in paths:
            async with house.client.get(path, headers=HTML, allow_redirects=False) as answer:
                body = await answer.read()
                for name, value in HEADERS.items():
                    assert answer.headers.get(name) == value, (path, answer.status, name)
                assert not INLINE.search(body), (path, INLINE.search(body))
                seen += answer.status == 200
    assert seen > 20


async def test_every_other_answer_says_what_it_is_and_may_do_nothing(house: House) -> None:
    for method, pattern in [*house.routes, ("GET", "/nowhere"), ("GET", "/api/v1/nowhere"), ("GET", "/docs/no.css")]:
        if method == "GET" and not pattern.endswith(("/events", "/export.{kind}", "/live", "/ws")):
            path = house.things.path(pattern)
            async with house.client.get(path, headers=basic("alice"), allow_redirects=False) as answer:
                assert answer.headers.get("X-Content-Type-Options") == "nosniff", path
                assert "frame-ancestors 'none'" in answer.headers.get("Content-Security-Policy", ""), path
    form = {
        "login": "<script>",
        "pin": "1",
        "phone_number": "<script>alert(1)</script>",
        "start_url": "http://a/<script>",
    }
    async with house.client.post("/webservice/queuecall.php", data=form) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type == "text/xml"
        assert b"<script>" not in await answer.read()


@pytest.mark.parametrize(
    ("more", "name", "secure"), [("", "voxgate", False), ("[pages]\nhttps = true\n", "__Host-voxgate", True)]
)
async def test_the_session_s_cookie_is_for_this_site_alone(tmp_path: Path, more: str, name: str, secure: bool) -> None:
    async with whole(tmp_path, more) as house:
        form = {"login": "alice", "pin": PINS["alice"]}
        async with house.client.post("/signin", data=form, allow_redirects=False) as answer:
            (cookie,) = answer.headers.getall("Set-Cookie")
        assert cookie.startswith(f"{name}=")
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= parts
        assert ("secure" in parts) is secure
        assert not any(part.startswith("domain") for part in parts)


# --- where we lead ---


@pytest.mark.parametrize(
    "onward",
    ["http://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "/\tevil", "//",
     "javascript:alert(1)", "/\r\nSet-Cookie: a=b", "evil.example", "\x00//evil.example", "/%09/evil.example/..", " //evil"],
)  # fmt: skip
async def test_a_sign_in_leads_to_no_other_site(house: House, onward: str) -> None:
    form = {"login": "alice", "pin": PINS["alice"], "next": onward}
    async with house.client.post("/signin", data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        where = answer.headers["Location"]
        assert re.match(r"/(?![/\\])", where) and where.isprintable()
        assert "a=b" not in str(answer.headers.getall("Set-Cookie"))


# --- names of hosts, and proxies ---


async def test_no_header_makes_a_peer_another(tmp_path: Path) -> None:
    """X-Forwarded-For and its kin are believed of nobody: guesses stay those of the address that connected."""
    async with whole(tmp_path) as house:
        form = {"login": "alice", "pin": "00000000"}
        for guess in range(6):
            spoofed = {
                "X-Forwarded-For": f"10.0.0.{guess}",
                "X-Real-IP": f"10.0.1.{guess}",
                "Forwarded": f"for=10.0.2.{guess}",
            }
            async with house.client.post("/signin", data=form, headers={**spoofed, **HTML}) as answer:
                status = answer.status
    assert status == 429


async def test_a_proxy_of_ours_tells_who_asks_and_nobody_behind_it_does(tmp_path: Path) -> None:
    form = {"login": "alice", "pin": "00000000"}
    async with whole(tmp_path, proxies=("127.0.0.1/32", "10.9.0.0/16")) as house:

        async def guess(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", **HTML}
            async with house.client.post("/signin", data=form, headers=headers, allow_redirects=False) as answer:
                return answer.status

        for number in range(25):  # one stranger, who puts names before his own, behind two proxies
            status = await guess(f"10.0.0.{number}, 203.0.113.7, 10.9.0.1")
        assert status == 429
        right = {"login": "mallory", "pin": PINS["mallory"]}
        headers = {"X-Forwarded-For": "203.0.113.8", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
        async with house.client.post("/signin", data=right, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Set-Cookie"].startswith("__Host-voxgate=")
        for odd in ("", "unknown", "203.0.113.9:80, ", "x, 203.0.113.10", ",,,", "127.0.0.1"):
            assert await guess(odd) in (403, 429)


async def test_a_foreign_host_name_leads_nowhere(house: House) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", **HTML}
    for path in ("/", "/signin", "/calls/1", "/api/v1/openapi.json", "/docs"):
        async with house.client.get(path, headers=headers, allow_redirects=False) as answer:
            assert "evil.example" not in answer.headers.get("Location", "")
            assert not re.search(r"""(href|src|action)=["'][^"']*evil""", await answer.text())


# --- bodies ---


BOMB = gzip.compress(bytes(512 * 1024 * 1024), 1)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/webservice/queuecall.php", "application/x-www-form-urlencoded"),
        ("/webservice/queuecalls.php", "multipart/form-data; boundary=b"),
        ("/signin", "application/x-www-form-urlencoded"),
        ("/queue/list", "multipart/form-data; boundary=b"),
        ("/api/v1/calls", "application/json"),
        ("/api/v1/calls", "application/x-ndjson"),
        ("/api/v1/campaigns", "application/json"),
    ],
)
async def test_a_body_that_unpacks_without_end_is_refused(house: House, path: str, kind: str) -> None:
    token = await house.sign_in("alice")
    headers = {"Content-Type": kind, "Content-Encoding": "gzip", "X-CSRF": token, **basic("alice")}
    tracemalloc.start()
    async with house.client.post(path, data=io.BytesIO(BOMB), headers=headers, allow_redirects=False) as answer:
        told = await answer.text()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status in (400, 413, 415, 422) or 'status="failed"' in told, (answer.status, told[:200])
    assert peak < 64 * 1024 * 1024
    spool = Path(house.gateway.config.database.path).parent / "spool"
    assert not list(spool.glob("*"))


async def test_lists_leave_the_database_room_on_the_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_form, "RESERVED", 10**18)
    form = FormData({"login": "alice", "pin": PINS["alice"], "campaign_name": "c", "start_url": "http://a/s"})
    form.add_field("phone_list", b"6175550100\n" * 1000, filename="l")
    async with house.client.post("/webservice/queuecalls.php", data=form) as answer:
        assert "disk is nearly full" in await answer.text()
    headers = {"Content-Type": "application/x-ndjson", **basic("alice")}
    async with house.client.post("/api/v1/calls", data=b"{}\n", headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    token = await house.sign_in("alice")
    form = FormData({"csrf": token, "campaign_name": "c", "start_url": "http://a/s"})
    form.add_field("phone_list", b"6175550100\n" * 1000, filename="l")
    async with house.client.post("/queue/list", data=form, headers={"X-CSRF": token}) as answer:
        assert (answer.status, "disk is nearly full" in await answer.text()) == (422, True)
    spool = Path(house.gateway.config.database.path).parent / "spool"
    assert not list(spool.glob("*"))
