"""What the fake carrier's numbers do: the one table. A number itself says which line of it holds."""

from __future__ import annotations

from dataclasses import dataclass

from lab.behaviours import BUSY, INFORMATION, MACHINE, NOANSWER, OPERATOR, UNKNOWN, VOICE


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of callee; times in seconds, divided by the fake's ``speed``.

    ``ring`` passes before the answer or the refusal; None rings for ever. ``code`` is the SIP code of a refusal, None
    an answer. ``says`` is what the tap hears. ``hangs_up`` counts from the answer; None waits for the gateway to do so.
    ``keys`` are keyed ``think`` after the first prompt began. ``expected`` is the callee type that is right.
    """

    key: str
    words: str
    expected: str
    ring: float | None = 1.0
    code: int | None = None
    says: str = "hello"
    hangs_up: float | None = None
    keys: str = ""
    think: float = 1.0
    busy_first: int = 0  # so many calls find it busy
    progress: bool = False  # 183 in place of 180
    mute: bool = False  # no SIP answer at all


LINES: tuple[Line, ...] = (
    Line("person", "a person who stays until the application ends", VOICE),
    Line("person-keys", "a person who keys digits", VOICE, keys="1234"),
    Line("silent", "a person who says nothing", VOICE, says=""),
    Line("hangs-up-at-once", "a person who hangs up within a second", UNKNOWN, says="", hangs_up=0.7),
    Line("hangs-up-in-prompt", "a person who hangs up in mid-session", VOICE, hangs_up=6.0),
    Line("machine", "a machine with a greeting and a beep", MACHINE, says="greeting"),
    Line("busy", "busy (486)", BUSY, ring=0.05, code=486),
    Line("rings", "rings for ever", NOANSWER, ring=None),
    Line("progress-only", "183 and no 180, for ever", NOANSWER, ring=None, progress=True),
    Line("not-found", "number not in service (404)", OPERATOR, ring=0.05, code=404),
    Line("unavailable", "temporarily unavailable (480)", NOANSWER, ring=0.05, code=480),
    Line("no-circuit", "no circuit (503)", INFORMATION, ring=0.05, code=503),
    Line("declined", "declined (603)", UNKNOWN, ring=0.05, code=603),
    Line("unauthorized", "the carrier asks for credentials (401)", UNKNOWN, ring=0.05, code=401),
    Line("busy-then-person", "busy first, then a person", VOICE, busy_first=1),
)
#: What a trunk does that never answers SIP: 408 is Asterisk's own word after 32 s.
SILENT = Line("no-sip", "a trunk that never answers SIP", UNKNOWN, ring=32.0, code=408, mute=True)
BY_KEY = {line.key: line for line in LINES}
#: So many numbers of each kind has every area code.
AREA_SIZE = 10_000
AREAS = ("617", "212", "312", "415", "702", "206", "404", "303", "214", "305")
FIRST_EXCHANGE = 620


def number(key: str, index: int = 0) -> str:
    """The ``index``-th number, in E.164, that behaves as the line of that key; there are 100,000 of each."""
    area, tail = divmod(index, AREA_SIZE)
    exchange = FIRST_EXCHANGE + [line.key for line in LINES].index(key)
    return f"+1{AREAS[area]}{exchange}{tail:04d}"


def line_of(number: str) -> Line:
    """What a number does; one of no kind is a person's."""
    digits = number.lstrip("+")
    if len(digits) == 11 and digits.startswith("1") and digits.isdigit():
        index = int(digits[4:7]) - FIRST_EXCHANGE
        if 0 <= index < len(LINES):
            return LINES[index]
    return BY_KEY["person"]
