"""The README's tables are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.core.states import CALL_TRANSITIONS
from lab.behaviours import markdown_table

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_states_in_the_readme_are_the_table_in_code() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| ") and line.count("|") == 4]
    found = {tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows}
    assert {(str(s), str(e), str(n)) for (s, e), n in CALL_TRANSITIONS.items()} <= found


def test_the_behaviours_in_the_readme_are_the_labs() -> None:
    assert markdown_table() in README


def test_the_application_tried_in_the_readme_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = re.search(r"```xml\n(.*?)```\n\n```console\n(.*?)```", README, re.S)
    assert found is not None
    page, transcript = found.groups()
    Path("reminder.vxml").write_text(page)
    check, mend, run = re.split(r"^\$ ", transcript, flags=re.M)[1:]
    assert _shown(check) == check.partition("\n")[2]
    assert mend == "sed -i s/#cancle/#cancel/ reminder.vxml\n"
    Path("reminder.vxml").write_text(page.replace("#cancle", "#cancel"))
    assert _shown(run) == run.partition("\n")[2]


def _shown(part: str) -> str:
    """What a command prints, given the inputs that its transcript shows."""
    command, _, transcript = part.partition("\n")
    typed = re.findall(r"^(?:record)?> (.*)\n", transcript, re.M)
    return CliRunner().invoke(app, command.split()[1:], input="".join(f"{line}\n" for line in typed)).stdout


def test_the_library_example_in_the_readme_runs() -> None:
    found = re.search(r"```python\n(from vxml.*?)```", README, re.S)
    assert found is not None
    exec(found[1], {})  # noqa: S102 - it ends with an assertion of its own
