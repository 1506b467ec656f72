"""A list that takes its time: what counts is who its sender is when it has been read, not when it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.core.access import Scope
from gateway.core.lists import CallQuery
from tests.api.conftest import BOSS, House

FORM = (
    b'--x\r\nContent-Disposition: form-data; name="campaign_name"\r\n\r\nsummer\r\n'
    b'--x\r\nContent-Disposition: form-data; name="start_url"\r\n\r\nhttp://app/start\r\n'
    b'--x\r\nContent-Disposition: form-data; name="phone_list"; filename="l"\r\n\r\n6175551234\r\n--x--\r\n'
)
LINE = b'{"phone_number": "6175551234", "start_url": "http://app/start"}\n'
UPLOADS = [
    ("/campaigns/1/calls", "text/plain", b"6175551234\n"),
    ("/campaigns", "multipart/form-data; boundary=x", FORM),
    ("/calls", "application/x-ndjson", LINE),
    ("/calls", "application/json", LINE),
]


@pytest.fixture
async def campaign(house: House) -> None:
    await house.ask("POST", "/campaigns", {"campaign_name": "spring", "start_url": "http://app/start"})


async def sent(house: House, upload: tuple[str, str, bytes], between: tuple[str, str, object]) -> tuple[int, str]:
    """The answer to an upload in whose midst an operator does something."""
    path, kind, body = upload
    bearer = await house.token(Scope.CALLS, Scope.ACCOUNT)

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:-1]
        async with asyncio.timeout(20):
            while (await house.access.tokens())[0][1].used_at is None:  # until it was let in
                await asyncio.sleep(0.01)
        assert (await house.ask(*between, auth=BOSS))[0] == 200
        yield body[-1:]

    headers = {**bearer, "Content-Type": kind}
    async with house.client.post(f"/api/v1{path}", headers=headers, data=pieces()) as answer:
        return answer.status, await answer.text()


async def queued(house: House) -> int:
    return len((await house.store.calls(CallQuery(), None, 100)).calls)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("upload", UPLOADS, ids=lambda one: f"{one[0]} {one[1][:16]}")
async def test_a_token_that_is_revoked_meanwhile_queues_nothing(house: House, upload: tuple[str, str, bytes]) -> None:
    status, _ = await sent(house, upload, ("DELETE", "/tokens/1", None))
    assert (status, await queued(house)) == (401, 0)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("upload", UPLOADS, ids=lambda one: f"{one[0]} {one[1][:16]}")
async def test_a_prefix_that_is_blocked_meanwhile_is_not_dialed(house: House, upload: tuple[str, str, bytes]) -> None:
    _, told = await sent(house, upload, ("PATCH", "/accounts/user1", {"blocked_prefixes": ["+1617"]}))
    assert await queued(house) == 0, told


async def test_a_token_that_is_revoked_meanwhile_issues_no_other(house: House) -> None:
    issuing = ("/tokens", "application/json", b'{"name": "onward", "scopes": ["calls"]}')
    status, _ = await sent(house, issuing, ("DELETE", "/tokens/1", None))
    assert (status, len(await house.tokens.list())) == (401, 1)
