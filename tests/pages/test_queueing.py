"""The two forms over HTTP: what is told while typing, the preview of a list, and what is queued."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

from aiohttp import FormData

from gateway.core.lists import CallQuery
from gateway.services.intake.desk import Load
from tests.pages.conftest import HTML, NOW, House

LIST = b'"destination","name"\n"6175550001","Ann"\n"61755","Bob"\n"6175550001","Ann again"\n"6175550002","Cy"\n'


async def echo(house: House, **values: str) -> dict[str, dict[str, object]]:
    data = {"csrf": await house.csrf(), "endpoint": "queuecall", **values}
    answer = await house.client.post("/queue/echo", data=data)
    told: dict[str, dict[str, object]] = await answer.json()
    return told


async def upload(house: House, content: bytes) -> str:
    form = FormData()
    form.add_field("phone_list", content, filename="numbers.csv")
    answer = await house.client.post("/queue/list", data=form, headers={"X-CSRF": await house.csrf()})
    assert answer.status == 200
    return unescape(await answer.text())


async def test_times_and_numbers_are_told_back_while_typing(house: House) -> None:
    await house.sign_in()  # NOW is 2027-01-15 03:00 in New York
    told = (await echo(
        house, phone_number="6175551234;postd=2", scheduled_time="tomorrow 9am", expiration_time="+3 days",
        start_url="ftp://x", max_retries="2",
    ))["echo"]  # fmt: skip
    assert told["phone_number"] == {"text": "+16175551234, over trunk t, keys 2 after the answer", "good": True}
    assert told["scheduled_time"]["text"] == "Sat 16 Jan 2027 09:00 America/New_York (in 1 d 6 h)"  # type: ignore[index]
    assert told["start_url"]["good"] is False  # type: ignore[index]
    assert told["max_retries"]["text"] == "up to 3 attempts, 10 min apart"  # type: ignore[index]
    told = (await echo(house, scheduled_time="tomorrow 9am", expiration_time="now", phone_number="911"))["echo"]
    assert told["expiration_time"]["good"] is told["phone_number"]["good"] is False  # type: ignore[index]


async def test_the_copied_request_follows_the_form_and_holds_no_pin(house: House) -> None:
    await house.sign_in()
    told = (await echo(house, phone_number="6175551234", start_url="http://a/s", call_parameters='it\'s $HOME \\ "x"'))[
        "samples"
    ]
    assert "12345678" not in str(told)
    assert "'call_parameters=it'\"'\"'s $HOME \\ \"x\"'" in told["curl"]  # type: ignore[operator]
    assert "$params['call_parameters'] = 'it\\'s $HOME \\\\ \"x\"';" in told["PHP"]  # type: ignore[operator]
    assert all("result_url" not in str(text) for text in told.values())


async def test_a_call_is_queued_and_a_fault_stands_at_its_field(house: House) -> None:
    await house.sign_in()
    status, text = await house.post("/queue/call", phone_number="12", start_url="http://a/s", call_parameters="<b>")
    assert status == 422
    assert re.search(r'id="queuecall-phone_number"[^>]*aria-invalid="true"', text)
    assert "&lt;b&gt;" in text and "<b>" not in text  # what was typed is still there
    status, place = await house.post("/queue/call", phone_number="6175551234", start_url="http://a/s")
    assert status == 303
    (call,) = (await house.store.calls(CallQuery(), None, 10)).calls
    assert place == f"/calls/{call.id}" and call.dialed == "+16175551234" and call.due_at == NOW


async def test_a_list_is_previewed_before_anything_is_queued(house: House) -> None:
    await house.sign_in()
    shown = await upload(house, LIST)
    assert "2 numbers" in shown and "2 lines rejected" in shown and "name=Ann" in shown
    assert re.search(r'<td class="n">3</td><td class="wrap">61755</td>', shown) and "duplicate of line 2" in shown
    assert await house.store.campaigns(None) == []
    token = re.search(r'name="list" value="([^"]+)"', shown)[1]  # type: ignore[index]
    status, place = await house.post("/queue/campaign", list=token, campaign_name="spring", start_url="http://a/s")
    assert (status, place) == (303, "/campaigns/1")
    (campaign,) = await house.store.campaigns(None)
    assert campaign.counts["pending"] == 2 and campaign.rejected == 2  # type: ignore[index]
    status, text = await house.post("/queue/campaign", list=token, campaign_name="twice", start_url="http://a/s")
    assert status == 422 and "phone_list is required" in text  # a list is queued once


async def test_without_scripts_the_form_shows_the_preview_first(house: House) -> None:
    await house.sign_in()
    form = FormData()
    for name, value in (("csrf", await house.csrf()), ("campaign_name", "spring"), ("start_url", "http://a/s")):
        form.add_field(name, value)
    form.add_field("phone_list", LIST, filename="numbers.csv")
    answer = await house.client.post("/queue/campaign", data=form, headers=HTML)
    text = unescape(await answer.text())
    assert "2 lines rejected" in text and 'value="spring"' in text and 'name="list"' in text
    assert await house.store.campaigns(None) == []


async def test_a_list_of_another_account_is_not_found(house: House) -> None:
    await house.sign_in()
    token = re.search(r'name="list" value="([^"]+)"', await upload(house, LIST))[1]  # type: ignore[index]
    await house.post("/signout")
    await house.sign_in("user2", "88888888")
    status, _ = await house.post("/queue/campaign", list=token, campaign_name="theirs", start_url="http://a/s")
    assert status == 422 and await house.store.campaigns(None) == []


async def test_an_upload_without_proof_is_refused_and_leaves_nothing(house: House) -> None:
    await house.sign_in()
    form = FormData()
    form.add_field("phone_list", LIST, filename="numbers.csv")
    assert (await house.client.post("/queue/list", data=form)).status == 403
    form = FormData()
    form.add_field("phone_list", LIST, filename="numbers.csv")
    assert (await house.client.post("/queue/campaign", data=form)).status == 403


async def test_an_operator_queues_for_the_account_it_names(house: House) -> None:
    await house.sign_in("boss", "99999999")
    await house.post("/queue/call", account="user2", phone_number="6175551234", start_url="http://a/s")
    (call,) = (await house.store.calls(CallQuery(), None, 10)).calls
    assert call.account_id == house.accounts["user2"].id
    await house.post("/signout")
    await house.sign_in()
    await house.post("/queue/call", account="user2", phone_number="6175551235", start_url="http://a/s")
    newest = (await house.store.calls(CallQuery(account=house.accounts["user1"].id), None, 10)).calls
    assert [one.dialed for one in newest] == ["+16175551235"]  # an account queues for itself alone


async def test_a_form_that_is_sent_twice_queues_one_call(house: House) -> None:
    await house.sign_in()
    once = re.search(r'name="once" value="([^"]+)"', await house.page("/queue"))[1]  # type: ignore[index]
    form = {"csrf": await house.csrf(), "once": once, "phone_number": "6175551234", "start_url": "http://a/s"}

    async def send(**changes: str) -> str:
        sent = {**form, **changes}
        answer = await house.client.post("/queue/call", data=sent, headers=HTML, allow_redirects=False)
        return answer.headers["Location"]

    first, second = await asyncio.gather(send(), send())
    assert first == second == await send()
    assert await send(phone_number="6175551235") != first  # after the way back another call may be asked for
    assert len((await house.store.calls(CallQuery(), None, 10)).calls) == 2


async def test_a_double_click_rings_the_phone_in_the_page_once(house: House) -> None:
    await house.sign_in()
    once = re.search(r'name="once" value="([^"]+)"', await house.page("/phone"))[1]  # type: ignore[index]
    form = {"csrf": await house.csrf(), "start_url": "http://a/s"}

    async def ring(once: str) -> dict[str, Any]:
        answer = await house.client.post("/phone/ring", data={**form, "once": once})
        return await answer.json()  # type: ignore[no-any-return]

    first, second = await asyncio.gather(ring(once), ring(once))
    assert first["call_id"] == second["call_id"]
    assert (await ring(first["once"]))["call_id"] != first["call_id"]  # rung again, meant so
    assert len((await house.store.calls(CallQuery(), None, 10)).calls) == 2


async def test_a_list_that_is_being_queued_cannot_be_queued_under_another_name(house: House) -> None:
    await house.sign_in()
    token = re.search(r'name="list" value="([^"]+)"', await upload(house, LIST))[1]  # type: ignore[index]
    form = {"csrf": await house.csrf(), "list": token, "start_url": "http://a/s"}

    async def send(name: str) -> int:
        sent = {**form, "campaign_name": name}
        return (await house.client.post("/queue/campaign", data=sent, headers=HTML, allow_redirects=False)).status

    assert sorted(await asyncio.gather(send("one"), send("two"))) == [303, 422]
    assert len((await house.store.calls(CallQuery(), None, 10)).calls) == 2


async def test_a_list_whose_form_is_refused_is_kept(house: House) -> None:
    await house.sign_in()
    token = re.search(r'name="list" value="([^"]+)"', await upload(house, LIST))[1]  # type: ignore[index]
    await house.campaign("user1", "spring")
    status, _ = await house.post("/queue/campaign", list=token, campaign_name="spring", start_url="http://a/s")
    assert status == 422
    status, _ = await house.post("/queue/campaign", list=token, campaign_name="summer", start_url="http://a/s")
    assert status == 303


async def test_the_progress_of_another_accounts_list_is_not_told(house: House) -> None:
    await house.sign_in()
    desk = house.pages._queueing._desk
    desk.loads[1] = Load(1, "spring", house.accounts["user2"].id, bytes_total=10)
    assert await (await house.client.get("/queue/progress?name=spring")).json() == {}
    desk.loads[2] = Load(2, "spring", house.accounts["user1"].id, bytes_total=20)
    assert (await (await house.client.get("/queue/progress?name=spring")).json())["of"] == 20


async def test_a_number_without_end_is_told_back_as_wrong(house: House) -> None:
    await house.sign_in()
    told = (await echo(house, max_retries="9" * 5000, scheduled_timestamp="9" * 5000))["echo"]
    assert told["max_retries"]["text"] == "must be an integer from 0 to 10"  # type: ignore[index]
    assert told["scheduled_timestamp"]["good"] is False  # type: ignore[index]
    told = (await echo(house, max_retries="1", retry_interval="9" * 5000))["echo"]
    assert told["max_retries"]["good"] is False  # type: ignore[index]


async def test_a_list_for_an_account_that_is_not_there_is_refused(house: House) -> None:
    await house.sign_in("boss", "99999999")
    form = FormData()
    form.add_field("account", "nobody")
    form.add_field("phone_list", LIST, filename="numbers.csv")
    answer = await house.client.post("/queue/list", data=form, headers={"X-CSRF": await house.csrf()})
    assert answer.status == 422 and "nobody" in (await answer.json())["error"]


async def test_a_form_whose_sender_is_signed_out_meanwhile_queues_nothing(house: House) -> None:
    await house.sign_in()
    (token,) = re.findall(r'name="list" value="([^"]+)"', await upload(house, LIST))
    fields = {"csrf": await house.csrf(), "list": token, "campaign_name": "late", "start_url": "http://a/s"}
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields
    )

    async def pieces() -> AsyncIterator[bytes]:
        yield parts.encode()
        await house.books.end_sessions(house.accounts["user1"].id)
        yield b"--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with house.client.post("/queue/campaign", data=pieces(), headers=headers) as answer:
        assert answer.status == 401
    assert await house.store.campaign_by_name(house.accounts["user1"].id, "late") is None
