"""A gateway as a process of its own, without an Asterisk: nothing is dialed, all else is real."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
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


class Running:
    """``token`` is an operator's, ``customer`` that of an account, which may read and queue."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        self.socket = folder / "voxgate.sock"
        self.token = self.customer = ""
        self.config = folder / "voxgate.toml"
        self.config.write_text(CONFIG.format(port=port, ami=free_port()))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(self.config), "--log-json"]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        _wait_for(self.base)
        if self.token:
            return
        with Client(socket=self.socket) as client:
            client.ask(accounts.add("customer", "12345678", AccountSettings("UTC", "US")))
            self.token = client.ask(tokens.issue("test", ["operator"])).token
            self.customer = client.ask(tokens.issue("shop", ["read", "calls"], account="customer")).token

    def kill(self) -> None:
        """kill -9, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`voxgate serve` without an Asterisk: nothing is dialed, all else is real."""
    made = Running(tmp_path_factory.mktemp("running"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


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
