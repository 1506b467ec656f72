"""/calls as clients use it: one call, streams of them, lists, cancelling, hanging up."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

from gateway.core.access import Scope
from gateway.core.model import AttemptEnd, CalleeType, CallState, EndKind, Millis
from gateway.ports import Lane
from tests.api.conftest import BOSS, CALL, OTHER, USER, House


async def queued(house: House) -> int:
    return sum(one.counts[CallState.PENDING] for one in await house.store.campaigns(None))


async def test_a_call_is_queued_shown_listed_and_cancelled(house: House) -> None:
    status, made = await house.ask("POST", "/calls", {**CALL, "max_retries": 2, "message_reference": "m"})
    assert status == 201
    status, shown = await house.ask("GET", f"/calls/{made['id']}")
    assert status == 200
    assert (shown["state"], shown["dialed"], shown["account"], shown["max_retries"]) == (
        "pending", "+16175551234", "user1", 2,
    )  # fmt: skip
    assert shown["created_at"] == "2027-01-15T08:00:00Z"
    assert shown["history"] == [] and shown["delivery"] is None
    for query in ("", "?state=pending,failed", "?number=6175551234", "?number=%2B1617*", "?reference=m",
                  "?order=status&descending=true", "?campaign=1"):  # fmt: skip
        status, page = await house.ask("GET", f"/calls{query}")
        assert [one["id"] for one in page["items"]] == [made["id"]], (query, page)
    for query in ("state=failed", "reference=null", "number=null", "callee_type=voice"):
        assert (await house.ask("GET", f"/calls?{query}"))[1]["items"] == [], query
    status, done = await house.ask("POST", f"/calls/{made['id']}/cancel")
    assert (status, done["state"]) == (200, "cancelled")
    assert (await house.ask("POST", f"/calls/{made['id']}/cancel"))[0] == 200  # it is cancelled: that is what was asked


async def test_what_is_refused_names_field_and_rule(house: House) -> None:
    for change, field in (
        ({"phone_number": "911"}, "phone_number"), ({"phone_number": ""}, "phone_number"), ({"max_retries": 11}, "max_retries"),
        ({"max_retries": "2"}, "max_retries"), ({"start_url": "ftp://x"}, "start_url"), ({"unknown": 1}, "unknown"),
        ({"scheduled_time": "blursday"}, "scheduled_time"), ({"account": "user2"}, "account"),
        ({"message_reference": "x" * 256}, "message_reference"), ({"retry_interval": 1}, "retry_interval"),
    ):  # fmt: skip
        status, problem = await house.ask("POST", "/calls", {**CALL, **change})
        assert status in (422, 403) and problem["field"] == field and problem["rule"], problem
    for path in ("/calls?limit=0", "/calls?state=gone", "/calls?after=%21", "/calls?order=x", "/calls?limit=5&limit=6",
                 "/calls?number=1*&order=status"):  # fmt: skip
        assert (await house.ask("GET", path))[0] == 422, path
    assert await queued(house) == 0
    house.web.answers["http://app/start"] = 404
    status, problem = await house.ask("POST", "/calls", CALL)
    assert (problem["code"], problem["field"]) == ("invalid", "start_url")


async def test_bodies_that_cannot_be_read(house: House) -> None:
    for body, kind, status in (
        (b"{", "application/json", 400), (b"[]", "application/json", 422), (b"x=1", "application/x-www-form-urlencoded", 415),
        (io.BytesIO(b" " * 2_000_000), "application/json", 413), (b"\xff", "application/json", 400), (b"", "application/json", 400),
    ):  # fmt: skip
        found = await house.ask("POST", "/calls", data=body, headers={"Content-Type": kind})
        assert found[0] == status, (kind, found)

    async def pieces() -> AsyncIterator[bytes]:  # of a length that is not told before
        for _ in range(40):
            yield b" " * 50_000

    assert (await house.ask("POST", "/calls", data=pieces(), headers={"Content-Type": "application/json"}))[0] == 413
    assert (await house.ask("GET", "/nowhere"))[0] == 404
    assert (await house.ask("PUT", "/calls"))[0] == 405
    assert (await house.ask("GET", "/calls/99999999999999999"))[0] == 422


async def test_an_account_sees_its_own_and_an_operator_all(house: House) -> None:
    _, mine = await house.ask("POST", "/calls", CALL)
    _, others = await house.ask("POST", "/calls", CALL, auth=OTHER)
    for path in (f"/calls/{others['id']}", f"/calls/{others['id']}/why"):
        assert (await house.ask("GET", path))[0] == 404
        assert (await house.ask("GET", path, auth=BOSS))[0] == 200
    for verb in ("cancel", "hangup"):
        assert (await house.ask("POST", f"/calls/{others['id']}/{verb}"))[0] == 404
    assert [one["id"] for one in (await house.ask("GET", "/calls"))[1]["items"]] == [mine["id"]]
    assert (await house.ask("GET", "/calls?account=user2"))[0] == 403
    assert (await house.ask("GET", "/calls?campaign=2"))[0] == 404
    assert len((await house.ask("GET", "/calls", auth=BOSS))[1]["items"]) == 2
    assert [one["id"] for one in (await house.ask("GET", "/calls?account=user2", auth=BOSS))[1]["items"]] == [
        others["id"]
    ]
    _, made = await house.ask("POST", "/calls", {**CALL, "account": "user2"}, auth=BOSS)
    assert (await house.ask("GET", f"/calls/{made['id']}", auth=OTHER))[0] == 200


async def test_lists_go_on_from_page_to_page(house: House) -> None:
    for _ in range(5):
        await house.ask("POST", "/calls", CALL)
    found, after = [], ""
    while True:
        _, page = await house.ask("GET", f"/calls?limit=2&order=last_attempt{after}")
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == [1, 2, 3, 4, 5]


async def test_json_lines_and_csv_queue_a_call_a_line_and_bad_lines_cost_only_themselves(house: House) -> None:
    lines = [
        json.dumps(CALL),
        "",
        json.dumps({**CALL, "phone_number": "911"}),
        "nonsense",
        json.dumps({**CALL, "max_retries": 1}),
    ]
    listed = (
        "phone_number,start_url,max_retries,message_reference\n"
        '+16175551235,http://app/start,1,"a, b"\n+16175551236,,,\n+16175551237,http://app/start,many,\n'
        "+16175551238,http://app/start,0,x,too,many\n"
    )
    for kind, body, expected in (
        ("application/x-ndjson", "\n".join(lines), [(1, True), (3, "phone_number"), (4, "line"), (5, True)]),
        ("text/csv", listed, [(2, True), (3, "start_url"), (4, "max_retries"), (5, "line")]),
    ):
        async with house.client.post(
            "/api/v1/calls", data=body.encode(), headers={**USER, "Content-Type": kind}
        ) as answer:
            assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
            told = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert [(one["line"], one["id"] is not None or one["field"]) for one in told] == expected, told
    assert await queued(house) == 3


async def test_a_long_stream_is_queued_in_order(house: House) -> None:
    body = "".join(json.dumps({**CALL, "phone_number": f"+1617{5550000 + n}"}) + "\n" for n in range(3000))
    async with house.client.post(
        "/api/v1/calls", data=body.encode(), headers={**USER, "Content-Type": "application/x-ndjson"}
    ) as answer:
        told = [json.loads(line) async for line in answer.content]
    assert [one["line"] for one in told] == list(range(1, 3001))
    assert len({one["id"] for one in told}) == 3000 == await queued(house)
    huge = b'{"phone_number": "' + b"1" * 50_000 + b'"}\n' + json.dumps(CALL).encode()
    async with house.client.post(
        "/api/v1/calls", data=huge, headers={**USER, "Content-Type": "application/x-ndjson"}
    ) as answer:
        told = [json.loads(line) async for line in answer.content]
    assert [one["id"] is not None for one in told] == [False, True]


async def test_a_live_call_is_hung_up_and_others_are_not(house: House) -> None:
    _, made = await house.ask("POST", "/calls", CALL)
    status, problem = await house.ask("POST", f"/calls/{made['id']}/hangup")
    assert (status, problem["code"]) == (409, "conflict")
    (claimed,) = await house.store.claim([Lane("t", 1)], house.clock.now(), 1)
    live = house.live.add(claimed)
    told: list[str] = []

    async def hangup(attempt: str) -> None:
        told.append(attempt)

    house.pbx.hangup = hangup  # type: ignore[method-assign, assignment]
    status, done = await house.ask("POST", f"/calls/{made['id']}/hangup")
    assert (status, done) == (202, {"id": made["id"], "attempt": 1})
    assert told == [live.id]
    status, shown = await house.ask("GET", f"/calls/{made['id']}")
    assert shown["history"][0]["id"] is None  # the key to its session, while it lives
    assert live.id not in json.dumps(shown)
    assert (await house.ask("POST", f"/calls/{made['id']}/cancel"))[0] == 409
    house.pbx.connected = False  # type: ignore[misc]
    assert (await house.ask("POST", f"/calls/{made['id']}/hangup"))[0] == 503


async def test_scopes_hold(house: House) -> None:
    read, calls = await house.token(Scope.READ), await house.token(Scope.CALLS)
    assert (await house.ask("POST", "/calls", CALL, auth=read))[0] == 403
    status, made = await house.ask("POST", "/calls", CALL, auth=calls)
    assert status == 201
    assert (await house.ask("GET", f"/calls/{made['id']}", auth=calls))[0] == 403
    assert (await house.ask("GET", f"/calls/{made['id']}", auth=read))[0] == 200
    assert (await house.ask("GET", "/status", auth=read))[0] == 403


async def test_a_thousand_clients_at_once_each_queue_their_call(house: House) -> None:
    answers = await asyncio.gather(*(house.ask("POST", "/calls", CALL) for _ in range(1000)))
    assert {status for status, _ in answers} == {201}
    assert len({made["id"] for _, made in answers}) == 1000 == await queued(house)


async def test_a_call_that_was_judged_wrong_is_relabelled(house: House) -> None:
    _, made = await house.ask("POST", "/calls", CALL)
    path = f"/calls/{made['id']}/relabel"
    status, problem = await house.ask("POST", path, {"callee_type": "voice"})
    assert (status, problem["code"]) == (409, "conflict")
    (claimed,) = await house.store.claim([Lane("t", 1)], house.clock.now(), 1)
    machine = CalleeType.ANSWERINGMACHINE
    await house.store.close_attempt(AttemptEnd(claimed.attempt.id, EndKind.REACHED, machine, house.clock.now()))
    status, done = await house.ask("POST", path, {"callee_type": "voice"})
    assert (status, done["callee_type"], done["state"]) == (200, "voice", "completed")
    status, shown = await house.ask("GET", f"/calls/{made['id']}")
    assert [one["callee_type"] for one in shown["history"]] == ["voice"]
    assert (await house.ask("POST", path, {"callee_type": "robot"}))[0] == 422
    assert (await house.ask("POST", path, {"callee_type": "fax"}, auth=OTHER))[0] == 404
    read = await house.token(Scope.READ)
    assert (await house.ask("POST", path, {"callee_type": "fax"}, auth=read))[0] == 403
    _, audited = await house.ask("GET", "/audit", auth=BOSS)
    assert any(
        one["action"] == "call.relabel" and one["detail"] == "answeringmachine to voice" for one in audited["items"]
    )


async def test_what_holds_the_gateway_is_told_to_operators_alone(house: House) -> None:
    for number in range(5):
        await house.ask("POST", "/calls", {**CALL, "phone_number": f"+1617555{number:04d}"}, auth=OTHER)
    for claimed in await house.store.claim([Lane("t", 5)], Millis(house.clock.at), 5):
        house.live.add(claimed)
    _, made = await house.ask("POST", "/calls", CALL)
    call = await house.store.call(made["id"])
    assert call is not None
    for auth, told in ((USER, False), (BOSS, True)):
        for path in (f"/calls/{made['id']}/why", f"/campaigns/{call.campaign_id}/why"):
            _, hold = await house.ask("GET", path, auth=auth)
            assert hold["reason"] == "gateway_full" and ("5 of 5" in hold["text"]) is told
