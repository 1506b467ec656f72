"""The gateway as a real process beside the lab: its configuration, its start and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

from gateway.config import load
from lab.hosts import OtherHost
from lab.instance import free_port
from voxgate.client import Client
from voxgate.request import Request

LOGIN, PIN = "demo", "12345678"


class Beside(Protocol):
    """The Asterisk that a gateway stands beside: the lab's PBX, or a fake one."""

    folder: Path
    media: Path
    installation: str
    host: OtherHost | None
    ring_timeout: float
    ami_host: str
    ami_port: int
    ami_user: str
    ami_secret: str
    gateway_host: str
    agi_port: int
    web_port: int
    webphone_secret: str

    @property
    def silent_prefix(self) -> str:
        """Numbers that begin so go to a trunk that never answers."""


class GatewayProcess:
    """``voxgate serve`` on the lab's PBX, or beside a fake one.

    ``retry_gap_scale`` shortens retry gaps, in the lab only. ``ami_port`` is that of a :class:`lab.proxy.Proxy` where
    the link is to be cut. ``agi_port`` is for a gateway beside another one: no call reaches it there. ``tap``
    is the section [audiosocket] where it is to be another one, ``ami`` further lines of [ami], ``more`` sections.
    ``words`` come before every command, and ``env`` is added to the environment of ``serve``.
    """

    def __init__(
        self,
        lab: Beside,
        *,
        name: str = "gateway",
        retry_gap_scale: float = 1.0,
        cps: float = 20.0,
        max_calls: int = 60,
        ami_port: int | None = None,
        agi_port: int | None = None,
        tap: str = "",
        ami: str = "",
        more: str = "",
        words: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.lab = lab
        self.words = list(words)
        self.env = dict(env or {})
        self.options: list[str] = []  # of `voxgate serve`, beside the usual ones
        self.folder = lab.folder / name
        self.folder.mkdir(exist_ok=True)
        self.media = lab.media / name  # each gateway's own: what callees heard is looked for among its prompts
        self.port = free_port()
        self.config = self.folder / "voxgate.toml"
        self._process: subprocess.Popen[bytes] | None = None
        tap = tap or f'host = "{lab.gateway_host}"\nallow = ["127.0.0.0/8", "{lab.ami_host}/32"]'
        trunk = f"cps = {cps:g}\nmax_calls = {max_calls}\n"
        self.config.write_text(f"""installation = "{lab.installation}"
[server]
port = {self.port}
[ami]
{ami}
host = "{lab.ami_host}"
port = {ami_port or lab.ami_port}
user = "{lab.ami_user}"
secret = "{lab.ami_secret}"
[agi]
host = "{lab.gateway_host}"
port = {agi_port or lab.agi_port}
allow = ["127.0.0.0/8", "{lab.ami_host}/32"]
[media]
gateway_dir = "{self.media}"
{self._shared()}
[fetch]
allow = ["127.0.0.0/8"]
[phone]
websocket = "ws://127.0.0.1:{lab.web_port}/ws"
secret = "{lab.webphone_secret}"
[dial]
cps = {cps:g}
max_calls = {max_calls}
ring_timeout = {max(10, round(lab.ring_timeout))}
max_call_seconds = 60
[audiosocket]
{tap}
[lab]
retry_gap_scale = {retry_gap_scale:g}
{more}
[[trunk]]
name = "carrier"
dial = "PJSIP/{{number}}@carrier"
caller_id = "+15558675309"
{trunk}
[[trunk]]
name = "silent"
dial = "PJSIP/{{number}}@silent"
{trunk}
[[trunk]]
name = "phones"
dial = "PJSIP/voxgate-phone{{number}}"
strip = "90"
{trunk}
[[route]]
trunk = "carrier"
[[route]]
prefix = "{lab.silent_prefix}"
trunk = "silent"
[[route]]
prefix = "90"
trunk = "phones"
extensions = true
""")

    def _shared(self) -> str:
        """How Asterisk gets prompts, where it runs on another host."""
        host = self.lab.host
        if host is None:
            return ""
        if host.seen_as is None:
            return f'share = "http"\nport = {free_port(host=host.gateway_address)}'
        return f'asterisk_dir = "{host.seen_as / self.media.name}"'

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def exited(self) -> int | None:
        """The status with which it ended by itself; None while it runs, or where it was stopped."""
        return None if self._process is None else self._process.poll()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def voxgate(self, *words: str) -> str:
        """Run a command of ours and return what it printed. Raises CalledProcessError."""
        command = [*self.words, sys.executable, "-m", "gateway.cli", *words, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"voxgate {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.voxgate(*words, "--json"))

    def ask(self, path: str) -> Any:
        """What the running gateway answers over its Unix socket, as to a command but faster."""
        return Client(socket=load(self.config, {}).socket_path).ask(Request("GET", path, Any))

    def add_account(self) -> None:
        self.voxgate(
            "account", "add", LOGIN, "--time-zone", "America/New_York", "--country", "US", "--pin", PIN,
            "--allow-ani", "8009957586", "--evidence-audio",
        )  # fmt: skip

    def post(self, page: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> bytes:
        """The reply of one of the two endpoints to a body."""
        request = urllib.request.Request(f"{self.base}/webservice/{page}", body, {"Content-Type": kind})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own loopback URL
            content: bytes = answer.read()
            return content

    def queue_call(self, **fields: str) -> str:
        """Queue one call for :data:`LOGIN`; its call_id. Raises RuntimeError with the gateway's words where refused."""
        body = urllib.parse.urlencode({"login": LOGIN, "pin": PIN, **fields}).encode()
        reply = ElementTree.fromstring(self.post("queuecall.php", body))  # noqa: S314 - our own reply
        if reply.get("status") != "queued":
            raise RuntimeError(f"refused: {reply.findtext('error')}")
        return reply.get("call_id", "")

    def logged(self, event: str, call_id: str) -> bool:
        """Whether the gateway's log has the event for the call."""
        entries = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return any(one.get("event") == event and str(one.get("call_id")) == call_id for one in entries)

    def start(self, timeout: float = 20.0) -> None:
        env = {**os.environ, "PYTHONUNBUFFERED": "1", **self.env}
        log = self.log.open("ab")
        command = [*self.words, sys.executable, "-m", "gateway.cli", "serve"]
        command += ["--config", str(self.config), "--log-json", *self.options]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
        log.close()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.base}/readyz", timeout=2):  # noqa: S310 - our own loopback URL
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        self.kill()
        raise RuntimeError(f"the gateway did not become ready:\n{tail}")

    def stop(self, timeout: float = 60.0) -> int:
        """SIGTERM; the exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process = None
        return status

    def kill(self) -> None:
        """kill -9, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
