"""What Asterisk received, byte for byte, of calls whose every field was written by somebody who wanted more."""

from __future__ import annotations

import re
import socket
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import quoteattr

import pytest

from lab.gateway import PIN, Beside, GatewayProcess
from lab.instance import free_port
from lab.lab import Lab
from lab.proxy import Proxy
from tests.fakes.asterisk import FakeAsterisk
from tests.road.waiting import wait_for

#: In each value; nothing of Asterisk's may hold it but where it belongs.
MARK = "CANARY"
VALUES = [
    f"{MARK}\r\nAction: Command\r\nCommand: core stop now\r\n\r\n", f"{MARK}\nVariable: {MARK}=1", f'{MARK}" HANGUP', f"{MARK}\\",
    f"${{SHELL({MARK})}}", f"$[{MARK}]", f"{MARK},30,g(x)|y&PJSIP/z", f"<{MARK}>&amp;]]>", f"{MARK}\x1b[2J\u2028", f"é😀{MARK}",
]  # fmt: skip
LOGIN = f"{MARK} ${{EXTEN}}, a|b"
CALLER_ID = f'"{MARK}, ${{EXTEN}}" <+15558675309>'
TRANSFERS = [
    "tel:+16175551234&PJSIP/{0}@carrier", "tel:+16175551234,30,g({0})", "sip:a@b&PJSIP/{0}", "${{{0}}}", "tel:901\r\nVariable: {0}=1",
    "tel:+16175551234;postd={0}", "Local/{0}@voxgate-phones",
]  # fmt: skip
HEADERS = {
    "Login": {"Username", "Secret", "Events"}, "Ping": set(), "CoreStatus": set(), "CoreShowChannels": set(), "Logoff": set(),
    "Hangup": {"Channel", "Cause"}, "PlayDTMF": {"Channel", "Digit", "Receive", "Duration"},
    "Originate": {"ChannelId", "Channel", "Context", "Exten", "Priority", "Timeout", "Account", "Async", "CallerID"},
}  # fmt: skip
#: AGI's commands: words, and quoted arguments in which a quote or backslash is escaped.
COMMAND = re.compile(r'[A-Z][A-Za-z ]+( ("(?:[^"\\]|\\.)*"|[0-9]+|BEEP|s=[0-9]+))*')
SET_VARIABLE = re.compile(r'SET VARIABLE "(VOXGATE_DONE|CALLERID\(num\)|TONE_DETECT\([^"]*\))" ')


class Witness(Proxy):
    """A link that keeps what passed each way."""

    def __init__(self, target: int, port: int = 0) -> None:
        self.upwards, self.downwards = bytearray(), bytearray()
        super().__init__(target, port)

    def _forward(self, data: bytes, sink: socket.socket, upwards: bool) -> None:
        (self.upwards if upwards else self.downwards).extend(data)
        super()._forward(data, sink, upwards)


def application() -> str:
    """Speaks every value, logs it, and transfers to where nobody may; each refusal leads on."""
    forms = "".join(
        f"<form id='t{n}'><var name='to' expr={quoteattr(expr(to.format(MARK)))}/><transfer name='x' destexpr='to'/>"
        f"<catch event='error connection'><assign name='refused' expr='refused + 1'/><goto next='#t{n + 1}'/></catch></form>"
        for n, to in enumerate(TRANSFERS)
    )
    said = "".join(
        f"<prompt><value expr={quoteattr(expr(one))}/></prompt><log expr={quoteattr(expr(one))}/>" for one in VALUES
    )
    return (
        '<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><var name="refused" expr="0"/>'
        f"<form><block>{said}<goto next='#t0'/></block></form>{forms}"
        f"<form id='t{len(TRANSFERS)}'><block><submit next='/done' method='post' namelist='refused'/></block></form></vxml>"
    )


def expr(text: str) -> str:
    return "'" + "".join(f"\\u{ord(one):04x}" if ord(one) < 0x10000 else one for one in text) + "'"


