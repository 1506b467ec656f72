"""Tokens, result posts, the live tail and `top`, against a gateway that has no Asterisk."""

from __future__ import annotations

import getpass
import http.server
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.cli.exits import ExitStatus
from gateway.cli.top import Window
from gateway.config import load as load_config
from lab.instance import free_port
from tests.cli.test_commands import voxgate
from tests.cli.test_serving import wait_for
from voxgate import models

CONFIG = """installation = "abc"
[ami]
secret = "x"
port = 1
[agi]
port = 0
[audiosocket]
port = 0
[server]
port = {port}
[intake]
preflight = false
[fetch]
allow = ["127.0.0.0/8"]
[[trunk]]
name = "carrier"
dial = "PJSIP/{{number}}@carrier"
max_calls = 7
[[route]]
trunk = "carrier"
"""


class Customer(http.server.BaseHTTPRequestHandler):
    """Takes result posts with ``status``, and keeps their ids."""

    status = 500
    ids: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.ids.append(self.headers["webhook-id"])
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def customer() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Customer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/result"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("operating")
    (folder / "voxgate.toml").write_text(CONFIG.format(port=free_port()))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "serve", "--config", str(folder / "voxgate.toml")],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(lambda: process.poll() is not None or "gateway.started" in (folder / "log").read_text())
        assert process.poll() is None, (folder / "log").read_text()
        done = voxgate("account", "add", "user1", "--time-zone", "UTC", "--country", "US", cwd=folder)
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def said(folder: Path, *words: str) -> Any:
    done = voxgate(*words, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_tokens_life(folder: Path) -> None:
    issued = said(folder, "account", "token", "add", "user1", "--name", "crm", "--scope", "calls", "--scope", "read")
    assert issued["token"].startswith("vgt_")
    assert (issued["account"], sorted(issued["scopes"])) == ("user1", ["calls", "read"])
    shown = voxgate("account", "token", "list", cwd=folder).stdout
    assert "crm" in shown and issued["token"] not in shown
    assert "is revoked" in voxgate("account", "token", "revoke", str(issued["id"]), cwd=folder).stdout
    (listed,) = said(folder, "account", "token", "list")
    assert listed["revoked_at"] is not None
    refused = voxgate("account", "token", "revoke", "99", cwd=folder)
    assert (refused.returncode, "no token 99" in refused.stderr) == (ExitStatus.REFUSED, True)
    refused = voxgate("account", "token", "add", "nobody", "--name", "x", cwd=folder)
    assert refused.returncode == ExitStatus.REFUSED and "nobody" in refused.stderr


def test_a_pin_is_read_from_the_input_so_that_no_word_of_the_command_is_one(folder: Path) -> None:
    words = ("account", "pin", "user1", "--pin", "-", "--json")
    command = [sys.executable, "-m", "gateway.cli", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, input="24681357\n")
    assert json.loads(done.stdout)["pin"] is None
    port = load_config(folder / "voxgate.toml", {}).server.port
    asked = requests.get(f"http://127.0.0.1:{port}/api/v1/calls", auth=("user1", "24681357"), timeout=30)
    assert asked.status_code == 200


def test_a_signing_secrets_life(folder: Path) -> None:
    assert "not signed" in voxgate("account", "signing", "show", "user1", cwd=folder).stdout
    first, second = (said(folder, "account", "signing", "new", "user1") for _ in range(2))
    assert first["secret"] != second["secret"] and first["old_until"] is None and second["old_until"] is not None
    shown = voxgate("account", "signing", "show", "user1", cwd=folder).stdout
    assert "are signed" in shown and "also signs until" in shown and "whsec_" not in shown
    assert said(folder, "account", "signing", "off", "user1")["signed"] is False


@contextmanager
def told(folder: Path, *words: str) -> Iterator[list[dict[str, Any]]]:
    """What a command that runs until Ctrl-C has printed so far. It ends by one, and without a complaint."""
    tail = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", *words, "--json"], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tail.stdout is not None and tail.stderr is not None
    seen: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: seen.extend(json.loads(line) for line in tail.stdout or ()))
    reader.start()
    try:
        yield seen
    finally:
        tail.send_signal(signal.SIGINT)
        status = tail.wait(30)
        reader.join(10)
        tail.stdout.close()
        errors = tail.stderr.read()
        tail.stderr.close()
    assert (status, errors) == (ExitStatus.INTERRUPTED, "")


