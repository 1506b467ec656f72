"""CSV cells."""

from __future__ import annotations

import pytest

from gateway.core.cells import cell


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1-2", "-2+3|cmd", "\t=1", "\N{FULLWIDTH EQUALS SIGN}1"])
def test_what_begins_a_formula_is_made_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [("+16175551234", "+16175551234"), (-2, "-2"), (None, ""), ("a=b", "a=b")])
def test_all_else_stays(value: object, text: str) -> None:
    assert cell(value) == text
