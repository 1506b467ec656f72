"""Voxgate as a service of a whole machine: its unit, its user, its folders, its first configuration."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.cli.init import SYSTEM, write
from gateway.config import load
from gateway.settings import Dial

FOLDER = Path(__file__).parent.parent.parent / "packaging/systemd"
UNIT = (FOLDER / "voxgate.service").read_text()
#: Of 100: what systemd-analyze calls OK ends at 20; the network and the group of Asterisk cost what is left.
EXPOSURE = 18


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")


def test_the_unit_is_hardened(tmp_path: Path) -> None:
    needs("systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", FOLDER / "voxgate.service"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    needs("systemd-analyze")
    unit = tmp_path / "voxgate.service"
    unit.write_text(UNIT.replace("/opt/voxgate/bin/voxgate", "/bin/true"))  # verify wants a program that is there
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "voxgate" in line] == []
    assert done.returncode == 0, done.stderr


def test_user_and_folders_are_made(tmp_path: Path) -> None:
    needs("systemd-sysusers")
    needs("systemd-tmpfiles")
    if os.geteuid() != 0:
        pytest.skip("folders of another user can be made by root only")
    (tmp_path / "etc").mkdir()
    for program, *words in (("systemd-sysusers",), ("systemd-tmpfiles", "--create")):
        file = FOLDER / f"{program.removeprefix('systemd-')}.conf"
        subprocess.run([program, *words, f"--root={tmp_path}", file], check=True, capture_output=True)
    assert re.search(r"^asterisk:x:\d+:voxgate$", (tmp_path / "etc/group").read_text(), re.M)
    assert (tmp_path / "var/cache/voxgate/media").stat().st_mode & 0o7777 == 0o2770
    assert (tmp_path / "var/lib/voxgate").stat().st_mode & 0o7777 == 0o750


def test_the_first_configuration_of_a_service_uses_the_folders_that_its_unit_may_write(tmp_path: Path) -> None:
    lines = list(
        write(dataclasses.replace(SYSTEM, folder=tmp_path), "127.0.0.1", 5038, "127.0.0.1:4573", [], force=False)
    )
    assert lines[0] == f"{tmp_path}/voxgate.toml: the gateway's configuration"
    config = load(tmp_path / "voxgate.toml", {})
    assert config.database.path == "/var/lib/voxgate/voxgate.db"
    assert str(config.socket_path) == "/run/voxgate/voxgate.sock"
    assert config.media.gateway_dir == config.media.asterisk_dir == "/var/cache/voxgate/media"
    for line in ("StateDirectory", "RuntimeDirectory", "CacheDirectory"):
        assert f"\n{line}=voxgate\n" in UNIT
    assert f"--config {SYSTEM.folder}/voxgate.toml\n" in UNIT


def test_a_stop_is_not_cut_short_by_systemd() -> None:
    """Calls that are cut off have an end that nobody knows."""
    stop = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)
    assert stop is not None
    assert int(stop[1]) >= 2 * Dial().stop_within
