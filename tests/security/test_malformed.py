"""What no browser and no client sends is refused as any wrong request is: no fault of ours, no traceback in the log."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from tests.security.house import CHANGING, House, basic, whole

FORM = b"Content-Type: application/x-www-form-urlencoded"
PARTS = b"Content-Type: multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
HEADERS = [
    b"Origin: http://[", b"Referer: http://[", b"X-CSRF: \xff\xfe", b"Cookie: voxgate=\xff\xfe",
    b"Authorization: Bearer \xff", b"Authorization: Basic \xff", b"Idempotency-Key: \xff", b"Accept: \xff",
]  # fmt: skip
BODIES = [
    (FORM, b"login=\xff&pin=\xff"), (FORM, b"login=a&pin=b&next=//["), (FORM, b"login=%ED%A0%80&pin=%00"),
    (FORM + b"; charset=bogus", b"login=a"), (FORM + b"; charset=utf-16", b"login=a"),
    (FORM + b"; charset=raw_unicode_escape", b"login=\\ud800&pin=\\ud800&csrf=\\ud800"),
    (b"Content-Type: multipart/form-data", b"x"), (PARTS, b"--x\r\n\r\n"),
    (PARTS, PART % (b"login", b"", b"\xff") + b"--x--\r\n"),
    (PARTS, PART % (b"login", b"\r\nContent-Type: text/plain; charset=bogus", b"a") + b"--x--\r\n"),
    (PARTS, PART % (b"_charset_", b"", b"bogus") + PART % (b"login", b"", b"a") + b"--x--\r\n"),
]  # fmt: skip


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with whole(tmp_path_factory.mktemp("house")) as made:
        yield made


async def ask(house: House, method: str, path: str, headers: list[bytes], body: bytes = b"") -> int:
    """The status, of bytes that no client library would send; 0 where there was no answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        begin = [f"{method} {path} HTTP/1.0".encode(), b"Host: 127.0.0.1:%d" % house.port, *headers]
        writer.write(b"\r\n".join([*begin, b"Content-Length: %d" % len(body), b"", body]))
        found = re.match(rb"HTTP/1\.\d (\d+) ", await reader.readline())
        return int(found[1]) if found else 0
    finally:
        writer.close()


async def cookies(house: House, login: str) -> list[bytes]:
    token = await house.sign_in(login)
    found = next(one.value for one in house.client.cookie_jar if one.key == "voxgate")
    return [f"Cookie: voxgate={found}".encode(), f"X-CSRF: {token}".encode()]


def changing(house: House) -> list[tuple[str, str]]:
    """But for what ends the session, or sets another PIN."""
    paths = [(method, house.things.path(path)) for method, path in house.routes if method in CHANGING]
    return [(method, path) for method, path in paths if not path.startswith("/signout") and path != "/settings/pin"]


@pytest.mark.parametrize("header", HEADERS)
async def test_a_malformed_header_is_no_fault(house: House, header: bytes) -> None:
    login = f"Authorization: {basic('mallory')['Authorization']}".encode()
    for signed in ([], [*await cookies(house, "mallory"), login]):
        own = [one for one in signed if one.partition(b":")[0] != header.partition(b":")[0]]
        for method, path in [("GET", "/"), ("GET", "/api/v1/calls"), *changing(house)]:
            status = await ask(house, method, path, [*own, header])
            assert 200 <= status < 500, (method, path)


@pytest.mark.parametrize(("kind", "body"), BODIES)
async def test_a_malformed_form_is_no_fault(house: House, kind: bytes, body: bytes) -> None:
    own = await cookies(house, "mallory")
    for method, path in changing(house):
        for signed in ([], own):
            status = await ask(house, method, path, [*signed, kind], body)
            assert 200 <= status < 500, (method, path)
