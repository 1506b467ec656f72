"""What we promise names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROMISES = README.partition("## What we promise\n")[2].partition("\n## ")[0]
NAMED = re.compile(r"`(tests/[\w/.]+?)(?:::(\w+))?`")


def test_each_promise_has_tests() -> None:
    each = re.split(r"^\d\. ", PROMISES, flags=re.M)[1:]
    assert [re.findall(r"^\*\*(.+?)\*\*", one)[0] for one in each] == [
        "No phone is rung twice by mistake.", "No accepted call is lost.", "No channel leaks.",
        "Nobody gets in, and nothing gets out that should not.",
    ]  # fmt: skip
    assert all(len([name for _, name in NAMED.findall(one) if name]) >= 3 for one in each)


def test_the_table_has_every_fault_that_chaos_knows_and_figures_for_each_row() -> None:
    rows = [line.strip("|").split("|") for line in PROMISES.splitlines() if line.startswith("| ") and "`" in line]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row[0])} == {fault.name for fault in FAULTS}
    for _, *figures in rows:
        told = [figure.strip().replace(",", "") for figure in figures]
        assert told == ["0"] * 5 + ["\N{EN DASH}"] * 4 or all(one.isdigit() for one in told), (
            "what was not run has no figures"
        )


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/threats.md", "docs/security.md"])
def test_every_test_that_is_named_is_there(page: str) -> None:
    for place, name in NAMED.findall((ROOT / page).read_text()):
        path = ROOT / place
        assert path.exists(), f"{page} names {place}"
        if name:
            tree = ast.parse(path.read_text())
            there = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert name in there, f"{page} names {place}::{name}"
