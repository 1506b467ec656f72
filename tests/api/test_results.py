"""/results: what was posted, what is owed, posting again, and trying an address."""

from __future__ import annotations

import asyncio

from gateway.core.access import Scope
from gateway.core.model import Millis
from gateway.ports import DeliveryTry, Lane
from tests.adapters.test_store import ended
from tests.api.conftest import BOSS, CALL, OTHER, USER, House
from voxgate.webhooks import NotGenuine, verify


async def finish(house: House, auth: dict[str, str] = USER) -> int:
    """A call that failed, so that its result is owed."""
    _, made = await house.ask("POST", "/calls", {**CALL, "result_url": "http://app/result"}, auth=auth)
    (claimed,) = await house.store.claim([Lane("t", 1)], house.clock.now(), 1)
    await house.store.close_attempt(ended(claimed))
    return int(made["id"])


async def test_results_are_listed_shown_and_posted_again(house: House) -> None:
    mine, _ = await finish(house), await finish(house, OTHER)
    _, page = await house.ask("GET", "/results")
    (owed,) = page["items"]
    assert (owed["call_id"], owed["state"], owed["form"]["callee_type"]) == (mine, "waiting", "busy")
    assert len((await house.ask("GET", "/results", auth=BOSS))[1]["items"]) == 2
    assert (await house.ask("GET", f"/results/{owed['id']}", auth=OTHER))[0] == 404
    await house.store.record_try(
        DeliveryTry(owed["id"], Millis(house.clock.now()), False, 500, "HTTP 500", None, 7, "no")
    )
    _, shown = await house.ask("GET", f"/results/{owed['id']}")
    assert (shown["state"], shown["history"][0]["response"], shown["history"][0]["took"]) == ("given_up", "no", 7)
    assert (await house.ask("GET", "/results?state=waiting"))[1]["items"] == []
    assert (await house.ask("GET", f"/results?call={mine}&state=given_up"))[1]["items"][0]["id"] == owed["id"]
    assert (await house.ask("GET", "/results?state=lost"))[0] == 422
    status, again = await house.ask("POST", f"/results/{owed['id']}/redeliver")
    assert (status, again["state"], again["tries"]) == (202, "waiting", 0)
    assert (await house.ask("POST", f"/results/{owed['id']}/redeliver", auth=OTHER))[0] == 404
    assert (await house.ask("POST", "/results/msg_none/redeliver"))[0] == 404
    assert (await house.ask("GET", f"/calls/{mine}"))[1]["delivery"]["id"] == owed["id"]


async def test_an_address_is_tried(house: House) -> None:
    status, told = await house.ask("POST", "/results/test", {"url": "http://app/result"})
    assert status == 200 and told["accepted"] and told["response"] == "thanks"
    assert house.web.asked[-1].url == "http://app/result" and b"&call_id=0&" in (house.web.asked[-1].body or b"")
    house.web.answers = {"http://app/no": 500, "http://app/inside": 0}
    assert (await house.ask("POST", "/results/test", {"url": "http://app/no"}))[1]["error"] == "HTTP 500"
    assert (await house.ask("POST", "/results/test", {"url": "http://app/inside"}))[1]["error"] == "may not be fetched"
    assert (await house.ask("POST", "/results/test", {"url": "file:///etc/passwd"}))[0] == 422


async def test_posts_are_signed_by_a_secret_that_is_shown_once(house: House) -> None:
    assert (await house.ask("GET", "/accounts/user1/signing"))[1] == {
        "signed": False,
        "set_at": None,
        "old_until": None,
    }
    await house.ask("POST", "/results/test", {"url": "http://app/result"})
    assert "webhook-signature" not in house.web.asked[-1].headers
    status, first = await house.ask("POST", "/accounts/user1/signing", {})
    assert status == 201 and first["secret"].startswith("whsec_") and first["old_until"] is None
    status, second = await house.ask("POST", "/accounts/user1/signing", {"keep_old_hours": 1})
    assert second["secret"] != first["secret"] and second["old_until"] == "2027-01-15T09:00:00Z"
    status, told = await house.ask("GET", "/accounts/user1/signing")
    assert (status, told["signed"]) == (200, True) and "secret" not in told

    async def genuine(secret: str, auth: dict[str, str] = USER, **body: str) -> bool:
        await house.ask("POST", "/results/test", {"url": "http://app/result", **body}, auth=auth)
        post = house.web.asked[-1]
        try:
            return bool(verify(post.body or b"", post.headers, secret, now=house.clock.now() / 1000))
        except NotGenuine:
            return False

    assert [await genuine(one["secret"]) for one in (first, second)] == [True, True]
    house.clock.at += 3600 * 1000
    assert [await genuine(one["secret"]) for one in (first, second)] == [False, True]
    assert not await genuine(second["secret"], BOSS)  # each account has its own
    assert await genuine(second["secret"], BOSS, account="user1")
    assert (await house.ask("POST", "/results/test", {"url": "http://a/", "account": "user1"}, auth=OTHER))[0] == 403
    read = await house.token(Scope.READ)
    assert (await house.ask("POST", "/accounts/user1/signing", {}, auth=read))[0] == 403
    for method, path, body in (("GET", "", None), ("POST", "", {}), ("POST", "/off", None)):
        assert (await house.ask(method, f"/accounts/user1/signing{path}", body, auth=OTHER))[0] == 404
    assert (await house.ask("POST", "/accounts/user1/signing", {"keep_old_hours": 169}))[0] == 422
    assert (await house.ask("POST", "/accounts/user1/signing/off"))[1]["signed"] is False
    assert not await genuine(second["secret"]) and "webhook-signature" not in house.web.asked[-1].headers
    _, page = await house.ask("GET", "/audit", auth=BOSS)
    done = [one["action"] for one in page["items"] if one["outcome"] == "done"]
    assert done == ["account.unsigned", "account.signing", "account.signing"]
    assert "whsec_" not in str(page)


async def test_secrets_that_are_renewed_at_once_both_sign(house: House) -> None:
    await house.ask("POST", "/accounts/user1/signing", {})
    asked = [house.ask("POST", "/accounts/user1/signing", {"keep_old_hours": 1}) for _ in range(2)]
    shown = [issued["secret"] for _, issued in await asyncio.gather(*asked)]
    await house.ask("POST", "/results/test", {"url": "http://app/result"})
    post = house.web.asked[-1]
    for secret in shown:
        assert verify(post.body or b"", post.headers, secret, now=house.clock.now() / 1000)
