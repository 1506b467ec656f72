"""The sdist and the wheel made from it, installed from the lock into an environment that has nothing else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import __version__
from lab.instance import free_port

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("gateway", "voxgate", "vxml")
PAGE = """<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<form><block><prompt>Good morning.</prompt></block></form></vxml>"""


@dataclass(frozen=True, slots=True)
class Installed:
    sdist: Path
    wheel: Path
    bin: Path

    def voxgate(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the installed command where no checkout can be imported from."""
        return subprocess.run(
            [self.bin / "voxgate", *words],
            cwd=cwd,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("VOXGATE", "PYTHON"))}


def run(*words: str | Path) -> None:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built as for a release: the wheel comes from the sdist, its dependencies from the lock, each by its hash."""
    dist, venv = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("clean") / "venv"
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist)
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = (sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "-q", "--no-deps")
    run(*pip, "--require-hashes", "-r", "packaging/requirements.lock")
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    run(*pip, wheel)
    run(sys.executable, "-m", "pip", "--python", venv / "bin/python", "check")
    return Installed(sdist, wheel, venv / "bin")


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line for line in listed.splitlines() if (ROOT / line).exists()}


def test_the_sdist_holds_every_tracked_file(installed: Installed) -> None:
    with tarfile.open(installed.sdist) as file:
        held = {name.partition("/")[2] for name in file.getnames()}
    assert tracked() - {".gitignore"} <= held


def test_the_wheel_holds_the_packages_their_data_and_asterisks_files(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as file:
        held = set(file.namelist())
    assert tracked(*PACKAGES) <= held
    assert {f"gateway/{name}" for name in tracked("asterisk-conf")} <= held
    assert {name.partition("/")[0] for name in held} == {*PACKAGES, f"voxgate-{__version__}.dist-info"}


def test_the_command_tells_its_version(installed: Installed, tmp_path: Path) -> None:
    assert installed.voxgate("--version", cwd=tmp_path).stdout == f"{__version__}\n"


def test_an_application_runs(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "hello.vxml").write_text(PAGE)
    said = installed.voxgate("vxml", "run", "hello.vxml", cwd=tmp_path)
    assert said.stdout.splitlines() == ["Good morning.", "[the application has ended]"], said.stderr


def test_a_first_configuration_serves(installed: Installed, tmp_path: Path) -> None:
    first = installed.voxgate("init", "--fetch-allow", "127.0.0.0/8", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    written = {
        f"asterisk-conf/{path.relative_to(tmp_path / 'asterisk')}" for path in (tmp_path / "asterisk").rglob("*.conf")
    }
    assert written == {name for name in tracked("asterisk-conf") if name.endswith(".conf")}
    port, agi = free_port(), free_port()
    ports = {"VOXGATE__SERVER__PORT": str(port), "VOXGATE__AGI__PORT": str(agi), "VOXGATE__AMI__PORT": str(free_port())}
    log = (tmp_path / "log").open("wb")
    serving = subprocess.Popen(
        [installed.bin / "voxgate", "serve"], cwd=tmp_path, env={**environment(), **ports}, stdout=log, stderr=log
    )
    try:
        assert answer(port, "/healthz", serving, tmp_path / "log") == {"ok": True}
        added = installed.voxgate(
            "account", "add", "user1", "--time-zone", "Europe/Paris", "--country", "FR", cwd=tmp_path
        )
        assert re.search(r"its PIN, shown this once: \d{8}\n", added.stdout), added.stderr
    finally:
        serving.send_signal(signal.SIGTERM)
        status = serving.wait(60)
        log.close()
    assert status == 0, (tmp_path / "log").read_text()


def answer(port: int, path: str, serving: subprocess.Popen[bytes], log: Path) -> object:
    """What the gateway answers once it serves."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
                return json.load(reply)
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"the gateway does not serve:\n{log.read_text()}")
