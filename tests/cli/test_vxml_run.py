"""An application walked through at a terminal, without a phone."""

from __future__ import annotations

import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from tests.vxml.caller import document

MENU = document("""
<menu id="main">
  <prompt>Welcome.<break time="300ms"/><mark name="m"/>
    <audio src="missing.wav">Press 1 to leave a message, 2 for an operator.</audio></prompt>
  <choice dtmf="1" next="#leave">message</choice>
  <choice dtmf="2" next="#operator">operator</choice>
  <noinput>Still there? <reprompt/></noinput>
</menu>
<form id="leave">
  <record name="words" beep="true" maxtime="10s"><prompt>Speak.</prompt>
    <filled><prompt>You said <audio expr="words"/></prompt>
      <log label="length" expr="words$.duration + ' ' + words$.termchar + ' ' + words$.maxtime"/>
      <goto next="#pin"/></filled></record>
</form>
<form id="pin">
  <field name="pin" type="digits?length=4"><prompt>Your PIN?</prompt>
    <filled><prompt>Thank you.</prompt><exit namelist="pin"/></filled></field>
</form>
<form id="operator">
  <transfer name="way" type="bridge" dest="tel:+15550199"><prompt>Connecting.</prompt>
    <filled><prompt>It was <value expr="way"/> for <value expr="way$.duration"/>.</prompt></filled></transfer>
</form>""")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "menu.vxml").write_text(MENU)
    return tmp_path


def run(*words: str, script: str | None = None, typed: str | None = None) -> Result:
    options = []
    if script is not None:
        Path("script.txt").write_text(script)
        options = ["--script", "script.txt"]
    return CliRunner().invoke(app, ["vxml", "run", *words, *options], input=typed)


def form(body: str) -> str:
    Path("form.vxml").write_text(document(f"<form>{body}</form>"))
    return "form.vxml"


def test_a_script_walks_from_the_first_prompt_to_the_end(desk: Path) -> None:
    done = run("menu.vxml", script="# the whole way\nnoinput\n\n1  # a message\nrecord 4 #\n1234\n")
    assert done.exit_code == 0, done.output
    asked = (
        f"Welcome. [break 0.3 s] [mark m] [audio {(desk / 'missing.wav').as_uri()} is not played: HTTP 404] "
        "Press 1 to leave a message, 2 for an operator."
    )
    assert done.stdout.splitlines() == [
        asked, "> noinput", "Still there?", asked, "> 1", "Speak.", "[beep]", "record> record 4 #",
        "[log length] 4000 # false", "You said [audio recording:1]", "Your PIN?", "> 1234", "Thank you.",
        '[the application has ended with {"pin": "1234"}]',
    ]  # fmt: skip


def test_typed_lines_and_the_end_of_the_input_which_hangs_up(desk: Path) -> None:
    done = run("menu.vxml", typed="?\n\n2\nbusy\n")
    assert done.exit_code == 0
    assert "keys (the first may be 1 2), say WORDS, noinput, or hangup" in done.stdout
    assert "It was busy for 0." in done.stdout
    done = run("menu.vxml", typed="say operator\n")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["transfer> hangup", "[the application has ended]"]


def test_a_line_that_cannot_answer_is_asked_for_again(desk: Path) -> None:
    done = run("menu.vxml", typed="2\nmaybe\nanswered 7\n")
    assert "'maybe' is no outcome of this transfer; type answered SECONDS, busy" in done.stdout
    assert "It was far_end_disconnect for 7." in done.stdout


def test_keys_are_typed_ahead_and_pass_over_prompts(desk: Path) -> None:
    done = run(form('<field name="a" type="digits?length=2"><prompt>A?</prompt></field>'
                    '<field name="b" type="digits?length=2"><prompt>B?</prompt></field>'
                    '<block><exit expr="a + b"/></block>'), script="1234\n")  # fmt: skip
    assert done.stdout.splitlines() == [
        "A?", "> 1234", "[passed over: 34 was typed ahead]", "> 34", '[the application has ended with "1234"]',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("2\n", "script.txt: the application asks for another input after line 1: type answered SECONDS"),
        ("", "script.txt: the application asks for another input and it has none: type keys"),
        ("2\nbusy\n1\n3\n", "script.txt:3: '1' was never asked for: the application ended with 2 inputs left"),
        ("2\nmaybe\n", "script.txt:2: 'maybe' is no outcome of this transfer"),
        ("1\nrecord soon\n", "script.txt:2: 'soon' is no number of seconds"),
    ],
)
def test_a_script_that_does_not_fit_says_where(desk: Path, script: str, complaint: str) -> None:
    done = run("menu.vxml", script=script)
    assert done.exit_code == 1
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("typed", "logged"),
    [
        ("record 3", "3000 undefined false"),
        ("record 2.5 #", "2500 # false"),
        ("record 99", "10000 undefined true"),
    ],
)  # fmt: skip
def test_recordings_tell_length_key_and_limit(desk: Path, typed: str, logged: str) -> None:
    assert f"[log length] {logged}" in run("menu.vxml#leave", script=f"{typed}\n1234\n").stdout


