"""The tables of the documentation are the code's."""

from __future__ import annotations

import re

from gateway.core.states import CALL_TRANSITIONS
from lab.behaviours import markdown_table
from tests.cli.test_commands import COMMANDS
from tests.documents.pages import PAGES, ROOT


def test_the_states_of_a_call_are_the_table_in_code() -> None:
    lines = (ROOT / "docs/architecture.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and line.count("|") == 4]
    found = {tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows}
    assert {(str(s), str(e), str(n)) for (s, e), n in CALL_TRANSITIONS.items()} <= found


def test_the_behaviours_of_numbers_are_the_labs() -> None:
    assert markdown_table() in (ROOT / "docs/lab.md").read_text()


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs/every-command.md").read_text()
    assert [name for name in COMMANDS if f"## `voxgate {name}" not in page] == []


def test_commands_that_the_text_names_exist() -> None:
    groups = {name.partition(" ")[0] for name in COMMANDS if " " in name}
    named = {
        (page.name, one) for page in PAGES for one in re.findall(r"`voxgate ([a-z]+(?: [a-z]+)?)", page.read_text())
    }
    unknown = {
        (page, one)
        for page, one in named
        if one not in COMMANDS and one.partition(" ")[0] not in COMMANDS.keys() | groups
    }
    assert unknown == set()
