"""What is shown to be kept in a file is right: applications, transcripts, configurations, programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.config import load
from tests.documents.notrun import reason
from tests.documents.pages import PAGES, blocks, name_of

PLAYED = [page for page in PAGES if blocks(page, "console", "xml")]
CONFIGURED = [page for page in PAGES if blocks(page, "toml")]
PROGRAMMED = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", PLAYED, ids=name_of)
def test_transcripts_go_as_shown(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ``xml`` block is kept under the name that the text beside it gives; a ``console`` block is typed."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    for block in blocks(page, "console", "xml"):
        if block.language == "xml":
            names = re.findall(r"`(\w+\.vxml)`", block.before) or re.findall(
                r"`(\w+\.vxml)`", text.partition(block.text)[2]
            )
            Path(names[0]).write_text(block.text)
            continue
        for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            if reason(f"$ {command}") is None:
                assert typed(command, printed) == printed, command


def typed(command: str, printed: str) -> str:
    """What a command prints, given the inputs that its transcript shows."""
    if not command.startswith("voxgate "):
        return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    inputs = re.findall(r"^(?:record|transfer)?> (.*)\n", printed, re.M)
    return CliRunner().invoke(app, command.split()[1:], input="".join(f"{line}\n" for line in inputs)).stdout


@pytest.mark.parametrize("page", CONFIGURED, ids=name_of)
def test_configurations_are_read(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        file = tmp_path / "voxgate.toml"
        required = {"installation": 'installation = "test"\n', "[ami]": '\n[ami]\nsecret = "x"\n'}
        head = required["installation"] if "installation" not in block.text else ""
        tail = required["[ami]"] if "[ami]" not in block.text else ""
        file.write_text(head + block.text + tail)
        load(file, {})


@pytest.mark.parametrize("page", PROGRAMMED, ids=name_of)
def test_programs_run(page: Path) -> None:
    for block in blocks(page, "python"):
        exec(block.text, {})  # noqa: S102 - each ends with an assertion of its own
