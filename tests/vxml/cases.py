"""Cases of the specification as one line each: a document, what the caller does, what he hears, how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.vxml.caller import Caller, document

SILENCE, HANG_UP = "_", "^"


@dataclass(frozen=True)
class Case:
    """``does`` holds inputs in order: digits, ``_`` for silence, ``^`` for a hang-up. ``ends`` is the uncaught event."""

    clause: str
    body: str
    hears: str
    does: str = ""
    ends: str | None = None
    pages: dict[str, str | int] = field(default_factory=dict)
    logs: str | None = None

    def run(self) -> Caller:
        pages: dict[str, Any] = {
            f"http://app/{name}": page if isinstance(page, int) or "<?xml" in page else document(page)
            for name, page in self.pages.items()
        }
        caller = Caller({"http://app/start": document(self.body), **pages}, variables={"id": "7", "n": {"a": 1}})
        for step in self.does.split():
            if step == SILENCE:
                caller.silent()
            elif step == HANG_UP:
                caller.hangs_up()
            else:
                caller.keys(step)
        assert " ".join(caller.heard) == self.hears, caller.ended or caller.action
        if self.logs is not None:
            assert " ".join(text for _, text in caller.logged) == self.logs
        caller.is_done(self.ends)
        return caller


def params(*cases: Case) -> list[Any]:
    return [pytest.param(case, id=case.clause) for case in cases]


def says(text: str) -> str:
    """A block that speaks ``text``, in which ``{expression}`` is a value."""
    return f"<block><prompt>{values(text)}</prompt></block>"


def values(text: str) -> str:
    out, rest = "", text
    while "{" in rest:
        before, _, rest = rest.partition("{")
        expression, _, rest = rest.partition("}")
        out += f'{before}<value expr="{expression}"/>'
    return out + rest


def ask(name: str, kind: str = "digits?length=1", inside: str = "", attributes: str = "") -> str:
    """A field whose prompt is its name in capitals."""
    return f'<field name="{name}" type="{kind}" {attributes}><prompt>{name.upper()}</prompt>{inside}</field>'


def form(*parts: str, identifier: str = "") -> str:
    return f'<form id="{identifier}">{"".join(parts)}</form>' if identifier else f"<form>{''.join(parts)}</form>"


def grammar(*rule: str) -> str:
    """An inline DTMF grammar of one rule."""
    return (
        '<grammar mode="dtmf" version="1.0" root="r" xmlns="http://www.w3.org/2001/06/grammar">'
        f'<rule id="r">{"".join(rule)}</rule></grammar>'
    )
