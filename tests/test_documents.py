"""The README's tables are the code's."""

from __future__ import annotations

from pathlib import Path

from gateway.core.states import CALL_TRANSITIONS
from lab.behaviours import markdown_table

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_states_in_the_readme_are_the_table_in_code() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| ") and line.count("|") == 4]
    found = {tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows}
    assert {(str(s), str(e), str(n)) for (s, e), n in CALL_TRANSITIONS.items()} <= found


def test_the_behaviours_in_the_readme_are_the_labs() -> None:
    assert markdown_table() in README
