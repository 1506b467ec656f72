"""/campaigns as clients use them."""

from __future__ import annotations

from gateway.core.model import CallState, CampaignId, CampaignState
from gateway.ports import StoreError
from gateway.services.intake import desk
from tests.api.conftest import BOSS, OTHER, USER, House

NEW = {"campaign_name": "spring", "start_url": "http://app/start", "max_retries": 1}


async def test_a_campaign_is_created_filled_and_steered(house: House) -> None:
    status, made = await house.ask("POST", "/campaigns", {**NEW, "paused": True})
    assert (status, made["state"], made["account"], sum(made["counts"].values())) == (201, "paused", "user1", 0)
    at = f"/campaigns/{made['id']}"
    for kind, body in (
        ("text/plain", b"6175551234\n6175551234\nnonsense\n"),
        ("text/csv", b"destination,first_name,message_reference\n6175551235,Zo\xc3\xab,r1\n6175551234,again,\n"),
        ("application/x-ndjson", b'{"phone_number": "6175551236", "vip": true}\n{"destination": "911"}\n[]\n{}\n'),
    ):
        status, loaded = await house.ask("POST", f"{at}/calls", data=body, headers={"Content-Type": kind})
        assert status == 201, loaded
        assert loaded["queued"] == 1 and loaded["rejected"] == body.count(b"\n") - 1 - (kind == "text/csv"), loaded
    _, page = await house.ask("GET", f"/calls?campaign={made['id']}")
    assert [(one["dialed"], one["campaign_parameters"], one["message_reference"]) for one in page["items"]] == [
        ("+16175551234", None, None), ("+16175551235", "first_name=Zo%C3%AB", "r1"), ("+16175551236", "vip=true", None),
    ]  # fmt: skip
    assert (await house.ask("GET", f"{at}/why"))[1]["reason"] == "paused"
    _, foreseen = await house.ask("GET", f"{at}/preflight")
    assert (foreseen["dialable"], foreseen["blocked"]) == (3, [])
    for verb, state in (("resume", "active"), ("pause", "paused"), ("cancel", "cancelled")):
        assert (await house.ask("POST", f"{at}/{verb}"))[1]["state"] == state
    assert (await house.ask("GET", at))[1]["counts"]["cancelled"] == 3
    status, problem = await house.ask("POST", f"{at}/resume")
    assert (status, problem["code"]) == (409, "conflict")
    status, problem = await house.ask("POST", f"{at}/calls", data=b"6175551239\n", headers={"Content-Type": "text/csv"})
    assert (status, problem["code"]) == (409, "conflict")


async def test_more_than_joins_at_once_joins_not_at_all(house: House, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(desk, "ADDED_AT_ONCE", 5)
    await house.ask("POST", "/campaigns", NEW)
    body = b"".join(b"1617555%04d\n" % n for n in range(6))
    status, problem = await house.ask("POST", "/campaigns/1/calls", data=body, headers={"Content-Type": "text/plain"})
    assert (status, problem["field"]) == (422, "body")
    found = await house.store.campaign(CampaignId(1))
    assert found is not None and found.counts[CallState.PENDING] == 0


async def test_single_calls_are_no_campaign_to_add_to(house: House) -> None:
    await house.ask("POST", "/calls", {"phone_number": "6175551234", "start_url": "http://app/start"})
    status, problem = await house.ask(
        "POST", "/campaigns/1/calls", data=b"6175551235\n", headers={"Content-Type": "text/csv"}
    )
    assert (status, problem["code"]) == (409, "conflict")


async def test_what_is_refused_creates_nothing(house: House) -> None:
    for change, field in (
        ({"campaign_name": ""}, "campaign_name"), ({"campaign_name": " "}, "campaign_name"), ({"start_url": "x"}, "start_url"),
        ({"campaign_name": "default"}, "campaign_name"), ({"paused": 1}, "paused"), ({"account": "user2"}, "account"),
    ):  # fmt: skip
        status, problem = await house.ask("POST", "/campaigns", {**NEW, **change})
        assert status in (422, 403) and problem["field"] == field, problem
    assert await house.store.campaigns(None) == []
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await house.ask("POST", "/campaigns", data=b"--x--\r\n", headers=form))[0] == 422
    assert (await house.ask("POST", "/campaigns", data=b"nonsense", headers=form))[0] == 400
    assert (await house.ask("POST", "/campaigns/preflight", data=b"nonsense", headers=form))[0] == 400
    assert (await house.ask("POST", "/campaigns/preflight", {}))[0] == 415
    await house.ask("POST", "/campaigns", NEW)
    bad = {"Content-Type": "application/zip"}
    assert (await house.ask("POST", "/campaigns/1/calls", data=b"x", headers=bad))[0] == 415


async def test_another_accounts_campaign_is_not_there(house: House) -> None:
    await house.ask("POST", "/campaigns", NEW)
    for method, path in (
        ("GET", ""), ("GET", "/why"), ("GET", "/preflight"), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/cancel"),
        ("POST", "/calls"),
    ):  # fmt: skip
        assert (await house.ask(method, f"/campaigns/1{path}", auth=OTHER))[0] == 404, path
    assert (await house.ask("GET", "/campaigns", auth=OTHER))[1] == {"items": [], "next": None}
    await house.ask("POST", "/campaigns", NEW, auth=OTHER)
    _, page = await house.ask("GET", "/campaigns?limit=1", auth=BOSS)
    _, rest = await house.ask("GET", f"/campaigns?limit=1&after={page['next']}", auth=BOSS)
    assert [one["account"] for one in page["items"] + rest["items"]] == ["user1", "user2"]
    assert rest["next"] is None
    assert (await house.ask("GET", "/campaigns?account=user1", auth=USER))[0] == 200


async def test_a_campaign_that_is_made_paused_is_at_no_time_active(house: House, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    async def killed(campaign: CampaignId, state: CallState) -> None:
        raise StoreError("the process ended here")

    monkeypatch.setattr(house.store, "set_campaign_state", killed)
    _, made = await house.ask("POST", "/campaigns", {**NEW, "paused": True}, headers={"Idempotency-Key": "k"})
    found = await house.store.campaign(CampaignId(made["id"]))
    assert found is not None and found.state is CampaignState.PAUSED
