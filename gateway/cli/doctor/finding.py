"""What the doctor found: a thing that works, a trouble with its mend, or a check that could not be made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    OK = "ok"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """``mend`` says how to mend a fault, or why a check was skipped; ``trouble`` is the key of a fault's kind."""

    state: State
    what: str
    mend: str = ""
    trouble: str = ""

    def plain(self) -> dict[str, str]:
        return {"state": str(self.state), "what": self.what, "mend": self.mend, "trouble": self.trouble}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that installations get wrong. ``what`` and ``mend`` have ``{places}`` for what was found."""

    key: str
    what: str
    mend: str

    def found(self, **details: Any) -> Finding:
        return Finding(State.FAIL, self.what.format(**details), self.mend.format(**details), self.key)

    def unless(self, ok: bool, works: str, **details: Any) -> Finding:
        """``works`` as a thing that works, or this trouble."""
        return good(works) if ok else self.found(**details)


def good(what: str, note: str = "") -> Finding:
    return Finding(State.OK, what, note)


def skipped(what: str, why: str) -> Finding:
    return Finding(State.SKIPPED, what, why)
