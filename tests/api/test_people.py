"""Accounts, PINs, tokens, the audit log, and who is let in."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.store import SqliteBooks
from gateway.core.access import Scope
from gateway.core.lockout import FREE
from gateway.core.model import Millis
from gateway.core.visiting import new_session
from gateway.ports import Lane
from gateway.services.api import events
from gateway.services.tokens import USED_EVERY_MS
from tests.api.conftest import BOSS, CALL, OTHER, USER, House, add_accounts, basic, build
from tests.services.test_feed import Clock


async def test_who_is_not_known_is_not_let_in(house: House) -> None:
    for header in (
        "", "Basic", "Basic !", "Basic " + base64.b64encode(b"user1").decode(), "Bearer", "Bearer vgt_nonsense",
        "Digest x", *basic("user1", "wrong").values(), *basic("nobody", "12345678").values(),
        *basic("user1", "x" * 17).values(), "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    ):  # fmt: skip
        status, problem = await house.ask("GET", "/calls", auth={"Authorization": header} if header else {})
        assert (status, problem["code"]) == (401, "unauthenticated"), header
        assert "12345678" not in str(problem)


async def test_guessing_is_slowed_and_locks_nobody_else_out(house: House) -> None:
    statuses = [(await house.ask("GET", "/calls", auth=basic("user1", f"{n:04d}")))[0] for n in range(8)]
    assert statuses[:5] == [401] * 5 and statuses[-1] == 429
    async with house.client.get("/api/v1/calls", headers=basic("user1", "0000")) as answer:
        assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0
    assert (await house.ask("GET", "/calls", auth=OTHER))[0] == 200
    house.clock.at += 3600 * 1000
    assert (await house.ask("GET", "/calls"))[0] == 200
    for n in range(8):
        await house.ask("GET", "/calls", auth=basic("user1", f"{n:04d}"))
    assert (await house.ask("GET", "/calls"))[0] == 200  # who is known to be right is not held up by who guesses


async def test_accounts_are_added_changed_and_seen(house: House) -> None:
    new = {"login": "user3", "pin": "333333", "settings": {"time_zone": "Europe/Berlin", "country": "DE"}}
    assert (await house.ask("POST", "/accounts", new))[0] == 403
    status, made = await house.ask("POST", "/accounts", new, auth=BOSS)
    assert (status, made["login"], made["settings"]["country"]) == (201, "user3", "DE")
    assert "333333" not in str(made)
    assert (await house.ask("POST", "/accounts", new, auth=BOSS))[0] == 409
    user3 = basic("user3", "333333")
    assert [one["login"] for one in (await house.ask("GET", "/accounts", auth=user3))[1]] == ["user3"]
    assert len((await house.ask("GET", "/accounts", auth=BOSS))[1]) == 4
    assert (await house.ask("GET", "/accounts/user1", auth=user3))[0] == 404
    change = {"time_zone": "UTC", "allowed_caller_ids": ["8009957586"], "ring_timeout": 20}
    assert (await house.ask("PATCH", "/accounts/user3", change, auth=user3))[0] == 403  # limits are the operator's
    status, changed = await house.ask("PATCH", "/accounts/user3", change, auth=BOSS)
    assert (status, changed["settings"]["ring_timeout"], changed["settings"]["country"]) == (200, 20, "DE")
    status, changed = await house.ask("PATCH", "/accounts/user3", {"ring_timeout": None}, auth=BOSS)
    assert changed["settings"]["ring_timeout"] is None and changed["settings"]["time_zone"] == "UTC"
    call = {**CALL, "phone_number": "+4930123456;ani=8009957586"}
    assert (await house.ask("POST", "/calls", call, auth=user3))[0] == 201  # in force at once
    for bad, field in (
        ({"time_zone": "Mars"}, "time_zone"), ({"country": "XX"}, "country"), ({"ring_timeout": 1}, "ring_timeout"),
        ({"ring_timeout": "x"}, "ring_timeout"), ({"nonsense": 1}, "nonsense"), ({"time_zone": None}, "time_zone"),
    ):  # fmt: skip
        status, problem = await house.ask("PATCH", "/accounts/user3", bad, auth=BOSS)
        assert (status, problem["field"]) == (422, field), problem
    for bad in ({"login": "a:b"}, {"login": ""}, {"pin": "1"}, {"settings": {"time_zone": "UTC"}}):
        assert (await house.ask("POST", "/accounts", {**new, "login": "user4", **bad}, auth=BOSS))[0] == 422, bad


async def test_a_pin_is_changed_and_the_old_one_ends_when_it_was_said_to(house: House) -> None:
    change = {"pin": "87654321", "keep_old_hours": 24}
    status, changed = await house.ask("POST", "/accounts/user1/pin", change)
    assert status == 200 and changed["old_pin_until"] == "2027-01-16T08:00:00Z"
    new = basic("user1", "87654321")
    assert [(await house.ask("GET", "/calls", auth=auth))[0] for auth in (USER, new)] == [200, 200]
    house.clock.at += 24 * 3600 * 1000
    # What was verified is remembered for no longer than the old PIN is valid; here the clock jumps, so it is forgotten.
    await house.ask("PATCH", "/accounts/user1", {"country": "US"}, auth=BOSS)
    assert [(await house.ask("GET", "/calls", auth=auth))[0] for auth in (USER, new)] == [401, 200]
    assert (await house.ask("POST", "/accounts/user2/pin", change, auth=new))[0] == 404
    assert (await house.ask("POST", "/accounts/user2/pin", {"pin": "11111111"}, auth=BOSS))[0] == 200
    assert (await house.ask("GET", "/calls", auth=OTHER))[0] == 401
    assert (await house.ask("POST", "/accounts/user1/pin", {"pin": "1234", "keep_old_hours": 25}, auth=new))[0] == 422


async def test_tokens_are_issued_used_and_revoked(house: House) -> None:
    status, issued = await house.ask("POST", "/tokens", {"name": "shop", "scopes": ["calls", "read"]})
    assert status == 201 and issued["account"] == "user1"
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    assert (await house.ask("POST", "/calls", CALL, auth=bearer))[0] == 201
    status, listed = await house.ask("GET", "/tokens")
    assert issued["token"] not in str(listed)
    assert (listed[0]["scopes"], listed[0]["used_at"]) == (["calls", "read"], None) or listed[0]["used_at"]
    assert (await house.ask("GET", "/tokens", auth=OTHER))[1] == []
    assert (await house.ask("DELETE", f"/tokens/{issued['id']}", auth=OTHER))[0] == 404
    assert (await house.ask("POST", "/tokens", {"name": "x", "scopes": ["read"]}, auth=bearer))[0] == 403
    assert (await house.ask("POST", "/tokens", {"name": "x", "scopes": ["operator"]}))[0] == 403
    assert (await house.ask("POST", "/tokens", {"name": "x", "scopes": []}))[0] == 422
    past = {"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert (await house.ask("POST", "/tokens", past))[1]["field"] == "expires_at"
    house.clock.at += USED_EVERY_MS + 1
    await house.ask("GET", "/calls", auth=bearer)
    assert dict(await house.access.tokens()).popitem()[1].used_at == house.clock.at
    status, revoked = await house.ask("DELETE", f"/tokens/{issued['id']}")
    assert (status, revoked["revoked_at"] is not None) == (200, True)
    assert (await house.ask("GET", "/calls", auth=bearer))[0] == 401


async def test_tokens_expire_and_are_stored_as_hashes(house: House, tmp_path: Path) -> None:
    body = {"name": "short", "scopes": ["read"], "expires_at": "2027-01-15T09:00:00Z"}
    _, issued = await house.ask("POST", "/tokens", body)
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    assert (await house.ask("GET", "/calls", auth=bearer))[0] == 200
    house.clock.at += 3600 * 1000
    assert (await house.ask("GET", "/calls", auth=bearer))[0] == 401
    for file in tmp_path.glob("q.db*"):
        assert issued["token"].encode() not in file.read_bytes()


async def test_a_token_issues_none_that_outlives_it(house: House) -> None:
    short = {"name": "short", "scopes": ["account", "read"], "expires_at": "2027-01-15T09:00:00Z"}
    _, issued = await house.ask("POST", "/tokens", short)
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    for until in (None, "2027-01-15T09:00:01Z"):
        status, problem = await house.ask("POST", "/tokens", {**short, "expires_at": until}, auth=bearer)
        assert (status, problem["field"]) == (422, "expires_at")
    assert (await house.ask("POST", "/tokens", short, auth=bearer))[0] == 201


async def test_an_operator_acts_for_all_and_gives_no_account_more_than_it_has(house: House) -> None:
    operator = await house.token(Scope.OPERATOR, login=None)
    status, problem = await house.ask("POST", "/calls", CALL, auth=operator)
    assert (status, problem["field"]) == (422, "account")
    assert (await house.ask("POST", "/calls", {**CALL, "account": "user1"}, auth=operator))[0] == 201
    body = {"name": "x", "scopes": ["operator"], "account": "user1"}
    assert (await house.ask("POST", "/tokens", body, auth=operator))[0] == 422
    mere = await house.token(Scope.OPERATOR, Scope.READ, login="user1")  # as if the account had been an operator once
    assert (await house.ask("GET", "/status", auth=mere))[0] == 403
    assert (await house.ask("GET", "/status", auth=operator))[0] == 200
    assert (await house.ask("GET", "/why", auth=operator))[0] == 200


async def test_a_token_of_no_account_ends_with_its_issuers_right(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.05)
    operator = {"name": "all", "scopes": ["operator"]}
    _, issued = await house.ask("POST", "/tokens", operator, auth=BOSS)
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    _, onward = await house.ask("POST", "/tokens", operator, auth=bearer)  # what it gives on goes back to the same
    assert (issued["account"], issued["issuer"], onward["issuer"]) == (None, "boss", "boss")
    async with house.socket.post("/api/v1/tokens", json=operator) as answer:
        of_the_socket = await answer.json()
    tokens = [{"Authorization": f"Bearer {one['token']}"} for one in (issued, onward, of_the_socket)]

    async def statuses() -> list[int]:
        return [(await house.ask("GET", "/audit", auth=auth))[0] for auth in tokens]

    assert await statuses() == [200, 200, 200]
    async with house.client.get("/api/v1/events", headers=bearer) as stream:
        async with house.socket.patch("/api/v1/accounts/boss", json={"operator": False}) as answer:
            assert answer.status == 200
        async with asyncio.timeout(20):
            await stream.read()  # it ends
    assert await statuses() == [401, 401, 200]
    assert (await house.ask("POST", "/tokens", operator, auth=tokens[0]))[0] == 401


async def test_whoever_may_open_the_socket_is_the_operator(house: House) -> None:
    async with house.socket.post("/api/v1/calls", json={**CALL, "account": "user2"}) as answer:
        assert answer.status == 201
    async with house.socket.get("/api/v1/nowhere") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_who_changed_what_is_kept(house: House) -> None:
    await house.ask("POST", "/campaigns", {"campaign_name": "c", "start_url": "http://app/start"})
    await house.ask("POST", "/campaigns/1/pause")
    await house.ask("POST", "/accounts/user1/pin", {"pin": "87654321"})
    await house.ask("POST", "/tokens", {"name": "t", "scopes": ["read"]}, auth=BOSS)
    assert (await house.ask("GET", "/audit"))[0] == 401  # the PIN was changed
    _, page = await house.ask("GET", "/audit?limit=3", auth=BOSS)
    _, rest = await house.ask("GET", f"/audit?after={page['next']}", auth=BOSS)
    told = [(one["actor"], one["action"], one["subject"], one["account"]) for one in page["items"] + rest["items"]]
    assert told == [
        ("boss", "token.issue", "token 1 (t)", None),
        ("user1", "account.pin", "account user1", "user1"),
        ("user1", "campaign.pause", "campaign 1", "user1"),
        ("user1", "campaign.create", "campaign 1", "user1"),
    ]
    assert "87654321" not in str(page) + str(rest)
    assert (await house.ask("GET", "/audit", auth=OTHER))[0] == 403


async def test_who_asks_too_fast_is_told_when_to_go_on(tmp_path: Path) -> None:
    clock = Clock()
    api, store, _ = build(tmp_path, clock, rate=2, burst=3)
    await add_accounts(store, clock.now())
    app = web.Application()
    api.mount(app)
    async with TestClient(TestServer(app)) as client:

        async def ask(auth: dict[str, str]) -> tuple[int, str, str | None]:
            async with client.get("/api/v1/calls", headers=auth) as answer:
                return answer.status, answer.headers["RateLimit"], answer.headers.get("Retry-After")

        assert [await ask(USER) for _ in range(4)] == [
            (200, '"default";r=2;t=1', None), (200, '"default";r=1;t=1', None), (200, '"default";r=0;t=2', None),
            (429, '"default";r=0;t=1', "1"),
        ]  # fmt: skip
        assert (await ask(OTHER))[0] == 200
        clock.at += 500
        assert [(await ask(USER))[0] for _ in range(2)] == [200, 429]
    await store.close()


async def test_a_new_pin_signs_browsers_out_and_leaves_tokens(house: House) -> None:
    books, now = SqliteBooks(house.store), house.clock.now()
    _, session = new_session(house.accounts["user1"].id, now)
    await books.add_session(session)
    token = await house.token(Scope.READ)
    assert (await house.ask("POST", "/accounts/user1/pin", {"pin": "12345678", "keep_sessions": True}))[0] == 200
    assert await books.session(session.mark) == session
    assert (await house.ask("POST", "/accounts/user1/pin", {"pin": "87654321"}))[0] == 200
    assert await books.session(session.mark) is None
    assert (await house.ask("GET", "/calls", auth=token))[0] == 200


async def test_a_hundred_guesses_at_once_are_slowed_as_if_they_came_one_by_one(house: House) -> None:
    asked = [house.ask("GET", "/calls", auth=basic("user1", f"{n:04d}")) for n in range(100)]
    statuses = [status for status, _ in await asyncio.gather(*asked)]
    assert statuses.count(401) == FREE and statuses.count(429) == 100 - FREE


async def test_a_token_for_its_account_does_not_become_an_operator(house: House) -> None:
    new = {"pin": "11112222"}
    for token in (await house.token(Scope.ACCOUNT, login="boss"), await house.token(Scope.ACCOUNT, login=None)):
        assert (await house.ask("POST", "/accounts/boss/pin", new, auth=token))[0] == 403
    assert (await house.ask("GET", "/audit", auth=BOSS))[0] == 200
    assert (await house.ask("POST", "/accounts/boss/pin", new, auth=BOSS))[0] == 200


async def test_a_body_that_is_nested_too_deeply_is_the_clients_fault(house: House) -> None:
    deep = b'{"login": "deep", "pin": "333333", "settings": {"q": ' + b"[" * 8000 + b"]" * 8000 + b"}}"
    headers = {"Content-Type": "application/json"}
    status, problem = await house.ask("POST", "/accounts", auth=BOSS, headers=headers, data=deep)
    assert (status, problem["code"]) == (400, "malformed")


async def test_caps_are_an_operators_and_what_is_used_is_the_accounts_to_see(house: House) -> None:
    caps = {"cps": 2, "max_calls": 1, "daily_calls": 5, "daily_minutes": 10, "daily_cost": 1.5}
    assert (await house.ask("PATCH", "/accounts/user1", caps))[0] == 403
    status, changed = await house.ask("PATCH", "/accounts/user1", caps, auth=BOSS)
    assert status == 200 and {name: changed["settings"][name] for name in caps} == caps
    for bad in ({"cps": 0}, {"max_calls": 0}, {"daily_calls": -1}, {"daily_minutes": 0}, {"daily_cost": "x"}):
        status, problem = await house.ask("PATCH", "/accounts/user1", bad, auth=BOSS)
        assert (status, problem["field"]) == (422, *bad), problem
    for _ in range(2):
        assert (await house.ask("POST", "/calls", CALL))[0] == 201  # a capped call is taken, and waits
    assert len(await house.store.claim([Lane("t", 5)], Millis(house.clock.at), 5)) == 1
    status, used = await house.ask("GET", "/accounts/user1/usage")
    assert (status, used["calls"], used["live"], used["minutes"], used["lifted"]) == (200, 1, 1, 1.0, False)
    assert used["hold"]["reason"] == "account_full"
    assert (await house.ask("GET", "/accounts/user2/usage"))[0] == 404
    assert (await house.ask("POST", "/accounts/user1/lift"))[0] == 403
    assert (await house.ask("POST", "/accounts/user1/lift", auth=BOSS))[1]["lifted"] is True
    assert [(await house.ask(method, path))[0] for method, path in (("GET", "/usage"), ("POST", "/lift"))] == [403] * 2
    assert (await house.ask("GET", "/usage", auth=BOSS))[1]["minutes"] == 1.0
    assert (await house.ask("POST", "/lift", auth=BOSS))[1]["lifted"] is True
    _, audit = await house.ask("GET", "/audit", auth=BOSS)
    assert {"account.lift", "gateway.lift"} <= {one["action"] for one in audit["items"]}
