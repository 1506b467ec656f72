"""Idempotency keys: whatever is sent again is answered again, and queued once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.store import SqliteStore
from gateway.core.access import KEPT_MS
from gateway.core.model import CallState
from tests.api.conftest import CALL, OTHER, USER, House, add_accounts, build
from tests.services.test_feed import Clock


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


async def queued(store: SqliteStore) -> int:
    return sum(one.counts[CallState.PENDING] for one in await store.campaigns(None))


async def test_the_same_request_is_answered_again_and_queued_once(house: House) -> None:
    first = await house.ask("POST", "/calls", CALL, headers=key("order 17"))
    async with house.client.post("/api/v1/calls", json=CALL, headers={**USER, **key("order 17")}) as answer:
        assert (answer.status, await answer.json()) == first
        assert answer.headers["Idempotency-Replayed"] == "true"
    status, problem = await house.ask("POST", "/calls", {**CALL, "max_retries": 1}, headers=key("order 17"))
    assert (status, problem["code"], problem["field"]) == (422, "key_reused", "Idempotency-Key")
    assert await house.ask("POST", "/calls", CALL, auth=OTHER, headers=key("order 17")) != first  # another's key
    assert await queued(house.store) == 2
    assert (await house.ask("POST", "/calls", CALL, headers=key("x" * 201)))[0] == 422


async def test_a_key_that_comes_a_hundred_times_at_once_queues_once(house: House) -> None:
    answers = await asyncio.gather(*(house.ask("POST", "/calls", CALL, headers=key("k")) for _ in range(100)))
    assert len({json.dumps(one) for one in answers}) == 1
    assert await queued(house.store) == 1


async def test_a_refusal_uses_no_key_up(house: House) -> None:
    assert (await house.ask("POST", "/calls", {**CALL, "phone_number": "911"}, headers=key("k")))[0] == 422
    assert (await house.ask("POST", "/calls", CALL, headers=key("k")))[0] == 201


async def test_keys_are_kept_seven_days(house: House) -> None:
    await house.ask("POST", "/calls", CALL, headers=key("k"))
    house.clock.at += KEPT_MS - 1
    await house.ask("POST", "/calls", CALL, headers=key("k"))
    assert await queued(house.store) == 1
    house.clock.at += 1
    await house.ask("POST", "/calls", CALL, headers=key("k"))
    assert await queued(house.store) == 2


async def test_keys_survive_a_restart(tmp_path: Path) -> None:
    answers = []
    for start in range(2):
        api, store, _ = build(tmp_path, Clock())
        if start == 0:
            await add_accounts(store, Clock().now())
        app = web.Application()
        api.mount(app)
        async with TestClient(TestServer(app)) as client:
            answer = await client.post("/api/v1/calls", json=CALL, headers={**USER, **key("k")})
            answers.append(await answer.json())
        assert await queued(store) == 1
        await store.close()
    assert answers[0] == answers[1]


async def test_a_stream_that_broke_off_is_sent_again_whole(house: House) -> None:
    lines = [json.dumps({**CALL, "phone_number": f"+1617555{n:04d}"}) for n in range(50)]

    async def send(count: int) -> list[dict[str, object]]:
        async with house.client.post(
            "/api/v1/calls", data="\n".join(lines[:count]).encode(),
            headers={**USER, **key("batch"), "Content-Type": "application/x-ndjson"},
        ) as answer:  # fmt: skip
            return [json.loads(line) async for line in answer.content]

    first = await send(20)
    again = await send(50)
    assert again[:20] == first
    assert await queued(house.store) == 50
    lines[3] = json.dumps({**CALL, "phone_number": "+16175559999"})
    assert (await send(5))[3]["field"] == "Idempotency-Key"
    assert await queued(house.store) == 50


async def test_a_campaign_is_created_loaded_and_added_to_once(house: House) -> None:
    made = {"campaign_name": "spring", "start_url": "http://app/start"}
    first = await house.ask("POST", "/campaigns", made, headers=key("create"))
    assert first == await house.ask("POST", "/campaigns", made, headers=key("create"))
    more = {**key("add"), "Content-Type": "text/csv"}
    for _ in range(2):
        status, loaded = await house.ask("POST", "/campaigns/1/calls", data=b"6175551234\n6175551235\n", headers=more)
        assert (status, loaded["queued"]) == (201, 2)
    form = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()
        for name, value, more in (
            ("phone_list", "6175551234\n", '; filename="l"'), ("campaign_name", "autumn", ""),
            ("start_url", "http://app/start", ""),
        )
    )  # fmt: skip
    kind = {"Content-Type": "multipart/form-data; boundary=x", **key("load")}
    answers = [await house.ask("POST", "/campaigns", data=form + b"--x--\r\n", headers=kind) for _ in range(2)]
    assert answers[0][0] == 201 and answers[0] == answers[1]
    assert await queued(house.store) == 3
    status, problem = await house.ask("POST", "/campaigns", data=form + b"--x--\r\n", headers={**kind, **key("other")})
    assert (status, problem["field"]) == (422, "campaign_name")
