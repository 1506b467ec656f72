"""The examples that are shown are run, each in its own language, against the running gateway."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from gateway.core import signing
from gateway.core.model import Millis
from gateway.core.result import example_form
from lab import clients
from lab.instance import free_port
from tests.api.running import Running

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
RUN = {".sh": ["sh"], ".py": [sys.executable], ".js": ["node"], ".php": []}


ASKING = sorted(file for file in EXAMPLES.iterdir() if file.stem != "receive_result")
RECEIVING = sorted(EXAMPLES.glob("receive_result.*"))


@pytest.mark.parametrize("file", ASKING, ids=lambda file: file.name)
def test_an_example_does_what_it_says(running: Running, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXGATE", running.base)
    monkeypatch.setenv("TOKEN", running.customer)
    if file.suffix == ".js" and shutil.which("node") is None:
        pytest.skip("node is not installed: the JavaScript example was not run")
    if file.suffix == ".php":
        said = clients.php(file)
    else:
        words = [*RUN[file.suffix], str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env={**os.environ})
        assert done.returncode == 0, done.stderr
        said = done.stdout
    if file.stem == "listen":
        assert said == "all are queued\n"
    else:
        call = json.loads(said)
        assert (call["dialed"], call["state"], call["max_retries"]) == ("+16175551234", "pending", 2)


@pytest.mark.parametrize("file", RECEIVING, ids=lambda file: file.name)
def test_an_example_takes_signed_results_and_no_others(file: Path) -> None:
    if file.suffix == ".js" and shutil.which("node") is None:
        pytest.skip("node is not installed: the JavaScript example was not run")
    port, secret, now = free_port(), signing.new_secret(), Millis(round(time.time() * 1000))
    words = [*clients.php_words(), "-S", f"127.0.0.1:{port}"] if file.suffix == ".php" else RUN[file.suffix]
    body = urlencode(example_form(now)).encode()
    signed = signing.headers("msg_1", now, body, [signing.new_secret(), secret])
    posts = [
        (signed, body),
        ({**signed, "webhook-id": "msg_2"}, body),
        (signed, body.replace(b"completed", b"failed")),
        (signing.headers("msg_3", Millis(now - 301_000), body, [secret]), body),
        ({}, body),
        (signing.headers("msg_4", now, body, [secret]), body),
    ]
    environment = {**os.environ, "SECRET": secret, "PORT": str(port)}
    with subprocess.Popen(
        [*words, str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            statuses = [_posted(f"http://127.0.0.1:{port}/", *post) for post in posts]
        finally:
            process.terminate()
        assert process.stdout is not None
        said = process.stdout.read()
    assert statuses == [204, 401, 401, 401, 401, 204]
    assert said == "msg_1 0 completed\nmsg_4 0 completed\n"


def _posted(url: str, given: dict[str, str], body: bytes) -> int:
    """The status of the answer, once somebody listens."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", **given}
    for _ in range(300):
        try:
            return requests.post(url, body, headers=headers, timeout=10).status_code
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("nobody listens")


def test_every_example_is_shown() -> None:
    page = (EXAMPLES.parent / "api.md").read_text()
    assert [file.name for file in EXAMPLES.iterdir() if f"(examples/{file.name})" not in page] == []
