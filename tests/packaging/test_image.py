"""The images, really built and run together as packaging/compose.yaml says, by buildah: no daemon, no registry.

Not part of `make test`, because it takes minutes and gigabytes: `make install-test` runs it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lab.fetch import cache_folder
from lab.instance import free_port

ROOT = Path(__file__).parent.parent.parent
COMPOSE = yaml.safe_load((ROOT / "packaging/compose.yaml").read_text())
UID = 10001
#: What the base images of the two Dockerfiles hold, taken from Debian: a registry cannot be asked here.
BASES = {
    "gateway": ("bookworm", "python3,python3-venv,ca-certificates"),
    "asterisk": ("forky", "asterisk,asterisk-core-sounds-en-wav"),
}


def why_not() -> str | None:
    if os.environ.get("VOXGATE_INSTALL_TEST") != "1":
        return "the images were not built: `make install-test` builds them"
    if missing := [one for one in ("buildah", "mmdebstrap") if shutil.which(one) is None]:
        return f"the images were not built: apt-get install {' '.join(missing)}"
    return None if os.geteuid() == 0 else "the images were not built: that needs root"


REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")


@dataclass
class Builder:
    """buildah with a store of its own."""

    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def words(self, *words: str) -> list[str]:
        return [
            "buildah",
            "--root",
            f"{self.folder}/root",
            "--runroot",
            f"{self.folder}/run",
            "--storage-driver",
            "vfs",
            *words,
        ]

    def run(self, *words: str) -> str:
        done = subprocess.run(self.words(*words), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"buildah {' '.join(words)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def base(self, service: str) -> str:
        """Debian's packages as an image; its archive is kept for the next run."""
        suite, packages = BASES[service]
        archive = cache_folder() / f"image-{service}-{suite}.tar"
        if not archive.exists():
            part = archive.with_suffix(".part")
            options = ["--variant=apt", "--format=tar", f"--include={packages}"]
            options += ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=APT::Install-Recommends "false"']
            subprocess.run(["mmdebstrap", *options, suite, part], check=True)
            part.rename(archive)
        name = f"base-{service}"
        self.run("from", "--name", name, "scratch")
        self.run("add", name, str(archive), "/")
        self.run("commit", "--rm", name, f"localhost/{name}")
        return f"localhost/{name}"

    def image(self, service: str) -> None:
        """Build a service of the compose file, and make a container of it under the service's name."""
        context = (ROOT / "packaging" / COMPOSE["services"][service]["build"]).resolve()
        words = ["build", "--isolation", "chroot", "--format", "docker", "--build-arg", f"BASE={self.base(service)}"]
        if bundle := os.environ.get("PIP_CERT"):  # this machine's own certificate authority
            (pip := self.folder / "pip.conf").write_text(f"[global]\ncert = {bundle}\n")
            words += ["--volume", f"{bundle}:{bundle}:ro", "--volume", f"{pip}:/etc/pip.conf:ro"]
        self.run(*words, "--tag", COMPOSE["services"][service]["image"], str(context))
        self.run("from", "--name", service, f"localhost/{COMPOSE['services'][service]['image']}")

    def inside(self, service: str, *command: str, user: str = "") -> list[str]:
        """The words that run a command in a service's container, with the volumes of the compose file."""
        words = ["run", "--isolation", "chroot", *(("--user", user) if user else ())]
        for volume in COMPOSE["services"][service]["volumes"]:
            source, target, *options = volume.split(":")
            place = self.folder / "volumes" / source.removeprefix("./")
            options = [] if user == "root" else options  # `init` writes what the service only reads
            words += ["--volume", ":".join((str(place), target, *options))]
        return self.words(*words, service, "--", *command)

    def ask(self, service: str, *command: str, user: str = "", status: int = 0) -> str:
        done = subprocess.run(self.inside(service, *command, user=user), capture_output=True, text=True, check=False)
        assert done.returncode == status, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, service: str, *command: str) -> Path:
        log = self.folder / f"{service}.log"
        with log.open("wb") as file:
            self.started.append(subprocess.Popen(self.inside(service, *command), stdout=file, stderr=file))
        return log


def eventually(what: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if what():
                return
        except (urllib.error.URLError, OSError, AssertionError):
            pass
        time.sleep(0.3)
    raise AssertionError(log.read_text()[-4000:])


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("images")
    builder = Builder(folder)
    for name in ("etc/asterisk", *COMPOSE["volumes"]):
        (folder / "volumes" / name).mkdir(parents=True)
    for name in COMPOSE["volumes"]:  # a named volume takes over the rights of the image's folder
        os.chown(folder / "volumes" / name, UID, UID)
        (folder / "volumes" / name).chmod(0o2770)
    for service in COMPOSE["services"]:
        builder.image(service)
    try:
        yield builder
    finally:
        for process in builder.started:
            process.terminate()
            process.wait(60)
        builder.run("rm", "--all")
        shutil.rmtree(folder, ignore_errors=True)


def test_gateway_and_asterisk_run_together(builder: Builder) -> None:
    port, ami, agi = free_port(), free_port(), free_port()
    words = ("--fetch-allow", "127.0.0.0/8", "--ami-port", str(ami), "--agi-address", f"127.0.0.1:{agi}", "--force")
    builder.ask("gateway", "voxgate", "init", "--system", *words, user="root")
    builder.ask("asterisk", "sed", "-i", f"s/^port = .*/port = {ami}/", "/etc/asterisk/manager.conf", user="root")
    asterisk = builder.start("asterisk", "asterisk", *COMPOSE_COMMAND["asterisk"])
    eventually(lambda: "fully booted" in builder.ask("asterisk", "asterisk", "-rx", "core waitfullybooted"), asterisk)
    doctor = json.loads(builder.ask("gateway", "voxgate", "doctor", "--json", status=1))
    # The example trunk is not there yet; all else is right as it was written.
    assert [one for one in doctor if one["state"] == "fail" and "mytrunk" not in one["what"]] == []
    gateway = builder.start("gateway", "env", f"VOXGATE__SERVER__PORT={port}", "voxgate", *COMPOSE_COMMAND["gateway"])

    def healthy() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return json.load(answer) == {"ok": True}

    eventually(healthy, gateway)
    builder.ask("gateway", *check(builder))
    eventually(lambda: builder.ask("gateway", "voxgate", "status", "--ready"), gateway)
    builder.ask("gateway", "voxgate", "account", "add", "user1", "--time-zone", "UTC", "--country", "US")
    call = builder.ask(
        "gateway", "voxgate", "call", "901", "--account", "user1", "--start-url", f"http://127.0.0.1:{port}/healthz"
    ).strip()
    assert builder.ask("gateway", "voxgate", "calls", "show", call)
    eventually(lambda: "attempt.dialing" in gateway.read_text(), gateway)  # and Asterisk was told to dial it


def check(builder: Builder) -> list[str]:
    """The image's own health check."""
    config = json.loads(builder.run("inspect", "--type", "image", "localhost/voxgate"))["Docker"]["config"]
    assert config["User"] == "voxgate"
    kind, *command = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    return list(command)


#: What the Dockerfiles' CMD say.
COMPOSE_COMMAND = {"gateway": ("serve", "--log-json"), "asterisk": ("-f", "-vvv")}
