"""Every command that is shown is run: on a gateway of the page's own, without an Asterisk, so that nothing is dialed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab import clients
from lab.instance import free_port
from tests.documents.notrun import NOT_RUN, reason
from tests.documents.pages import PAGES, blocks, commands, name_of

#: Hosts that stand for the reader's own, and are played by one web server here.
EXAMPLES = re.compile(r"http://(?:app\.example|192\.168\.1\.5|www\.mywebserver\.com)")
SHELLS = [page for page in PAGES if any(reason(line) is None for one in blocks(page, "sh") for line in commands(one))]
PHP = [page for page in PAGES if blocks(page, "php")]


class Application(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def application() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Reader:
    """Types what a page shows, in a folder and with a gateway of his own."""

    def __init__(self, folder: Path, application: str) -> None:
        self.folder = folder
        self._application = application
        self._port = free_port()
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        curl = " ".join(f"'{word}'" for word in clients.curl())
        (bin_folder / "curl").write_text(f'#!/bin/sh\nexec {curl} "$@"\n')
        (bin_folder / "curl").chmod(0o755)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("VOXGATE")},
            "PATH": f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "VOXGATE__SERVER__PORT": str(self._port),
            "VOXGATE__AGI__HOST": "127.0.0.1",
            "VOXGATE__AGI__PORT": str(free_port()),
            "VOXGATE__MEDIA__PORT": "0",
            "VOXGATE__AMI__PORT": str(free_port()),
            "VOXGATE__FETCH__ALLOW": '["127.0.0.0/8"]',
        }
        self._serving: subprocess.Popen[bytes] | None = None

    def types(self, command: str) -> str:
        """What the command prints. ``voxgate serve`` goes on beside the others."""
        here = self.here(command)
        if here.startswith("voxgate serve"):
            self._serve(here)
            return ""
        done = subprocess.run(
            ["bash", "-c", here],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert 'status="failed"' not in done.stdout, f"{command}\n{done.stdout}"
        return done.stdout

    def here(self, text: str) -> str:
        """The same with hosts that are there."""
        return EXAMPLES.sub(self._application, text).replace("127.0.0.1:8080", f"127.0.0.1:{self._port}")

    def _serve(self, command: str) -> None:
        log = (self.folder / "log").open("wb")
        self._serving = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self._environment, stdout=log, stderr=log
        )
        log.close()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._serving.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def leaves(self) -> None:
        if self._serving is not None:
            self._serving.send_signal(signal.SIGTERM)
            assert self._serving.wait(60) == 0, (self.folder / "log").read_text()


@pytest.fixture
def reader(tmp_path: Path, application: str) -> Iterator[Reader]:
    reader = Reader(tmp_path, application)
    with wave.open(str(tmp_path / "answered.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    try:
        yield reader
    finally:
        reader.leaves()


def prepare(reader: Reader, shown: list[str]) -> None:
    """What a reader of this page has done before, on another one, unless it begins with that itself."""
    if not any(command.startswith("voxgate init") for command in shown):
        reader.types("voxgate init --fetch-allow 192.168.1.0/24")
        if "voxgate serve" not in shown:
            reader.types("voxgate serve")


@pytest.mark.parametrize("page", SHELLS, ids=name_of)
def test_the_commands_of_a_page_do_what_they_are_shown_for(page: Path, reader: Reader) -> None:
    shown = [command for block in blocks(page, "sh") for command in commands(block) if reason(command) is None]
    prepare(reader, shown)
    for command in shown:
        reader.types(command)


@pytest.mark.parametrize("page", PHP, ids=name_of)
def test_php_clients_are_answered(page: Path, reader: Reader) -> None:
    prepare(reader, [])
    reader.types("voxgate account add user1 --time-zone America/New_York --country US --pin 12345678")
    for block in blocks(page, "php"):
        script = reader.folder / "client.php"
        script.write_text(reader.here(block.text))
        assert '<queuecall status="queued"' in clients.php(script)


def test_every_block_is_of_a_kind_that_some_test_reads() -> None:
    kinds = {"sh", "console", "php", "python", "toml", "xml", "json", "text"}
    assert [(name_of(page), one.text[:40]) for page in PAGES for one in blocks(page) if one.language not in kinds] == []


def test_what_is_not_run_is_shown_somewhere() -> None:
    shown = [line for page in PAGES for one in blocks(page, "sh") for line in commands(one)]
    shown += [line for page in PAGES for one in blocks(page, "console") for line in one.text.splitlines()]
    assert [beginning for beginning in NOT_RUN if not any(line.startswith(beginning) for line in shown)] == []
    assert shutil.which("bash")
