"""Every command shows an example and prints JSON when asked, and every fault ends with its documented status."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli import exits
from gateway.cli.main import app
from gateway.core.admission import Reason

ROOT = Path(__file__).parent.parent.parent
#: What these print is a file, a conversation or a log, never a record.
NO_JSON = {"init", "serve", "export", "vxml run"}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does_and_shows_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    shown = "voxgate classify" if name == "classify hear" else f"voxgate {name}"  # what it does without a word
    assert shown in (command.epilog or ""), f"voxgate {name} --help ends without an example"


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - NO_JSON))
def test_each_command_can_print_json(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in COMMANDS[name].params)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_explained(name: str) -> None:
    options = [one for one in COMMANDS[name].params if one.param_type_name == "option"]
    assert [one.name for one in options if not one.help] == []


def voxgate(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gateway.cli", *words], cwd=cwd, capture_output=True, text=True)


def config(folder: Path, extra: str = "") -> None:
    (folder / "voxgate.toml").write_text(f'installation = "test"\n[ami]\nsecret = "x"\n{extra}')


def test_every_exit_status_is_documented() -> None:
    shown = voxgate("--help", cwd=ROOT).stdout
    page = (ROOT / "docs/commands.md").read_text()
    for status, meaning in exits.MEANING.items():
        assert f"{int(status)}  {meaning}" in shown
        assert f"| {int(status)} | {meaning} |" in page
    assert set(exits.MEANING) == set(exits.ExitStatus) == {*exits.faults().values()} | {
        exits.ExitStatus.DONE, exits.ExitStatus.USAGE, exits.ExitStatus.INTERRUPTED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "extra", "status", "said"),
    [
        (("calls", "list"), "", exits.ExitStatus.NO_GATEWAY, "start it with `voxgate serve`"),
        (("calls", "list"), "[dail]\n", exits.ExitStatus.CONFIGURATION, "did you mean 'dial'?"),
        (("calls", "lst"), "", exits.ExitStatus.USAGE, "No such command"),
        (("route", "test", "+16175550100"), "", exits.ExitStatus.REFUSED, "add a [[route]]"),
    ],
)
def test_a_fault_ends_with_its_status_and_says_what_to_do(
    words: tuple[str, ...], extra: str, status: exits.ExitStatus, said: str, tmp_path: Path
) -> None:
    config(tmp_path, extra)
    done = voxgate(*words, cwd=tmp_path)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    config(tmp_path)
    (tmp_path / "voxgate.db").write_bytes(b"no database at all" * 100)
    done = voxgate("account", "add", "user1", "--time-zone", "UTC", "--country", "US", cwd=tmp_path)
    assert done.returncode == exits.ExitStatus.DATABASE
    assert "restore a backup" in done.stderr
    assert (tmp_path / "voxgate.db").read_bytes() == b"no database at all" * 100


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from gateway.cli.main import app; app(prog_name='voxgate')"],
        env={"_VOXGATE_COMPLETE": "complete_bash", "COMP_WORDS": "voxgate camp", "COMP_CWORD": "1"},
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert "campaign" in done.stdout.split()


def test_every_reason_is_documented() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert [reason for reason in Reason if f"`{reason}`" not in page] == []


def test_a_command_imports_only_what_it_needs() -> None:
    """Whoever types or completes a command waits for its imports: these cost more than all the others together."""
    heavy = ("aiohttp", "structlog", "sqlite_utils", "dateparser", "lxml", "numpy", "panoramisk", "rich")
    code = f"import gateway.cli.main, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
