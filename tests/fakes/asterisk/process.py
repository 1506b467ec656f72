"""The fake Asterisk as a process: its start, its end, and what is asked of it while it runs."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from lab.behaviours import SILENT_AREA
from lab.hosts import OtherHost
from lab.instance import free_port
from tests.fakes.asterisk import lines

REPOSITORY = Path(__file__).resolve().parents[3]


class FakeAsterisk:
    """A fake Asterisk beside which ``lab.gateway.GatewayProcess`` runs as it does beside the lab's.

    ``speed`` divides what callees take for ringing, thinking and speaking, and the length of prompts; the gateway's own
    time-outs are kept. ``seed`` is that of the faults with a chance. Where ``folder`` is given it outlives the fake.
    Which number does what: :mod:`tests.fakes.asterisk.lines`. Which faults there are:
    :data:`tests.fakes.asterisk.faults.FAULTS`.
    """

    def __init__(
        self, *, seed: int = 0, speed: float = 1.0, ring_timeout: float = 10.0, folder: Path | None = None
    ) -> None:
        self.seed = seed
        self.speed = speed
        self.ring_timeout = ring_timeout
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="voxgate-fake-")) if folder is None else folder
        self.media = self.folder / "media"
        self.media.mkdir(parents=True, exist_ok=True)
        self.host: OtherHost | None = None
        self.ami_host = self.gateway_host = "127.0.0.1"
        self.ami_port, self.agi_port, self.web_port = free_port(), free_port(), free_port()
        self.ami_user, self.ami_secret, self.webphone_secret = "voxgate", secrets.token_hex(16), secrets.token_hex(8)
        self.installation = secrets.token_hex(3)
        self.carrier_log = self.folder / "carrier.jsonl"
        self._control = self.folder / "control.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def silent_prefix(self) -> str:
        return f"+1{SILENT_AREA}"

    @staticmethod
    def number(key: str, index: int = 0) -> str:
        """The ``index``-th number that behaves as the line of that key."""
        return lines.number(key, index)

    # --- life ---

    def start(self, timeout: float = 20.0) -> FakeAsterisk:
        """Start it, on the same ports also after :meth:`kill`: then no channel lives any more."""
        self._control.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "tests.fakes.asterisk", "--ami-port", str(self.ami_port), "--agi-port",
            str(self.agi_port), "--folder", str(self.folder), "--user", self.ami_user, "--seed", str(self.seed), "--speed", f"{self.speed:g}",
        ]  # fmt: skip
        env = {**os.environ, "VOXGATE_FAKE_SECRET": self.ami_secret}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY, env=env)
        deadline = time.monotonic() + timeout
        while not self._control.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the fake Asterisk did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def halt(self) -> None:
        """As SIGTERM to Asterisk: every call is hung up and told, then Shutdown, then the link ends."""
        self._end(signal.SIGTERM)

    def stop(self) -> None:
        """Halt, and remove its folder where nobody gave one."""
        self.halt()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """kill -9: links and sessions break, and nothing is told."""
        self._end(signal.SIGKILL)

    def restart(self, *, orderly: bool = False) -> None:
        """End it by kill -9, or in order, and start it again: all channels are gone, and its start date is another."""
        self._end(signal.SIGTERM if orderly else signal.SIGKILL)
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> FakeAsterisk:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    # --- while it runs ---

    def fault(self, name: str, **args: Any) -> None:
        """Have something go wrong from now on. Raises :class:`ValueError` for a name that is none."""
        self._ask(["fault", name, args])

    def heal(self, name: str | None = None) -> None:
        """End one fault, or all."""
        self._ask(["heal", name])

    def state(self) -> dict[str, Any]:
        """``channels`` (ids that live), ``sessions`` and ``taps`` (counts), ``links`` (AMI), ``rung`` (phones, since
        the start), ``struck`` (how often each fault did anything) and ``peak`` (most channels at once).
        """
        state: dict[str, Any] = self._ask(["state"])
        return state

    def _ask(self, words: list[Any]) -> Any:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(20)
            link.connect(str(self._control))
            link.sendall(json.dumps(words).encode() + b"\n")
            reply = json.loads(link.makefile("rb").readline())
        if "refused" in reply:
            raise ValueError(reply["refused"])
        return reply["reply"]
