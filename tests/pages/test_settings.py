"""Settings, PINs, accounts and the first run over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import fields

import pytest

from gateway.core.model import AccountSettings, AttemptEnd, CalleeType, EndKind, Millis
from gateway.core.visiting import mark_of
from gateway.ports import Lane
from gateway.services.pages.settings import WORDS
from tests.pages.conftest import HTML, NOW, House
from tests.pages.test_callinfo import EVIDENCE, ended_call


async def saved(house: House, **changes: str) -> tuple[int, str]:
    """Send the form as the page shows it, with some fields changed."""
    page = await house.page("/settings")
    form = dict(re.findall(r'<input id="setting-\w+" name="(\w+)"(?![^>]*checkbox)[^>]* value="([^"]*)"', page))
    return await house.post("/settings", **{**form, **changes})


async def test_settings_are_changed_and_faults_stand_at_their_field(house: House) -> None:
    await house.sign_in()
    status, text = await saved(house, time_zone="Europe/Berlin", caller_id="+15558675309", keep_duplicates="on")
    assert status == 200 and "Saved." in text
    account = await house.store.account_by_login("user1")
    assert account is not None
    assert account.settings == AccountSettings("Europe/Berlin", "US", caller_id="+15558675309", keep_duplicates=True)
    for changes, words in (
        ({"time_zone": "Mars/Base"}, "time zone"),
        ({"ring_timeout": "5"}, "10 to 120"),
        ({"ring_timeout": "x"}, "number"),
    ):
        status, text = await saved(house, **changes)
        assert status == 422 and words in text
    assert await house.store.account_by_login("user1") == account


async def test_what_limits_an_account_only_operators_set(house: House) -> None:
    await house.sign_in()
    await saved(house, operator="on", allowed_prefixes="+49", blocked_prefixes="", account="user1")
    account = await house.store.account_by_login("user1")
    assert account is not None and not account.settings.operator and account.settings.allowed_prefixes == ()
    status, _ = await house.post("/settings", account="user2", time_zone="UTC", country="US")
    assert status == 403
    await house.post("/signout")
    await house.sign_in("boss", "99999999")
    await house.post("/settings", account="user1", time_zone="UTC", country="US", allowed_prefixes="+49, +1617")
    account = await house.store.account_by_login("user1")
    assert account is not None and account.settings.allowed_prefixes == ("+49", "+1617")


async def test_an_operator_cannot_lock_itself_out(house: House) -> None:
    await house.sign_in("boss", "99999999")
    status, text = await house.post("/settings", account="boss", time_zone="UTC", country="US")
    assert status == 422 and "another operator" in text


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("sign_out", [True, False])
async def test_a_new_pin_is_shown_once_and_the_old_one_ends_as_chosen(house: House, keep: bool, sign_out: bool) -> None:
    await house.sign_in()
    other = house.client.session.cookie_jar.filter_cookies(house.client.make_url("/"))["voxgate"].value
    house.client.session.cookie_jar.clear()
    await house.sign_in()
    chosen = ({"keep_old": "on"} if keep else {}) | ({"sign_out": "on"} if sign_out else {})
    _, text = await house.post("/settings/pin", **chosen)
    pin = re.search(r'id="new-pin">(\d{8})<', text)[1]  # type: ignore[index]
    assert pin not in await house.page("/settings")
    assert (await house.books.session(mark_of(other)) is None) == sign_out  # who was signed in elsewhere
    await house.post("/signout")
    assert await house.sign_in(pin=pin) == 303
    await house.post("/signout")
    assert await house.sign_in() == (303 if keep else 403)


async def test_a_secret_that_signs_is_shown_once_and_taken_away(house: House) -> None:
    await house.sign_in()
    assert "are not signed" in await house.page("/settings")
    _, text = await house.post("/settings/signing")
    secret = re.search(r'id="new-secret">(whsec_[\w+/=]+)<', text)[1]  # type: ignore[index]
    page = await house.page("/settings")
    assert secret not in page and "Signed by a secret of" in page and "also signs until" not in page
    _, text = await house.post("/settings/signing", keep_old="on")
    assert secret not in text and "also signs until" in text
    assert (await house.post("/settings/signing", account="user2"))[0] == 403
    assert (await house.post("/settings/unsigned", account="user2"))[0] == 403
    await house.post("/settings/unsigned")
    assert "are not signed" in await house.page("/settings")


async def test_an_operator_adds_accounts(house: House) -> None:
    await house.sign_in("boss", "99999999")
    _, text = await house.post("/settings/accounts", login="fresh", time_zone="UTC", country="DE")
    pin = re.search(r'id="new-pin">(\d{8})<', text)[1]  # type: ignore[index]
    status, text = await house.post("/settings/accounts", login="fresh", time_zone="UTC", country="DE")
    assert status == 422 and "is taken" in text
    await house.post("/signout")
    assert await house.sign_in("fresh", pin) == 303
    assert (await house.post("/settings/accounts", login="more", time_zone="UTC", country="DE"))[0] == 403


def test_every_setting_has_its_words() -> None:
    assert {one.name for one in fields(AccountSettings)} <= set(WORDS)


async def test_the_first_account_is_made_by_the_link_of_the_log_alone(alone: House) -> None:
    answer = await alone.client.get("/", headers=HTML)
    assert answer.url.path == "/first" and "voxgate account add" in await answer.text()
    form = {"login": "me", "pin": "24682468", "time_zone": "Europe/Berlin", "country": "DE"}
    answer = await alone.client.post("/first/guess", data=form, allow_redirects=False)
    assert answer.status == 403 and await alone.store.accounts() == []
    link = await alone.pages.first_link()
    assert link is not None and "Make the first account" in await alone.page(link)
    answer = await alone.client.post(link, data={**form, "time_zone": "x"}, headers=HTML)
    assert answer.status == 422 and 'value="me"' in await answer.text()
    answer = await alone.client.post(link, data=form, headers=HTML)
    assert answer.url.path == "/welcome" and "Three steps" in await answer.text()
    (account,) = await alone.store.accounts()
    assert account.login == "me" and account.settings.operator
    assert await alone.pages.first_link() is None
    assert (await alone.client.post(link, data={**form, "login": "other"}, allow_redirects=False)).status == 403


async def test_a_wrong_verdict_is_corrected(house: House) -> None:
    call = await ended_call(house, EVIDENCE)
    await house.sign_in()
    assert 'value="fax"' in await house.page(f"/calls/{call}")
    assert (await house.post(f"/calls/{call}/relabel", callee_type="answeringmachine"))[0] == 303
    found = await house.store.call(call)
    assert found is not None and found.callee_type == "answeringmachine"
    assert (await house.post(f"/calls/{call}/relabel", callee_type="martian"))[0] == 422
    await house.post("/signout")
    await house.sign_in("user2", "88888888")
    assert (await house.post(f"/calls/{call}/relabel", callee_type="fax"))[0] == 404


async def test_a_caller_id_ends_no_header(house: House) -> None:
    await house.sign_in()
    status, text = await saved(house, caller_id="1\r\nAction: Originate")
    assert status == 422 and "printable" in text


async def test_what_an_account_used_today_and_its_ceiling_lifted(house: House) -> None:
    operators = {"cps": "2.5", "max_calls": "3", "daily_calls": "100", "daily_minutes": "2", "daily_cost": "10"}
    await house.sign_in()
    await saved(house, **operators)
    account = await house.store.account_by_login("user1")
    assert account is not None and account.settings.daily_minutes is None  # only an operator sets them
    await house.post("/signout")
    await house.sign_in("boss", "99999999")
    await house.post("/settings", account="user1", time_zone="UTC", country="US", **operators)
    account = await house.store.account_by_login("user1")
    assert account is not None
    assert (account.settings.cps, account.settings.max_calls, account.settings.daily_cost) == (2.5, 3, 10)
    await house.campaign("user1", "today", 2)
    (claimed,) = await house.store.claim([Lane("t", 1)], NOW, 1)
    await house.store.close_attempt(
        AttemptEnd(claimed.attempt.id, EndKind.REACHED, CalleeType.VOICE, Millis(NOW + 120_000), answered_at=NOW)
    )
    text = await house.page("/settings?account=user1")
    assert "1 call dialed, 2 minutes" in text and "2 of 2 minutes of this day" in text
    assert (await house.post("/settings/lift", account="user1"))[0] == 303
    assert "lifted the ceiling" in await house.page("/settings?account=user1")
    assert len(await house.store.claim([Lane("t", 1)], Millis(NOW + 1000), 1)) == 1
    await house.post("/signout")
    await house.sign_in()
    assert (await house.post("/settings/lift", account="user1"))[0] == 403
    await saved(house, time_zone="Pacific/Kiritimati")  # where the next day has begun: nothing would be used of it
    account = await house.store.account_by_login("user1")
    assert account is not None and account.settings.time_zone == "UTC"


async def test_who_is_signed_out_while_sending_sets_no_pin(house: House) -> None:
    await house.sign_in()
    form = f"csrf={await house.csrf()}&keep_old="

    async def pieces() -> AsyncIterator[bytes]:
        yield form.encode()
        await house.page("/settings")  # the form's sender was let in before
        await house.books.end_sessions(house.accounts["user1"].id)
        yield b"on"

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with house.client.post("/settings/pin", data=pieces(), headers=headers) as answer:
        assert answer.status == 401
    account = await house.store.account_by_login("user1")
    assert account is not None and account.pin_hash == house.accounts["user1"].pin_hash
