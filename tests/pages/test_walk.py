"""The walk in text over HTTP: whose it is, what is typed to it, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re

from aiohttp import ClientResponse

from gateway.services.pages.runner import MOST_EACH
from tests.pages.conftest import House

START = "http://app.example/start.php"


async def begin(house: House) -> str:
    answer = await house.client.post("/phone/walk", data={"csrf": await house.csrf(), "start_url": START})
    walk: str = (await answer.json())["walk"]
    return walk


async def said(stream: ClientResponse, words: str) -> str:
    """Read the stream until it has said the words."""
    text = ""
    async for line in stream.content:
        if (found := re.match(rb"data: (\".*\")\n", line)) is not None:
            text += json.loads(found[1])
        if words in text or b"event: ended" in line:
            break
    return text


async def test_it_says_what_it_reads_and_ends_when_another_begins(house: House) -> None:
    await house.sign_in()
    walk = await begin(house)
    async with house.client.get(f"/phone/walk/{walk}") as stream:
        assert await said(stream, "at") == f"at {START}\n"
        assert (await house.post(f"/phone/walk/{walk}", line="12#\nsecond"))[0] == 200
        assert await said(stream, "second") == "12# second\n"  # one line stays one
        other = await begin(house)
        assert await said(stream, "never") == ""
    assert (await house.post(f"/phone/walk/{walk}", line="1"))[0] == 409
    assert (await house.post(f"/phone/walk/{other}", line="1"))[0] == 200


async def test_a_walk_is_its_session_s_own(house: House) -> None:
    await house.sign_in()
    walk = await begin(house)
    await house.post("/signout")
    await house.sign_in("user2", "88888888")
    assert (await house.client.get(f"/phone/walk/{walk}", headers={"Accept": "text/html"})).status == 404
    assert (await house.post(f"/phone/walk/{walk}", line="1"))[0] == 404


async def test_only_urls_are_walked_through(house: House) -> None:
    await house.sign_in()
    for url in ("file:///etc/passwd", "--trace", "/etc/passwd", ""):
        assert (await house.post("/phone/walk", start_url=url))[0] == 422


async def test_a_walk_is_told_no_longer_than_its_session_lasts(house: House) -> None:
    await house.sign_in()
    walk = await begin(house)
    async with house.client.get(f"/phone/walk/{walk}") as stream:
        assert await said(stream, "at") == f"at {START}\n"
        await house.post("/signout")
        async with asyncio.timeout(20):
            assert await stream.content.read() == b"\n"


async def test_one_account_s_walks_keep_nobody_else_from_one(house: House) -> None:
    for _ in range(MOST_EACH):
        house.client.session.cookie_jar.clear()
        await house.sign_in()
        await begin(house)
    await begin(house)  # in place of its session's own
    house.client.session.cookie_jar.clear()
    await house.sign_in()
    assert (await house.post("/phone/walk", start_url=START))[0] == 429
    house.client.session.cookie_jar.clear()
    await house.sign_in("user2", "88888888")
    assert (await house.post("/phone/walk", start_url=START))[0] == 200