@contextmanager
def customer(posts: list[dict[str, str]]) -> Iterator[str]:
    """The customer's web server: the application for everything, and what was posted to /result."""
    page = application().encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            done = self.path == "/done"
            posts.append({"path": self.path.partition("?")[0], **dict(urllib.parse.parse_qsl(body))})
            self.answer(b'<vxml version="2.1"><form><block><exit/></block></form></vxml>' if done else page)

        def do_GET(self) -> None:
            self.answer(page)

        def answer(self, page: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/voicexml+xml")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def attack(beside: Beside, number: str) -> None:
    posts: list[dict[str, str]] = []
    own = free_port()
    with Witness(beside.ami_port) as ami, Witness(own, beside.agi_port) as agi, customer(posts) as web:
        gateway = GatewayProcess(beside, name="injection", ami_port=ami.port, agi_port=own)
        gateway.voxgate(
            "account", "add", LOGIN, "--time-zone", "UTC", "--country", "US", "--pin", PIN, "--caller-id", CALLER_ID,
            "--allow-ani", "8009957586", "--allow-ani", "+15558675309",
        )  # fmt: skip
        gateway.start()
        try:
            queued = _queue(gateway, number, web)
            assert len(queued) == len(VALUES)
            wait_for(lambda: sum(one["path"] == "/result" for one in posts) == len(queued), 150)
        finally:
            status = gateway.stop()
        assert status == 0
        began = [one for one in posts if one["path"] == "/s"]
        # The customer gets his own words back as he wrote them, from start_url on.
        assert Counter(one["message_reference"] for one in began) == Counter(queued.values())
        assert Counter(one["call_parameters"] for one in began) == Counter(queued.values())
        assert {one["result"] for one in posts if one["path"] == "/result"} == {"completed"}
        assert [one["refused"] for one in posts if one["path"] == "/done"] == [str(len(TRANSFERS))] * len(queued)
        _check_manager(bytes(ami.upwards), number)
        _check_agi(bytes(agi.upwards if b"agi_network" in agi.downwards else agi.downwards))


def _queue(gateway: GatewayProcess, number: str, web: str) -> dict[str, str]:
    """A call for each value; each other way to a second destination is refused."""
    queued: dict[str, str] = {}
    for value in VALUES:
        query = urllib.parse.quote(value)
        fields = {
            "login": LOGIN, "pin": PIN, "phone_number": f"tel:{number};ani=8009957586" if len(queued) % 2 else f"tel:{number}",
            "start_url": f"{web}/s?x={query}", "result_url": f"{web}/result?x={query}", "message_reference": value,
            "call_parameters": value, "max_retries": "0", "detection": "off",
        }  # fmt: skip
        if not value.isprintable():
            with pytest.raises(RuntimeError, match="control characters"):
                gateway.queue_call(**fields)
            value = "".join(one if one.isprintable() else " " for one in value)
            fields |= {"message_reference": value, "call_parameters": value}
        queued[gateway.queue_call(**fields)] = value
        for refused in (
            f"{number}&PJSIP/{value}@carrier", f"{number}{value}", f"tel:{number};ani={value}", f"tel:{number};postd={value}",
            f"sip:{value}@example.com", f"sip:a@{value}",
        ):  # fmt: skip
            with pytest.raises(RuntimeError, match="phone_number"):
                gateway.queue_call(**{**fields, "phone_number": refused})
    return queued


def _check_manager(sent: bytes, number: str) -> None:
    originates = 0
    for block in sent.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n"):
        pairs = [line.decode().partition(": ") for line in block.split(b"\r\n")]
        headers = {name: value for name, _, value in pairs}
        assert len(headers) == len(pairs), block
        action = headers.pop("Action")
        assert headers.pop("ActionID")
        assert set(headers) <= HEADERS[action], block
        if action == "Originate" and headers["Context"] == "voxgate-answered":
            originates += 1
            assert headers["Channel"] == f"PJSIP/{number}@carrier"
            assert headers["Account"].isdigit()  # not even the login
            assert headers["CallerID"] in (CALLER_ID, "8009957586", "+18009957586")
            headers["CallerID"] = ""
        assert not any(MARK in value for value in headers.values()), block
    assert originates == len(VALUES)


def _check_agi(sent: bytes) -> None:
    lines = sent.decode().splitlines()
    assert sum(line.startswith("STREAM FILE") for line in lines) >= len(VALUES)
    for line in lines:
        assert COMMAND.fullmatch(line), line
        assert MARK not in line
        if line.startswith("SET VARIABLE"):
            assert SET_VARIABLE.match(line), line
        assert not line.startswith("EXEC Dial"), line


def test_a_fake_asterisk_receives_nothing_but_what_was_meant() -> None:
    with FakeAsterisk(speed=5.0) as asterisk:
        attack(asterisk, asterisk.number("person"))


def test_a_real_asterisk_receives_nothing_but_what_was_meant(lab: Lab) -> None:
    number = lab.number("person")
    attack(lab, number)
    found = [one for one in lab.invites() if "CANARY" in one.number]
    assert not found
