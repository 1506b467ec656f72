"""The Plum service as its clients speak to it, good and bad."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.store import SqliteStore
from gateway.core.lists import CallQuery
from gateway.core.model import Account, AccountSettings, CallState, CampaignId, Millis
from gateway.core.retry import RetryPolicy
from gateway.core.routes import Route, Router, Trunk
from gateway.services.intake import Desk, DeskSettings, build_app, clear_spool
from gateway.services.intake.app import AppSettings
from gateway.services.intake.form import new_spool_file
from gateway.services.intake.logins import Logins, hasher
from tests.fakes.audit import audit

NOW = Millis(1_800_000_000_000)
GOOD = {"login": "user1", "pin": "12345678", "start_url": "http://app/start.php"}
MAX_BODY = 8 * 1024 * 1024
CALL = {**GOOD, "phone_number": "tel:+16175551234"}


class FixedClock:
    def now(self) -> Millis:
        return NOW

    def ticks(self) -> Millis:
        return self.now()


@dataclass
class Service:
    """A client of the service, and what it must not do."""

    client: TestClient
    store: SqliteStore
    account: Account
    unreachable: dict[str, str] = field(default_factory=dict)

    async def post(self, page: str, data: object, headers: dict[str, str] | None = None) -> ElementTree.Element:
        async with self.client.post(page, data=data, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            assert answer.headers["Content-Type"] == "text/xml; charset=UTF-8"
            assert "Traceback" not in text
            assert "12345678" not in text  # the PIN is never echoed by default
            return ElementTree.fromstring(text)

    async def queued(self) -> int:
        return sum(one.counts[CallState.PENDING] for one in await self.store.campaigns(None))


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    settings = AccountSettings("America/New_York", "US", allowed_caller_ids=("8009957586",))
    account = await store.add_account("user1", hasher.hash("12345678"), settings)
    unreachable: dict[str, str] = {}

    async def preflight(url: str, account: int) -> str | None:
        return unreachable.get(url)

    router = Router({"t": Trunk("t", "PJSIP/{number}@t")}, [Route("", "t")])
    desk = Desk(store, FixedClock(), router, preflight, lambda: None, DeskSettings())
    app = build_app(
        desk,
        Logins(store, FixedClock()),
        audit()[0],
        AppSettings(tmp_path / "spool", MAX_BODY),
        lambda: {"store": True},
    )
    async with TestClient(TestServer(app)) as client:
        yield Service(client, store, account, unreachable)
    assert not list((tmp_path / "spool").glob("*")) if (tmp_path / "spool").exists() else True
    await store.close()


@pytest.mark.parametrize("base", ["/webservice", "/outbound/webservice"])
@pytest.mark.parametrize("multipart", [False, True])
async def test_a_call_is_queued(service: Service, base: str, multipart: bool) -> None:
    values = {
        **CALL,
        "max_retry": "2",
        "result_url": "http://app/r",
        "message_reference": "<ü>&",
        "unknown": "kept out",
    }
    form = aiohttp.FormData(values, default_to_multipart=multipart)
    reply = await service.post(f"{base}/queuecall.php", form)
    assert (reply.tag, reply.get("status")) == ("queuecall", "queued")
    call = await service.store.call(int(reply.get("call_id", "0")))  # type: ignore[arg-type]
    assert call is not None
    assert (call.plan.max_retries, call.plan.retry_interval, call.plan.message_reference) == (2, 600, "<ü>&")
    assert reply.findtext("message_reference") == "<ü>&"
    assert reply.findtext("phone_number") == "tel:+16175551234"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"login": None}, "login"), ({"login": ""}, "login"), ({"login": "x" * 129}, "login"), ({"login": "nobody"}, "login"),
        ({"pin": None}, "pin"), ({"pin": "wrong"}, "pin"), ({"pin": "1" * 17}, "pin"),
        ({"phone_number": None}, "phone_number"), ({"phone_number": "  "}, "phone_number"),
        ({"phone_number": "x" * 129}, "phone_number"), ({"phone_number": "500&PJSIP/evil"}, "phone_number"),
        ({"phone_number": "Local/5@x"}, "phone_number"), ({"phone_number": "911"}, "phone_number"),
        ({"phone_number": "+16175551234\r\nAction: x"}, "phone_number"), ({"phone_number": "1001"}, "phone_number"),
        ({"phone_number": "16175551234;ani=5551234567"}, "phone_number"),
        ({"start_url": None}, "start_url"), ({"start_url": "ftp://x/"}, "start_url"), ({"start_url": "/x"}, "start_url"),
        ({"start_url": "http://x/" + "y" * 255}, "start_url"), ({"result_url": "javascript:x"}, "result_url"),
        ({"message_reference": "x" * 256}, "message_reference"), ({"message_reference": "a\0b"}, "message_reference"),
        ({"call_parameters": "x" * 256}, "call_parameters"),
        ({"max_retries": "11"}, "max_retries"), ({"max_retries": "-1"}, "max_retries"), ({"max_retries": "two"}, "max_retries"),
        ({"retry_interval": "59"}, "retry_interval"), ({"retry_interval": "172801"}, "retry_interval"),
        ({"scheduled_timestamp": "x"}, "scheduled_timestamp"), ({"scheduled_time": "may"}, "scheduled_time"),
        ({"scheduled_time": "tomorrow", "scheduled_timestamp": "1800000001"}, "scheduled_time"),
        ({"expiration_timestamp": "1700000000"}, "expiration_timestamp"),
        ({"expiration_time": "+1 hour", "scheduled_time": "+2 hours"}, "expiration_time"),
    ],
)  # fmt: skip
async def test_whatever_is_refused_is_named_and_queues_nothing(
    service: Service, change: dict[str, str | None], names: str
) -> None:
    values = {name: value for name, value in {**CALL, **change}.items() if value is not None}
    reply = await service.post("/webservice/queuecall.php", values)
    assert reply.get("status") == "failed"
    assert names in (reply.findtext("error") or "")
    assert await service.queued() == 0


async def test_a_variable_given_twice_is_refused(service: Service) -> None:
    reply = await service.post("/webservice/queuecall.php", [*CALL.items(), ("max_retries", "1"), ("max_retry", "2")])
    assert reply.findtext("error") == "max_retries is given more than once"


async def test_times_are_read_in_the_accounts_zone(service: Service) -> None:
    reply = await service.post("/webservice/queuecall.php", {**CALL, "scheduled_time": "tomorrow 09:00"})
    call = await service.store.call(int(reply.get("call_id", "0")))  # type: ignore[arg-type]
    assert call is not None
    assert call.due_at == 1_800_108_000_000  # 2027-01-16 09:00 in New York is 14:00 UTC


async def test_a_url_that_does_not_answer_is_refused(service: Service) -> None:
    service.unreachable["http://app/start.php"] = "answers HTTP 404 instead of 200"
    reply = await service.post("/webservice/queuecall.php", CALL)
    assert reply.findtext("error") == "start_url answers HTTP 404 instead of 200"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"login=\xff\xfe", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=login\r\n\r\nabc", "multipart/form-data; boundary=x"),
        (b"--x\r\nnothing\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Dis\xafposition: form-data; name=login\r\n\r\nabc\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nname=login\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"anything", "multipart/form-data"),
        (b"a=1&" * 200, "application/x-www-form-urlencoded"),
        (io.BytesIO(b"login=" + b"x" * 5_000_000), "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
async def test_bodies_that_are_no_form(service: Service, body: bytes | io.BytesIO, kind: str) -> None:
    for page in ("queuecall", "queuecalls"):
        if isinstance(body, io.BytesIO):
            body = io.BytesIO(body.getvalue())
        reply = await service.post(f"/webservice/{page}.php", body, {"Content-Type": kind})
        assert (reply.tag, reply.get("status")) == (page, "failed")
        assert "internal" not in (reply.findtext("error") or "internal")


async def test_a_body_beyond_the_limit_is_refused_before_it_fills_the_disk(service: Service) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="phone_list"; filename="l"\r\n\r\n'
        while sent < 8 * MAX_BODY:
            sent += MAX_BODY // 8
            yield b"6175551234\r\n" * (MAX_BODY // 96)

    with suppress(aiohttp.ClientConnectionError):  # the service need not read on to answer
        reply = await service.post(
            "/webservice/queuecalls.php", endless(), {"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert reply.findtext("error") == f"the body is larger than {MAX_BODY} bytes"
    assert sent < 4 * MAX_BODY


async def test_a_list_given_twice_is_refused_and_leaves_no_file(service: Service) -> None:
    for multipart in (False, True):
        values = [*GOOD.items(), ("campaign_name", "c"), ("phone_list", "6175551234"), ("phone_list", "6175551235")]
        reply = await service.post(
            "/webservice/queuecalls.php", aiohttp.FormData(values, default_to_multipart=multipart)
        )
        assert reply.findtext("error") == "phone_list is given more than once"


def test_lists_that_a_killed_process_left_are_removed(tmp_path: Path) -> None:
    clear_spool(tmp_path / "absent")
    new_spool_file(tmp_path).close()
    clear_spool(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_text_that_people_write_is_no_control_character(service: Service) -> None:
    text = "10\u00a0000\u202f\u20ac \U0001f468\u200d\U0001f469\u200d\U0001f467 \u00ad\u3000"
    reply = await service.post("/webservice/queuecall.php", {**CALL, "message_reference": text})
    assert (reply.get("status"), reply.findtext("message_reference")) == ("queued", text)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_body_that_is_not_what_its_encoding_says_is_malformed(service: Service, kind: str) -> None:
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    reply = await service.post("/webservice/queuecall.php", b"login=x", headers)
    assert "malformed" in (reply.findtext("error") or "")


def upload(content: bytes, **values: str) -> aiohttp.MultipartWriter:
    """The list first, then the variables, as PHP sends them."""
    writer = aiohttp.MultipartWriter("form-data")
    part = writer.append(io.BytesIO(content))
    part.set_content_disposition("form-data", name="phone_list", filename="list.csv")
    for name, value in {**GOOD, "campaign_name": "spring", **values}.items():
        writer.append(value).set_content_disposition("form-data", name=name)
    return writer


async def test_a_list_is_queued_and_bad_lines_cost_only_themselves(service: Service) -> None:
    listed = (
        b'"destination","first_name","call_parameters"\r\n"tel:+16177123000;ani=8009957586;postd=2","Plum","x=1"\r\n'
        b'6175551234,"Zo\xc3\xab",\r\n617-555-1234,twice,\r\n911,no,\r\nnonsense,,\r\n'
    )
    reply = await service.post("/webservice/queuecalls.php", upload(listed))
    assert (reply.get("status"), reply.get("queued"), reply.get("rejected")) == ("queued", "2", "3")
    assert [(one.get("line"), one.text) for one in reply.findall("rejected")] == [
        ("4", "is a duplicate of line 3"),
        ("5", "may not be dialed: it is an emergency number"),
        ("6", "is neither a telephone number, a sip: address nor an extension"),
    ]
    page = await service.store.calls(CallQuery(campaign=CampaignId(int(reply.get("campaign_id", "0")))), None, 10)
    assert [
        (one.destination, one.ani, one.postd, one.campaign_parameters, one.plan.call_parameters) for one in page.calls
    ] == [
        ("tel:+16177123000;ani=8009957586;postd=2", "8009957586", "2", "first_name=Plum", "x=1"),
        ("6175551234", None, None, "first_name=Zo%C3%AB", None),
    ]
    again = await service.post("/webservice/queuecalls.php", upload(listed))
    assert "campaign_name 'spring' was used before" in (again.findtext("error") or "")


@pytest.mark.parametrize(
    ("listed", "words"),
    [(b"", "holds no numbers"), (b"\n# only\n", "holds no numbers"), (b"x\ny\n", "2 lines rejected"),
     (b"destination,a,a\n", "column twice")],
)  # fmt: skip
async def test_a_list_without_a_number_queues_nothing(service: Service, listed: bytes, words: str) -> None:
    reply = await service.post("/webservice/queuecalls.php", upload(listed))
    assert words in (reply.findtext("error") or "")
    assert await service.store.campaigns(None) == []


async def test_the_literal_path_of_php_7_gets_its_own_error(service: Service) -> None:
    values = {**GOOD, "campaign_name": "c", "phone_list": "@path/to/file/phonenumbers.txt"}
    for form in (values, aiohttp.FormData(values, default_to_multipart=True)):
        reply = await service.post("/webservice/queuecalls.php", form)
        assert "CURLFile" in (reply.findtext("error") or "")


async def test_a_list_in_a_plain_field_is_taken(service: Service) -> None:
    values = {**GOOD, "campaign_name": "c", "phone_list": "6175551234\r\n6175551235"}
    reply = await service.post("/webservice/queuecalls.php", values)
    assert reply.get("queued") == "2"


async def test_a_long_list_streams(service: Service) -> None:
    listed = b"".join(b"1617%07d\n" % (5550000 + number) for number in range(100_000))
    reply = await service.post("/webservice/queuecalls.php", upload(listed))
    assert (reply.get("queued"), reply.get("rejected")) == ("100000", "0")
    assert await service.queued() == 100_000


async def test_an_upload_that_breaks_off_leaves_nothing(service: Service) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="phone_list"; filename="l"\r\n\r\n6175551234\r\n'
        raise ConnectionResetError

    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await service.client.post(
            "/webservice/queuecalls.php", data=broken(), headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    assert await service.store.campaigns(None) == []


async def test_guessing_a_pin_is_slowed(service: Service) -> None:
    guess = {"login": "user1", "phone_number": "6175551234", "start_url": "http://a/s"}
    said = [
        (await service.post("/webservice/queuecall.php", {**guess, "pin": f"{n:04d}"})).findtext("error")
        for n in range(7)
    ]
    assert said[4] == "login or pin is wrong" and "try again in" in str(said[6])
