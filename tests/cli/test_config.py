"""The configuration and the commands that need no gateway."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.exits import ExitStatus
from gateway.config import ConfigError, load

BASE = 'installation = "abc"\n[ami]\nsecret = "s"\n'


def voxgate(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=cwd)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE + "[dial]\ncsp = 3\n", "did you mean 'cps'"),
        (BASE + "[dail]\n", "did you mean 'dial'"),
        (BASE + "[dial]\nring_timeout = 5\n", "ring_timeout"),
        (BASE + '[dial]\ncps = "fast"\n', "cps"),
        (BASE + '[[route]]\ntrunk = "x"\n', "no such"),
        (BASE + '[[trunk]]\nname = "x"\ndial = "PJSIP/1&{number}"\n', "mytrunk"),
        (BASE + '[[trunk]]\nname = "x"\nnumber = 1\n', "number"),
        (BASE + "[retention]\ncalls = inf\n", "retention.calls = inf"),
        (BASE + "[retention]\nevidence = 1e300\n", "evidence"),
        (BASE + '[[trunk]]\nname = "x"\ndial = "PJSIP/{number}"\ncps = nan\n', "trunk.cps = nan"),
        (BASE + "[spend]\ndaily_cost = 5\n", "nothing has a price"),
        (BASE + "[spend]\ndefault_rate = 1e300\n", "default_rate"),
        (BASE + '[[rate]]\nprefix = "+1"\nper_minute = -0.1\n', "per_minute"),
        (BASE + '[[rate]]\nprefix = "1617555"\nper_minute = 1.0\n', "no beginning of what is dialed"),
        (BASE + 2 * '[[rate]]\nprefix = "+1"\nper_minute = 1.0\n', "two prices"),
        ('[ami]\nsecret = "s"\n', "installation"),
        ("not toml", "voxgate.toml"),
    ],
)
def test_faults_name_file_key_and_mend(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "voxgate.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load(path, {})
    assert "voxgate.toml" in str(caught.value)


def test_the_environment_overrides(tmp_path: Path) -> None:
    path = tmp_path / "voxgate.toml"
    path.write_text(BASE)
    config = load(
        path, {"VOXGATE__DIAL__CPS": "20", "VOXGATE__AMI__SECRET": "other", "VOXGATE__FETCH__ALLOW": '["10.0.0.0/8"]'}
    )
    assert (config.dial.cps, config.ami.secret, config.fetch.allow) == (20, "other", ["10.0.0.0/8"])
    assert config.database.path == str(tmp_path / "voxgate.db")


def test_init_writes_what_load_reads_and_asterisk_includes(tmp_path: Path) -> None:
    done = voxgate("init", "--folder", str(tmp_path), "--fetch-allow", "10.0.0.0/8")
    assert done.returncode == 0, done.stderr
    config = load(tmp_path / "voxgate.toml", {})
    assert config.fetch.allow == ["10.0.0.0/8"]
    manager = (tmp_path / "asterisk/manager.conf").read_text()
    assert config.ami.secret in manager
    assert f"vg-{config.installation}-" in manager
    assert (tmp_path / "asterisk/manager.conf").stat().st_mode & 0o077 == 0
    assert "@" not in "".join(line for line in manager.splitlines() if not line.startswith(";"))
    again = voxgate("init", "--folder", str(tmp_path), "--fetch-allow", "10.0.0.0/8")
    assert again.returncode == ExitStatus.CONFIGURATION
    assert "--force" in again.stderr
    routed = voxgate("route", "test", "617-555-1234", "--config", str(tmp_path / "voxgate.toml"))
    assert routed.stdout.splitlines()[-1] == "PJSIP/+16175551234@mytrunk"
    refused = voxgate("route", "test", "911", "--config", str(tmp_path / "voxgate.toml"))
    assert (refused.returncode, "emergency" in refused.stderr) == (1, True)


def test_errors_say_what_to_do_and_have_no_traceback(tmp_path: Path) -> None:
    for words, status, said in (
        (("serve", "--config", str(tmp_path / "none.toml")), ExitStatus.CONFIGURATION, "voxgate init"),
        (("calls", "list", "--config", str(tmp_path / "voxgate.toml")), ExitStatus.NO_GATEWAY, "voxgate serve"),
    ):
        (tmp_path / "voxgate.toml").write_text(BASE)
        done = voxgate(*words)
        assert done.returncode == status
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_every_command_has_help() -> None:
    for words in (
        (),
        ("account",),
        ("campaign",),
        ("calls",),
        ("route",),
        ("serve",),
        ("init",),
        ("doctor",),
        ("call",),
    ):
        done = voxgate(*words, "--help")
        assert done.returncode == 0
        assert "Usage" in done.stdout


def test_init_for_an_asterisk_on_another_host_lets_it_in(tmp_path: Path) -> None:
    words = (
        "--ami-host",
        "192.0.2.20",
        "--agi-address",
        "192.0.2.10:4573",
        "--no-shared-folder",
        "--fetch-allow",
        "10.0.0.0/8",
    )
    assert voxgate("init", "--folder", str(tmp_path), *words).returncode == 0
    config = load(tmp_path / "voxgate.toml", {})
    assert (config.ami.host, config.agi.host, config.audiosocket.host) == ("192.0.2.20", "192.0.2.10", "192.0.2.10")
    assert config.agi.allow == config.audiosocket.allow == ("127.0.0.0/8", "::1/128", "192.0.2.20/32")
    assert config.media.share == "http"
    assert "permit = 192.0.2.10\n" in (tmp_path / "asterisk/manager.conf").read_text()
    assert "AGI(agi://192.0.2.10:4573/" in (tmp_path / "asterisk/extensions.conf").read_text()


def test_init_says_when_asterisks_host_is_not_found(tmp_path: Path) -> None:
    done = voxgate("init", "--folder", str(tmp_path), "--ami-host", "asterisk.invalid", "--fetch-allow", "10.0.0.0/8")
    assert (done.returncode, "name Asterisk's address" in done.stderr) == (ExitStatus.CONFIGURATION, True)