def test_a_key_before_a_recording_makes_none_and_a_hangup_keeps_it(desk: Path) -> None:
    assert run("menu.vxml#leave", script="5\nhangup\n").stdout.count("record> ") == 2
    app_ = form('<record name="r"><filled><log>kept</log></filled></record>'
                '<catch event="connection.disconnect"><log>gone <value expr="r != undefined"/></log></catch>')  # fmt: skip
    assert "[log] gone true" in run(app_, script="record 3 hangup\n").stdout


@pytest.mark.parametrize(
    ("kind", "typed", "caught"),
    [
        ("blind", "answered", "connection.disconnect.transfer"),
        ("blind", "error.connection.noroute", "error.connection.noroute"),
        ("consultation", "answered", "connection.disconnect.transfer"),
    ],
)
def test_transfers_end_in_events(desk: Path, kind: str, typed: str, caught: str) -> None:
    app_ = form(f'<transfer name="t" type="{kind}" dest="tel:1"/><catch><log expr="_event"/><exit/></catch>')
    assert f"[log] {caught}" in run(app_, script=f"{typed}\n").stdout


def test_a_failing_application_says_what_is_wrong_and_what_to_do(desk: Path) -> None:
    done = run(form("<block><goto next='nowhere.vxml'/></block>"), script="")
    assert done.exit_code == 1
    assert "The application failed with error.badfetch.http.404: file://" in done.stderr
    assert "no such page" in done.stderr
    done = run(form("<field name='a'><grammar root='r'><rule id='r'>yes</rule></grammar></field>"), "--no-speech")
    assert "error.noresource" in done.stderr
    assert "Give the field keys" in done.stderr


def test_wrong_usage_is_status_2(desk: Path) -> None:
    for words in (["nowhere.vxml"], ["menu.vxml", "--script", "nowhere"], ["menu.vxml", "--param", "x"], []):
        assert run(*words).exit_code == 2, words
    assert "there is no file nowhere.vxml: name a VoiceXML file" in run("nowhere.vxml").stderr


def test_a_trace_tells_actions_events_and_fetches(desk: Path) -> None:
    done = run("menu.vxml", "--trace", script="2\nbusy\n")
    url = (desk / "menu.vxml").as_uri()
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        f"  -> fetch document GET {url}",
        f"  <- fetched 200 {url}: {len(MENU)} bytes, application/voicexml+xml",
    ]
    assert "  <- digits 2 after mark m" in lines
    assert "  -> transfer bridge tel:+15550199: at most 20 s of ringing" in lines
    assert lines[-2:] == ["  -> exit {}", "[the application has ended]"]


def test_what_is_heard_is_written_as_numbered_wav_files(desk: Path) -> None:
    app_ = form(
        '<record name="r"><prompt>Speak.</prompt></record><block><prompt><audio expr="r"/><break time="1s"/></prompt></block>'
    )
    done = run(app_, "--audio", "heard", script="record 2\n")
    assert done.exit_code == 0, done.output
    assert "2 WAV files in heard" in done.stdout
    with wave.open("heard/002.wav") as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (3 * 8000, 8000, 1)
    with wave.open("heard/001.wav") as file:
        assert file.getnframes() > 2000


@dataclass
class Server:
    pages: dict[str, str]
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server({})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append((self.command, self.path, body))
            page = told.pages.get(self.path.partition("?")[0])
            told.cookies.append(self.headers.get("Cookie") or "")
            self.send_response(404 if page is None else 200)
            self.send_header("Set-Cookie", "session=7")
            self.end_headers()
            self.wfile.write((page or "").encode())

        do_POST = do_GET

        def log_message(self, *words: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        told.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield told
        running.shutdown()
        thread.join()


def test_an_application_over_http_posts_parameters_and_recordings(desk: Path, server: Server) -> None:
    server.pages["/start"] = document('<form><record name="r" type="audio/basic"/>'
        '<block><submit next="save" method="post" enctype="multipart/form-data" namelist="r"/></block></form>')  # fmt: skip
    server.pages["/save"] = document("<form><block>Saved.</block></form>")
    done = run(f"{server.url}/start", "--param", "phone_number=+1", script="record 1\n")
    assert done.exit_code == 0, done.output
    assert server.asked[0] == ("POST", "/start", b"phone_number=%2B1")
    assert b'filename="recording-1.ul"' in server.asked[1][2]
    assert len(server.asked[1][2]) > 8000
    assert server.cookies == ["", "session=7"]


def test_pages_of_a_server_may_not_read_files(desk: Path, server: Server) -> None:
    secret = (desk / "menu.vxml").as_uri()
    server.pages["/start"] = document(f'<form><block><data name="d" src="{secret}"/></block></form>')
    done = run(f"{server.url}/start", script="")
    assert "an application from a web server may not read files here" in done.stderr
    done = run(form(f'<block><goto next="{server.url}/start"/></block>'), script="")
    assert "may not read files here" in done.stderr
    assert done.exit_code == 1
