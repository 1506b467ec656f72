"""Call Info, the result outbox and the System page over HTTP."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import structlog

from gateway.core.model import AttemptEnd, CalleeType, CallId, EndKind, Millis
from gateway.ports import DeliveryTry, Lane, PbxError
from gateway.recent import RECENT
from gateway.services.pages.callinfo import CallInfo
from tests.pages.conftest import AUDIO, NOW, House

EVIDENCE: dict[str, Any] = {
    "detector": "tap", "answered": 6.0, "hung_up_by": "callee",
    "timeline": [
        {"sound": "ringback", "start": 0.2, "end": 2.2, "known": 1.0, "hz": [440.0, 480.0]},
        {"sound": "speech", "start": 6.4, "end": 7.2, "known": 6.6, "hz": []},
    ],
    "verdicts": [{"callee_type": "voice", "confidence": 0.92, "at": 7.8, "reason": "one short greeting"}],
    "path": [{"at": 2.0, "kind": "prompt", "text": "Welcome."}, {"at": 5.0, "kind": "digits", "text": "•••• (4)"}],
}  # fmt: skip


async def ended_call(house: House, evidence: dict[str, Any], **plan: Any) -> CallId:
    await house.campaign("user1", "spring", 1, **plan)
    (claimed,) = await house.store.claim([Lane("t", 1)], NOW, 1)
    end = AttemptEnd(
        claimed.attempt.id, EndKind.REACHED, CalleeType.VOICE, Millis(NOW + 20_000), Millis(NOW + 8000),
        Millis(NOW + 2000), 16, None, "answered by voice", None, evidence,
    )  # fmt: skip
    await house.store.close_attempt(end)
    return claimed.call.id


def story(page: str) -> list[tuple[str, str]]:
    found = re.findall(
        r'<span class="at">([^<]+)</span><span class="what"><strong>([^<]+)</strong>(.*?)</span></li>', page
    )
    return [(at, unescape(re.sub("<[^>]+>", "", title + rest))) for at, title, rest in found]


async def test_the_card_tells_the_attempt_in_order_and_in_words(house: House) -> None:
    call = await ended_call(house, EVIDENCE)
    await house.sign_in()
    page = await house.page(f"/calls/{call}")
    assert story(page) == [
        ("0.0 s", "Dialed over trunk t"), ("2.0 s", "Rings"), ("2.2 s", "Ringback, 440 + 480 Hz for 2.0 s"),
        ("8.0 s", "Answered"), ("8.4 s", "Speech for 0.8 s"), ("9.8 s", "Verdict: voice one short greeting (92% sure)"),
        ("10.0 s", "Prompt Welcome."), ("13.0 s", "Digits keyed •••• (4)"),
        ("20.0 s", "Ended by the callee answered by voice; Q.850 16, normal clearing"),
    ]  # fmt: skip
    assert "judged by the media tap" in page and page.count('class="sound ') == 2


async def test_the_first_seconds_are_played_to_those_who_may_hear_them(house: House) -> None:
    AUDIO["1/x.wav"] = b"RIFF"
    call = await ended_call(house, {**EVIDENCE, "audio": "1/x.wav"})
    path = f"/calls/{call}/attempts/1/audio.wav"
    await house.sign_in()
    assert f'data-audio="{path}"' in await house.page(f"/calls/{call}")
    answer = await house.client.get(path)
    assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/wav", b"RIFF")
    assert (await house.client.get(f"/calls/{call}/attempts/2/audio.wav")).status == 404
    AUDIO.clear()  # its time is over
    assert (await house.client.get(path)).status == 404
    AUDIO["1/x.wav"] = b"RIFF"
    await house.post("/signout")
    await house.sign_in("user2", "88888888")
    assert (await house.client.get(path)).status == 404
    AUDIO.clear()


@pytest.mark.parametrize(
    "evidence",
    [{}, {"timeline": "x", "verdicts": [None, {"at": "y"}], "path": {"a": 1}}, {"timeline": [{"sound": "<b>", "start": 1, "end": 2}]},
     {"answered": True, "verdicts": [{"at": 1, "callee_type": "<script>", "confidence": 2}]}],
)  # fmt: skip
async def test_evidence_of_any_shape_still_shows(house: House, evidence: dict[str, Any]) -> None:
    call = await ended_call(house, evidence)
    await house.sign_in()
    answer = await house.client.get(f"/calls/{call}", headers={"Accept": "text/html"})
    assert answer.status == 200 and "<script>" not in await answer.text()


async def test_a_waiting_call_says_why_it_waits(house: House) -> None:
    await house.sign_in()
    await house.post("/queue/call", phone_number="6175551234", start_url="http://a/s", scheduled_time="tomorrow 9am")
    page = await house.page("/calls/1")
    assert (
        "What would change it: the time" in page
        and "Its scheduled time has not come" in page
        and "Not dialed yet" in page
    )
    assert (await house.post("/calls/1/delete"))[0] == 303
    assert "It was cancelled" in await house.page("/calls/1")


async def test_another_accounts_call_is_not_there(house: House) -> None:
    call = await ended_call(house, EVIDENCE, result_url="http://app.example/result.php")
    await house.sign_in("user2", "88888888")
    delivery = await house.store.delivery_of(call)
    assert delivery is not None
    for path in (f"/calls/{call}",):
        assert (await house.client.get(path, headers={"Accept": "text/html"})).status == 404
    for path in (f"/calls/{call}/delete", f"/calls/{call}/hangup", f"/results/{delivery.id}/retry"):
        assert (await house.post(path))[0] == 404
    assert delivery.id not in await house.page("/results")


async def test_results_show_each_try_and_post_again(house: House) -> None:
    call = await ended_call(house, EVIDENCE, result_url="http://app.example/result.php")
    delivery = await house.store.delivery_of(call)
    assert delivery is not None
    tried = DeliveryTry(delivery.id, NOW, False, 500, "HTTP 500", None, 12, "Fatal <b>error</b>")
    await house.store.record_try(tried)
    await house.sign_in()
    for page in (await house.page("/results?state=given_up"), await house.page(f"/calls/{call}")):
        assert "Given up" in page and "12 ms" in page and "HTTP 500" in page and "callee_type=voice" in page
    assert delivery.id not in await house.page("/results?state=accepted")
    assert (await house.post(f"/results/{delivery.id}/retry"))[0] == 303
    assert delivery.id in await house.page("/results?state=waiting")
    assert [one.id for one in await house.store.due_deliveries(NOW, 9, 9)] == [delivery.id]


async def test_a_result_url_is_tried_before_any_call(house: House) -> None:
    await house.sign_in()
    status, text = await house.post("/results/test", url="http://app.example/result.php")
    assert status == 200 and "Accepted" in text and "callee_type=voice" in text
    _, text = await house.post("/results/test", url="http://nowhere.example/")
    assert "Not accepted" in text and "connection refused" in text
    status, text = await house.post("/results/test", url="file:///etc/passwd")
    assert status == 422 and "http://" in text


async def test_the_system_page_is_for_operators(house: House) -> None:
    await house.sign_in()
    assert (await house.client.get("/system", headers={"Accept": "text/html"})).status == 403
    await house.post("/signout")
    house.status["trunks"] = {"t": {"live": 3, "suspended": True, "faults": 10, "last_fault": "no circuit <503>"}}
    RECENT({}, "", {"event": "trunk.suspended", "level": "error", "trunk": "t", "timestamp": "2027-01-15T08:00:00Z"})  # type: ignore[arg-type]
    await house.sign_in("boss", "99999999")
    page = await house.page("/system")
    assert "no circuit &lt;503&gt;" in page and "3 of 20" in page and "Rests" in page
    assert "trunk.suspended" in page and "The carrier refuses or does not answer" in page


def test_the_same_trouble_is_counted_not_repeated() -> None:
    log = structlog.wrap_logger(None, processors=[RECENT, lambda *entry: (_ for _ in ()).throw(structlog.DropEvent)])
    for _ in range(1000):
        log.error("test.trouble", level="error", trunk="x", number=1)
    (found,) = [one for one in RECENT.newest() if one.event == "test.trouble"]
    assert found.times == 1000 and "trunk x" in found.text


async def test_a_hang_up_without_a_link_to_asterisk_is_told(house: House) -> None:
    await house.campaign("user1", "spring", 1)
    await house.sign_in()

    async def unreachable(call: CallId) -> bool:
        raise PbxError("there is no AMI link")

    info = next(part for part in house.pages._parts if isinstance(part, CallInfo))
    info._hang_up = unreachable
    status, text = await house.post("/calls/1/hangup")
    assert status == 503 and "no AMI link" in text
