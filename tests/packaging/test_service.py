"""A new operator's walk: docs/asterisk.md typed line by line on a Debian 12 that systemd has booted, to the first call.

Not part of `make test`, because it takes minutes: `make install-test` runs it. The Asterisk is the lab's, on the
machine's own path and with its packages' own configuration.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import fetch, listening
from lab.application import SampleApplication
from lab.fetch import cache_folder
from lab.instance import free_port
from lab.softphone import Softphone
from tests.documents.pages import ROOT, blocks, commands
from tests.road.waiting import wait_for

PAGE = ROOT / "docs/asterisk.md"
#: What the reader has before: nothing that the page does not name, beside `sudo` and a PBX.
PACKAGES = "systemd,systemd-sysv,dbus,sudo,python3,ca-certificates,procps"
ASTERISK = '#!/bin/sh\nexec {words} -C /etc/asterisk/asterisk.conf "$@"\n'
UNIT = """[Service]
User=asterisk
RuntimeDirectory=asterisk
ExecStart=/usr/sbin/asterisk -f
[Install]
WantedBy=multi-user.target
"""


def why_not() -> str | None:
    if os.environ.get("VOXGATE_INSTALL_TEST") != "1":
        return "the service was not installed: `make install-test` installs it"
    if missing := [one for one in ("systemd-nspawn", "mmdebstrap", "nsenter") if shutil.which(one) is None]:
        return (
            f"the service was not installed: {', '.join(missing)} not on this machine (mmdebstrap, systemd-container)"
        )
    return None if os.geteuid() == 0 else "the service was not installed: that needs root"


REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")


@dataclass
class Machine:
    """A Debian with a systemd of its own, on this machine's network."""

    root: Path
    leader: int

    def types(self, command: str, *, status: int = 0) -> str:
        """What the operator's shell prints, in the folder of the checkout."""
        words = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-p", "-C", "-r", "-w", "env", "-i", "HOME=/root"]
        words += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        done = subprocess.run(
            [*words, "bash", "-c", f"cd /root/voxgate && {command}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == status, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@dataclass
class Pbx:
    """The machine's Asterisk, as the softphone looks at it."""

    machine: Machine
    folder: Path
    sip_port: int
    phone_secrets: tuple[str, str]

    @property
    def pbx(self) -> Pbx:
        return self

    def cli(self, command: str) -> str:
        return self.machine.types(f"asterisk -rx '{command}'")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = tmp_path_factory.mktemp("machine") / "root"
    archive = cache_folder() / "machine-bookworm.tar"
    if not archive.exists():
        part = archive.with_suffix(".part")
        subprocess.run(
            ["mmdebstrap", "--variant=apt", "--format=tar", f"--include={PACKAGES}", "bookworm", part], check=True
        )
        part.rename(archive)
    root.mkdir()
    subprocess.run(["tar", "-x", "-C", root, "-f", archive, "--exclude=./dev/*"], check=True)
    checkout = root / "root/voxgate"
    checkout.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["rsync", "-a", "--from0", "--files-from=-", f"{ROOT}/", checkout] if shutil.which("rsync") else
                   ["cp", "--parents", "-t", checkout, *listed.decode().split("\0")[:-1]], cwd=ROOT, input=listed, check=True)  # fmt: skip
    if bundle := os.environ.get("PIP_CERT"):  # this machine's own certificate authority
        shutil.copy(bundle, root / "etc/ssl/certs/ca-certificates.crt")
        (root / "etc/pip.conf").write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n")
    (root / "etc/apt/apt.conf.d/90answers").write_text('APT::Get::Assume-Yes "true";\n')
    asterisk_root = install_asterisk(root)
    name = f"vg{os.getpid()}"
    words = ["systemd-nspawn", "-q", "-D", root, f"--machine={name}", "--register=no", "--keep-unit"]
    with (root.parent / "console").open("wb") as console:
        booting = subprocess.Popen(
            [*words, f"--bind-ro={asterisk_root}:/opt/asterisk", "--boot"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    try:
        wait_for(
            lambda: "Reached target" in (root.parent / "console").read_text(errors="replace") and child(booting.pid), 60
        )
        made = Machine(root, child(booting.pid))
        wait_for(
            lambda: made.types("systemctl is-system-running --wait || true").strip() in ("running", "degraded"), 60
        )
        yield made
        made.types("systemctl poweroff")
    finally:
        try:
            booting.wait(60)
        except subprocess.TimeoutExpired:
            booting.kill()
        shutil.rmtree(root, ignore_errors=True)


def child(pid: int) -> int:
    """The first process that ``pid`` started; 0 where there is none yet."""
    return int((Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or ["0"])[0])


def install_asterisk(root: Path) -> Path:
    """The PBX that the reader has already, under the names that a package gives it; where its files come from."""
    found = fetch.asterisk()
    assert found.root is not None, "the Asterisk of this walk is the fetched one"

    def there(text: object) -> str:
        return str(text).replace(str(found.root), "/opt/asterisk")

    program = root / "usr/sbin/asterisk"
    program.write_text(ASTERISK.format(words=there(" ".join([*found.loader, str(found.program("asterisk"))]))))
    program.chmod(0o755)
    shutil.copytree(found.root / "etc/asterisk", root / "etc/asterisk", symlinks=True)
    for place in (found.data, found.modules.parent):
        (root / place.relative_to(found.root)).symlink_to(there(place))
    (root / "etc/systemd/system/asterisk.service").write_text(UNIT)
    return found.root


def test_a_new_operator_comes_to_the_first_call(machine: Machine, tmp_path: Path) -> None:
    began = time.monotonic()
    sip, ami, agi, http = (free_port() for _ in range(4))
    pbx_before(machine, sip, ami)
    steps = [line for block in blocks(PAGE, "sh") for line in commands(block)]
    walked = steps[: next(index for index, step in enumerate(steps) if "voxgate call " in step)]
    for step in walked:
        started = time.monotonic()
        said = machine.types(
            step.replace(
                "--fetch-allow 192.168.1.0/24",
                f"--fetch-allow 127.0.0.0/8 --ami-port {ami} --agi-address 127.0.0.1:{agi}",
            ),
            status=1 if "doctor" in step else 0,  # it finds that the example trunk is not there
        )
        print(f"{time.monotonic() - started:6.1f} s  {step}")
        if "doctor" in step:
            assert [line for line in said.splitlines() if line.startswith("fail") and "mytrunk" not in line] == []
        if "voxgate init" in step:
            machine.types(f"sed -i 's/^port = 8080/port = {http}/' /etc/voxgate/voxgate.toml")
    machine.types("until voxgate status --ready; do sleep 0.2; done")
    with SampleApplication() as application, Softphone(Pbx(machine, tmp_path, sip, (secret(machine), "")), 1) as phone:
        call = machine.types(steps[len(walked)].replace("http://192.168.1.5/start.php", application.start_url)).strip()
        try:
            wait_for(lambda: application.starts.get(call), 60)
            print(f"{time.monotonic() - began:6.1f} s  until the first call was answered and its application began")
            wait_for(
                lambda: machine.types(f"voxgate calls show {call} --json | grep -c completed || true") != "0\n", 60
            )
        except AssertionError:
            raise AssertionError(
                machine.types(f"voxgate calls show {call}; journalctl -u voxgate -n 40 --no-pager")
            ) from None
        (heard,) = phone.recordings()
    prompts = (machine.root / "var/cache/voxgate/media").glob("*.wav")
    assert max(listening.similarity(heard, prompt) for prompt in prompts) > listening.HEARD
    assert machine.types("systemctl reload voxgate && sleep 1 && systemctl is-active voxgate") == "active\n"


def secret(machine: Machine) -> str:
    """The password of the first test phone, as the operator finds it."""
    written = (machine.root / "etc/voxgate/asterisk/pjsip.conf").read_text()
    found = re.search(r"username = voxgate-phone1\npassword = (\w+)", written)
    assert found is not None
    return found[1]


def pbx_before(machine: Machine, sip: int, ami: int) -> None:
    """Asterisk runs, its AMI is on as the page wants it, and it has a transport for phones."""
    machine.types(
        "useradd --system asterisk && mkdir -p /var/lib/asterisk /var/spool/asterisk /var/log/asterisk /var/cache/asterisk"
    )
    machine.types("chown -R asterisk:asterisk /etc/asterisk /var/*/asterisk")
    machine.types(
        f"sed -i 's/^enabled = no/enabled = yes/; s/^;*port = .*/port = {ami}/; s/^;*bindaddr = .*/bindaddr = 127.0.0.1/' /etc/asterisk/manager.conf"
    )
    machine.types(
        f"printf '[walk]\\ntype = transport\\nprotocol = udp\\nbind = 127.0.0.1:{sip}\\n' >> /etc/asterisk/pjsip.conf"
    )
    machine.types("apt-get update -q && systemctl enable --now asterisk")
    try:
        wait_for(lambda: "fully booted" in machine.types("asterisk -rx 'core waitfullybooted' || true"), 60)
    except AssertionError:
        raise AssertionError(machine.types("journalctl -u asterisk --no-pager | tail -40")) from None
