"""Whatever a client writes in whatever field stays a value: on AMI, AGI, HTTP, in XML, in dial strings and in logs."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from gateway import logs
from gateway.adapters.agi.session import AgiSession
from gateway.adapters.ami import AmiPbx, AmiSettings
from gateway.adapters.fetcher import HttpFetcher
from gateway.core.addresses import AllowList
from gateway.core.model import AttemptId
from gateway.core.numbers import NumberError, parse_destination
from gateway.core.plum import Submission, failed_reply, queued_reply
from gateway.core.routes import NumberPolicy, Refused, Route, Router, Trunk
from gateway.ports import FetchError, FetchRequest, Originate, Placed
from tests.security.webs import raw_server

#: What breaks out of something, beside every other character.
SHARP = ["\r\n", "\n", "\r", "\0", '"', "\\", "'", ",", "|", "&", "${EXTEN}", "$[1+1]", "%", ";", "<", ">", "\x1b[31m", "\x85", "\u2028",
         "Action: Command", "Variable: A=1", "\r\n\r\n", "]]>", "../", " ", "é", "😀", "\ud800", "@", ")", "(", "=", ":", "\t"]  # fmt: skip
NASTY = st.lists(st.one_of(st.sampled_from(SHARP), st.text(max_size=8)), max_size=8).map("".join)
NUMBERS = st.lists(
    st.one_of(st.sampled_from([*SHARP, "tel:", "sip:", "+1617", "6175551234", "901", ";ani=", ";postd=", "PJSIP/x", "@evil"]),
              st.text("0123456789+*#-. ()", max_size=12)),
    max_size=6,
).map("".join)  # fmt: skip


# --- AMI ---


@dataclass
class Manager:
    """An AMI server that keeps the bytes of what it is sent."""

    pbx: AmiPbx
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
async def manager() -> AsyncIterator[Manager]:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while True:
            try:
                raw = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            heard.append(raw)
            ident = re.search(rb"ActionID: ([^\r\n]*)", raw)
            writer.write(b"Response: Success\r\nActionID: " + (ident[1] if ident else b"") + b"\r\n\r\n")
            if b"Action: Login" in raw:
                writer.write(b"Event: FullyBooted\r\n\r\n")

    async with raw_server(serve) as port:
        pbx = AmiPbx(AmiSettings("127.0.0.1", port, "u", "s", "abc", ping_every=3600.0))
        running = asyncio.create_task(pbx.run())
        async with asyncio.timeout(10):
            while not pbx.connected:
                await asyncio.sleep(0.01)
        yield Manager(pbx, heard)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@given(dial=NASTY, caller=st.none() | NASTY, account=NASTY)
@example(dial="PJSIP/1@t\r\nAction: Command", caller=None, account="a")
@example(dial="PJSIP/1@t", caller='"Zoë" <+16175551234>', account="Müller & Co, ${EXTEN}")
async def test_an_originate_has_its_headers_and_no_other(
    manager: Manager, dial: str, caller: str | None, account: str
) -> None:
    manager.heard.clear()
    attempt = AttemptId("vg-abc-0123")
    placed = await manager.pbx.originate(Originate(attempt, dial, caller, account, 30.0, 60))
    if placed.placed is Placed.NOT_SENT:
        assert not manager.heard
        assert "control character" in placed.reason or "longer than" in placed.reason
        return
    (raw,) = manager.heard
    expected = [
        "Action: Originate", f"ActionID: {attempt}", f"ChannelId: {attempt}", f"Channel: {dial}", "Context: voxgate-answered",
        "Exten: 60", "Priority: 1", "Timeout: 30000", f"Account: {account}", "Async: true",
        *([] if caller is None else [f"CallerID: {caller}"]),
    ]  # fmt: skip
    assert sorted(raw.removesuffix(b"\r\n\r\n").split(b"\r\n")) == sorted(line.encode() for line in expected)


# --- AGI ---


def words(line: bytes) -> list[str]:
    """One AGI command's words, as res_agi's parse_args reads them: quotes, and backslashes everywhere."""
    found: list[str] = []
    current, quoted, escaped, inside = "", False, False, False
    for char in line.decode():
        if escaped:
            current, escaped, inside = current + char, False, True
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted, inside = not quoted, True
        elif char in " \t" and not quoted:
            if inside:
                found.append(current)
            current, inside = "", False
        else:
            current, inside = current + char, True
    return [*found, current] if inside else found


@dataclass
class Asterisk:
    session: AgiSession
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
async def asterisk() -> AsyncIterator[Asterisk]:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            heard.append(line)
            writer.write(b"200 result=0\n")

    async with raw_server(serve) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield Asterisk(AgiSession({}, reader, writer, "call/x"), heard)
        writer.close()
        await writer.wait_closed()


@given(text=NASTY, other=NASTY)
async def test_an_agi_argument_arrives_as_it_was(asterisk: Asterisk, text: str, other: str) -> None:
    session = asterisk.session
    commands: list[tuple[Any, list[str]]] = [
        (lambda: session.stream_file(text, other), ["STREAM", "FILE", text, other]),
        (lambda: session.set_variable("CALLERID(num)", text), ["SET", "VARIABLE", "CALLERID(num)", text]),
        (lambda: session.execute("Dial", text), ["EXEC", "Dial", text]),
        (lambda: session.record_file(text, "wav", other, 5000, beep=True, silence=2),
         ["RECORD", "FILE", text, "wav", other, "5000", "BEEP", "s=2"]),
    ]  # fmt: skip
    for send, expected in commands:
        asterisk.heard.clear()
        try:
            await send()
        except ValueError:  # what would end the command, or is no text
            assert not asterisk.heard
            assert re.search("[\r\n\0\ud800-\udfff]", text + other)
            continue
        (line,) = asterisk.heard
        assert words(line.removesuffix(b"\n")) == expected
    assert not session.hung_up


# --- dial strings ---


ROUTER = Router(
    {"t": Trunk("t", "PJSIP/{number}@t"), "x": Trunk("x", "Local/{number}@in"), "s": Trunk("s", "PJSIP/t/{number}")},
    [Route("", "t"), Route("", "x", extensions=True), Route("", "s", sip=True)],
)
DIALED = re.compile(
    r"PJSIP/\+?[0-9]{1,32}@t|Local/[0-9]{1,6}@in|PJSIP/t/sip:[A-Za-z0-9_.+~-]{1,64}@[a-z0-9.-]{1,252}(:[0-9]{1,5})?"
)


@given(NUMBERS)
@example("500&PJSIP/other")
@example("+16175551234@evil")
@example("sip:a@b.example&PJSIP/x")
@example("sip:a@b.example,30,g(x)")
@example("${SHELL(id)}")
@example("6175551234;ani=1\r\nVariable: A=1")
@example("6175551234;postd=1${EXTEN}")
@example("٦١٧٥٥٥١٢٣٤")
def test_nothing_but_a_number_or_a_checked_address_is_dialed(text: str) -> None:
    try:
        found = parse_destination(text, "US")
        dialable = ROUTER.resolve(found.kind, found.dialed, NumberPolicy(), "US")
    except (NumberError, Refused):
        return
    assert DIALED.fullmatch(dialable.dial_string)
    assert found.ani is None or re.fullmatch(r"\+?[0-9]{2,20}", found.ani)
    assert found.postd is None or re.fullmatch(r"[0-9*#A-Da-dwW,pP]{1,64}", found.postd)


# --- HTTP and XML ---


@dataclass
class Customer:
    fetcher: HttpFetcher
    port: int
    heard: list[bytes]


@pytest.fixture(scope="module")
async def customer() -> AsyncIterator[Customer]:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                heard.append(head + await reader.readexactly(int(length[1]) if length else 0))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(serve) as port:
        fetcher = HttpFetcher(AllowList.of(["127.0.0.1/32"]))
        yield Customer(fetcher, port, heard)
        await fetcher.close()


@given(reference=NASTY, parameters=NASTY)
async def test_a_post_s_values_come_back_as_they_were_and_make_no_header(
    customer: Customer, reference: str, parameters: str
) -> None:
    form = (("message_reference", reference), ("call_parameters", parameters), ("call_id", "1"))
    customer.heard.clear()
    request = FetchRequest(f"http://127.0.0.1:{customer.port}/r", method="POST", form=form)
    try:
        await customer.fetcher.fetch(request)
    except FetchError:
        assert re.search("[\ud800-\udfff]", reference + parameters)
        return
    (raw,) = customer.heard
    head, _, body = raw.partition(b"\r\n\r\n")
    assert {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]} == {
        b"Host", b"User-Agent", b"Accept", b"Accept-Encoding", b"Content-Length", b"Content-Type",
    }  # fmt: skip
    assert tuple(parse_qsl(body.decode(), keep_blank_values=True)) == form


@given(values=st.dictionaries(st.sampled_from(["login", "phone_number", "message_reference", "campaign_name"]), NASTY))
def test_what_is_echoed_in_xml_is_text(values: dict[str, str]) -> None:
    for reply in (
        failed_reply("queuecall", values.get("login", ""), values),
        queued_reply(Submission("queuecall", values), 7),
    ):
        root = etree.fromstring(reply)
        assert root.tag == "queuecall"
        assert set(root.attrib) <= {"status", "call_id"}
        assert {one.tag for one in root} <= {*values, "error"}
        for name, value in values.items():
            if value and (found := root.find(name)) is not None:
                kept = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value[:300])
                assert (found.text or "") == kept.replace("\r\n", "\n").replace("\r", "\n")


# --- logs ---


@pytest.fixture
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level
    logging.captureWarnings(False)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("as_json", [False, True])
def test_no_value_ends_its_line_or_moves_the_cursor(as_json: bool) -> None:
    stream = io.StringIO()

    @given(NASTY)
    @example("\x1b[31m2026-01-01T00:00:00Z [info] attempt.dialing")
    @example("x\n2026-01-01T00:00:00Z [info     ] account.add")
    def written(text: str) -> None:
        stream.seek(0)
        stream.truncate()
        logs.configure(as_json=as_json, stream=stream)
        try:
            raise ValueError(text)
        except ValueError:
            structlog.get_logger().exception("session.failed", url=text, who=[text], names={text: text})
        logging.getLogger("library").error("said %s", text)
        structlog.get_logger().info("ami.up", peer=text)
        lines = stream.getvalue().split("\n")[:-1]
        if as_json:
            assert [json.loads(line)["event"] for line in lines] == ["session.failed", "library.said", "ami.up"]
        else:
            assert [line for line in lines if not line.startswith("  | ")] == [lines[0], *lines[-2:]]
            assert all(line.isprintable() for line in lines)
        structlog.reset_defaults()

    written()
