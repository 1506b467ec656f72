"""A real SIP softphone, baresip: registers, answers, records what it hears, keys digits."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import wave
from pathlib import Path
from types import TracebackType
from typing import Protocol

from lab import fetch
from lab.instance import free_port


class Console(Protocol):
    def cli(self, command: str) -> str: ...


class Exchange(Protocol):
    """The Asterisk at which a phone registers: the lab's, or another on this machine."""

    folder: Path
    sip_port: int
    phone_secrets: tuple[str, str]

    @property
    def pbx(self) -> Console: ...


class Softphone:
    """One of the PBX's two test phones, answering every call by itself. ``number`` is 1 or 2."""

    def __init__(self, lab: Exchange, number: int = 1) -> None:
        self.folder = lab.folder / f"phone{number}"
        self.heard_folder = self.folder / "heard"
        self.heard_folder.mkdir(parents=True, exist_ok=True)
        self._control = free_port()
        self._install = fetch.asterisk()
        self._lab = lab
        self._name = f"voxgate-phone{number}"
        self._process: subprocess.Popen[bytes] | None = None
        self._silence = self._microphone("silence", b"")
        modules = ("g711", "aufile", "aubridge", "sndfile", "uuid")
        root = self._install.root
        assert root is not None, "the softphone comes with the fetched Asterisk"
        lines = [
            f"sip_listen 127.0.0.1:{free_port(socket.SOCK_DGRAM)}", "net_interface 127.0.0.1",
            f"audio_source aufile,{self._silence}", "audio_player aubridge,null", f"snd_path {self.heard_folder}",
            f"ctrl_tcp_listen 127.0.0.1:{self._control}", f"module_path {root}/usr/lib/baresip/modules",
            *(f"module {name}.so" for name in modules), "module_tmp account.so", "module_app menu.so",
            "module_app ctrl_tcp.so",
        ]  # fmt: skip
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        secret = lab.phone_secrets[number - 1]
        account = (
            f"<sip:{self._name}@127.0.0.1:{lab.sip_port}>;auth_pass={secret};answermode=auto;audio_codecs=PCMU/8000/1"
        )
        (self.folder / "accounts").write_text(account + "\n")
        (self.folder / "contacts").touch()

    def __enter__(self) -> Softphone:
        words = [*self._install.loader, str(self._install.program("baresip")), "-f", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "HOME": str(self.folder)}
            )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if "Contact:" in (shown := self._lab.pbx.cli(f"pjsip show aor {self._name}")) and "sip:" in shown:
                return self
            time.sleep(0.1)
        self.__exit__(None, None, None)
        raise RuntimeError(
            f"the softphone did not register:\n{(self.folder / 'log').read_text(errors='replace')[-2000:]}"
        )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def key(self, digits: str) -> None:
        """Key digits into the call, as RFC 4733 events."""
        for digit in digits:
            self._tell("sndcode", digit)
            time.sleep(0.25)
            self._tell("sndcode", "\x04")
            time.sleep(0.15)

    def say(self, recording: Path) -> None:
        """Speak a WAV file (mono, 16 bits, 8 kHz) into the call; it is spoken when this returns."""
        with wave.open(str(recording)) as file:
            spoken = file.readframes(file.getnframes())
        self._tell("ausrc", f"aufile,{self._microphone(recording.stem, spoken)}")
        time.sleep(len(spoken) / 16000 + 0.5)
        self._tell("ausrc", f"aufile,{self._silence}")  # else the next call begins with it

    def _microphone(self, name: str, spoken: bytes) -> Path:
        """A file that lasts longer than any call: baresip hangs up at its end."""
        path = self.folder / f"microphone-{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(spoken + bytes(16000 * 60))
        return path

    def hang_up(self) -> None:
        self._tell("hangup", "")

    def _tell(self, command: str, parameters: str) -> None:
        """One command over ctrl_tcp: a netstring of JSON."""
        text = json.dumps({"command": command, "params": parameters}).encode()
        with socket.create_connection(("127.0.0.1", self._control), timeout=5) as sock:
            sock.sendall(b"%d:%b," % (len(text), text))
            sock.recv(4096)

    def recordings(self) -> list[Path]:
        """What the phone heard, one file a call."""
        return sorted(self.heard_folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
