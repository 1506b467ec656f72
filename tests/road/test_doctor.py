"""The doctor on a healthy lab, and on what it is there to find."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.gateway import GatewayProcess
from lab.lab import Lab


def findings(lab: Lab, config: Path) -> tuple[int, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "gateway.cli", "doctor", "--config", str(config), "--json"]
    command += ["--asterisk-etc", str(lab.pbx.etc)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    return done.returncode, json.loads(done.stdout)


def changed(gateway: GatewayProcess, old: str, new: str) -> Path:
    path = gateway.folder / "changed.toml"
    text = gateway.config.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_healthy_installation_has_nothing_to_mend(lab: Lab) -> None:
    status, found = findings(lab, GatewayProcess(lab, name="doctor").config)
    assert [one for one in found if one["state"] != "ok"] == []
    assert status == 0
    said = " ".join(one["what"] for one in found)
    for part in ("AMI login", "FastAGI", "prompts", "records", "clock", "AMD", "tone detection", "AudioSocket brings"):
        assert part in said


def test_it_names_what_is_wrong_and_the_mend(lab: Lab) -> None:
    gateway = GatewayProcess(lab, name="patient")
    for old, new, words in (
        (lab.ami_secret, "wrong", "manager.conf"),
        (f"port = {lab.ami_port}", "port = 1", "Is Asterisk running"),
        (f"[agi]\nport = {lab.agi_port}", "[agi]\nport = 0", "extensions.conf"),
        (
            f'gateway_dir = "{gateway.media}"',
            f'gateway_dir = "{gateway.folder}/m"\nasterisk_dir = "/nowhere"',
            "one folder",
        ),
    ):
        status, found = findings(lab, changed(gateway, old, new))
        assert status == 1
        assert words in " ".join(one["mend"] for one in found if one["state"] == "fail"), (words, found)
