"""What the doctor found: a thing that works, a fault with its mend, or a check that could not be made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """``mend`` says how to mend a fault, or why a check was skipped."""

    state: State
    what: str
    mend: str = ""

    @classmethod
    def of(cls, ok: bool, what: str, mend: str) -> Finding:
        """``mend`` counts only where ``ok`` is false."""
        return good(what) if ok else fault(what, mend)

    def plain(self) -> dict[str, str]:
        return {"state": str(self.state), "what": self.what, "mend": self.mend}


def good(what: str, note: str = "") -> Finding:
    return Finding(State.OK, what, note)


def fault(what: str, mend: str) -> Finding:
    return Finding(State.FAIL, what, mend)


def skipped(what: str, why: str) -> Finding:
    return Finding(State.SKIPPED, what, why)
