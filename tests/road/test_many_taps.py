"""Fifty tapped calls at once, on a lab of their own: each is judged as its clip is from the file."""

from __future__ import annotations

from bench import taps


def test_no_verdict_changes_where_many_calls_are_heard_at_once() -> None:
    (found,) = taps.rounds((50,))
    assert len(found.found.heard) == 50
    assert found.changed == []
    assert {one.last for one in found.found.heard} == {"voice", "answeringmachine", "fax"}
