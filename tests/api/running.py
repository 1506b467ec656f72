"""A gateway as a process of its own, without an Asterisk: nothing is dialed, all else is real."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.core.model import AccountSettings
from lab.instance import free_port
from voxgate import accounts, tokens
from voxgate.client import Client

CONFIG = """installation = "fuzz"
[server]
port = {port}
[ami]
port = {ami}
secret = "none"
[agi]
port = 0
[intake]
preflight = false
[api]
rate = 100000
burst = 100000
[[trunk]]
name = "t"
dial = "PJSIP/{{number}}@t"
[[route]]
trunk = "t"
"""


@dataclass
class Running:
    base: str
    socket: Path
    token: str  # an operator's
    customer: str  # an account's, that may read and queue
    log: Path


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`voxgate serve` without an Asterisk: nothing is dialed, all else is real."""
    folder = tmp_path_factory.mktemp("fuzz")
    config, port = folder / "voxgate.toml", free_port()
    config.write_text(CONFIG.format(port=port, ami=free_port()))
    log = folder / "log"
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(config), "--log-json"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_for(base)
            socket = folder / "voxgate.sock"
            with Client(socket=socket) as client:
                client.ask(accounts.add("customer", "12345678", AccountSettings("UTC", "US")))
                token = client.ask(tokens.issue("test", ["operator"])).token
                customer = client.ask(tokens.issue("shop", ["read", "calls"], account="customer")).token
            yield Running(base, socket, token, customer, log)
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(base: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{base}/healthz", timeout=5):  # noqa: S310 - our own loopback URL
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