def test_the_audit_log_is_listed_and_told_as_it_grows(folder: Path) -> None:
    with told(folder, "audit", "tail") as seen:

        def heard() -> bool:
            voxgate("account", "set", "user1", "ring_timeout=30", cwd=folder)
            return bool(seen)

        wait_for(heard, 60)
    assert {one["action"] for one in seen} == {"account.change"}
    listed = said(folder, "audit", "list", "--limit", "3")
    assert len(listed) == 3 and listed[0]["id"] > listed[1]["id"] > listed[2]["id"]
    assert (listed[0]["actor"], listed[0]["origin"]) == ("operator", f"the socket, user {getpass.getuser()}")
    assert "account.change" in voxgate("audit", "list", cwd=folder).stdout


def test_results_are_shown_posted_again_and_tried_out(folder: Path, customer: str) -> None:
    given = ("--account", "user1", "--start-url", "http://127.0.0.1:2/s", "--result-url", customer)
    ident = voxgate("call", "6175550100", *given, cwd=folder).stdout.strip()
    assert said(folder, "why", ident)["reason"] == "no_ami"
    # Nothing can be dialed: its expiration ends it, and its result is owed.
    soon = (datetime.now(UTC) + timedelta(seconds=10)).strftime("%Y-%m-%d %H:%M:%S UTC")
    (folder / "list.txt").write_text("16175550101\n")
    load = said(folder, "campaign", "load", "short", "list.txt", *given, "--expires", soon)
    wait_for(lambda: said(folder, "result", "list", "--state", "waiting"), 60)
    (owed,) = said(folder, "result", "list", "--account", "user1")
    wait_for(lambda: said(folder, "result", "show", owed["id"])["tries"] >= 1)
    detail = said(folder, "result", "show", owed["id"])
    assert (detail["last_status"], detail["history"][0]["status"]) == (500, 500)
    Customer.status = 200
    assert "1 posted again" in voxgate("result", "redeliver", owed["id"], cwd=folder).stdout
    wait_for(lambda: said(folder, "result", "show", owed["id"])["state"] == "accepted")
    assert set(Customer.ids) == {owed["id"]}
    assert voxgate("result", "test", customer, cwd=folder).returncode == 0
    Customer.status = 404
    refused = voxgate("result", "test", customer, cwd=folder)
    assert (refused.returncode, "HTTP 404" in refused.stdout) == (ExitStatus.REFUSED, True)
    assert said(folder, "result", "redeliver", "--given-up") == []
    assert voxgate("result", "redeliver", cwd=folder).returncode == ExitStatus.USAGE
    assert load["queued"] == 1


def test_the_tail_tells_what_happens(folder: Path) -> None:
    with told(folder, "calls", "tail", "--kinds", "call.*") as seen:
        given = ("--account", "user1", "--start-url", "http://127.0.0.1:2/s", "--at", "tomorrow 9am")

        def heard() -> bool:
            ident = voxgate("call", "6175550102", *given, cwd=folder).stdout.strip()
            voxgate("calls", "cancel", ident, cwd=folder)
            return any(one["kind"] == "call.queued" for one in seen)

        wait_for(heard)
    assert "call_id" in seen[0]["data"]


def test_one_look_at_the_top(folder: Path) -> None:
    found = said(folder, "top")
    assert found["status"]["trunks"]["carrier"]["max_calls"] == 7
    assert found["why"]["reason"] == "no_ami"
    shown = voxgate("top", "--once", cwd=folder).stdout
    assert "AMI down" in shown and "carrier" in shown and "what changes it" in shown


def test_the_window_counts_pace_and_outcomes() -> None:
    now = 100.0
    window = Window(clock=lambda: now, began=90.0)

    def event(kind: str, **data: object) -> models.Event:
        return models.Event(id=1, kind=kind, at=datetime.now(UTC), data=data)

    for _ in range(20):
        window.saw(event("attempt.started", trunk="a"))
    window.saw(event("attempt.ended", callee_type="busy"))
    window.saw(event("attempt.ringing"))
    assert window.pace() == {"a": 2.0}
    assert window.outcomes() == {"busy": 1}
    now = 111.0
    assert window.pace() == {}
    assert window.outcomes() == {"busy": 1}
    now = 3800.0
    assert window.outcomes() == {}


@pytest.mark.parametrize(
    "command",
    [
        "account list", "account token list", "calls list", "campaign list", "result list", "config show", "config check",
        "db check", "metrics", "reload", "retention show", "retention run --dry-run", "retention run", "route test +16175550100",
        "status", "version", "why",
    ],
)  # fmt: skip
def test_what_is_asked_is_told_in_words(folder: Path, command: str) -> None:
    done = voxgate(*command.split(), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
