"""What the simulated carrier's numbers do, and what the gateway must find of each: the one table.

The demo, the tests and the README's table come from it. Which number does what is drawn anew each run.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Callee types, in the contract's words.
VOICE, MACHINE, FAX = "voice", "answeringmachine", "fax"
BUSY, NOANSWER, OPERATOR = "busy", "noanswer", "operator"
INFORMATION, UNKNOWN = "informationtone", "unknown"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One kind of callee.

    ``steps`` is its dialplan: lines without ``exten``; ``{ring}``, ``{keys}``, ``{run}``, ``{number}``, ``{timeout}``
    and ``{sit}`` are filled in. ``expected`` holds every callee type that is right (more than one only where the
    outcome is a race by nature).
    ``invites`` is how often the number is rung when ``retries`` are allowed.
    """

    key: str
    words: str
    steps: tuple[str, ...]
    expected: tuple[str, ...]
    hears: bool = False  # whether the callee hears the application's prompt
    keys: bool = False  # whether the callee keys what was drawn
    retries: int = 0
    invites: int = 1
    trunk: str = "carrier"
    sits: tuple[str, ...] = ("ic",)  # one of which ``{sit}`` is
    trunk_fault: bool = False  # consumes no attempt and is tried again until the call expires

    @property
    def result(self) -> str:
        return "completed" if self.expected[0] in (VOICE, MACHINE) else "failed"


#: What a callee hears and says is recorded.
RECORD = (
    "MixMonitor({run}/heard-{number}-${{UNIQUEID}}.wav,"
    "r({run}/rx-{number}-${{UNIQUEID}}.wav)t({run}/tx-{number}-${{UNIQUEID}}.wav))"
)
_HELLO = ("Ringing()", "Wait({ring})", "Answer()", RECORD, "Wait(0.4)", "Playback(hello)")
_GREETING = "Playback(vm-nobodyavail&vm-msginstruct&vm-intro&beep)"


def _refuses(key: str, code: int, words: str, expected: str, *, trunk_fault: bool = False) -> Behaviour:
    return Behaviour(key, words, (f"PJSIPHangup({code})",), (expected,), trunk_fault=trunk_fault)


def _sit_early(category: str, code: int, cause: str, expected: str) -> Behaviour:
    steps = ("Progress()", "Wait(0.2)", f"Playback({{run}}/sit-{category},noanswer)", f"PJSIPHangup({code})")
    words = f"SIT {category.upper()} in early media, then {cause}"
    return Behaviour(f"sit-{category}-{code}", words, steps, (expected,))


def _sit_answered(words: str, categories: tuple[str, ...], expected: str) -> Behaviour:
    steps = ("Answer()", "Wait(0.2)", "Playback({run}/sit-{sit}&ss-noservice)", "Wait(1)", "Hangup(16)")
    words = f"SIT {words.upper().replace(' OR ', ' or ')} and an announcement after answer"
    return Behaviour(f"sit-answered-{expected}", words, steps, (expected,), sits=categories)


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("person", "a person says hello after some rings", (*_HELLO, "Wait(60)"), (VOICE,), hears=True),
    Behaviour(
        "person-keys",
        "a person hears the prompt and presses keys",
        (*_HELLO, "Wait({think})", "SendDTMF({keys},250,120)", "Wait(60)"),
        (VOICE,),
        hears=True,
        keys=True,
    ),
    Behaviour(
        "silent",
        "a person who says nothing",
        ("Ringing()", "Wait({ring})", "Answer()", RECORD, "Wait(60)"),
        (VOICE,),
        hears=True,
    ),
    Behaviour(
        "hangs-up-at-once",
        "a person who hangs up within a second",
        ("Ringing()", "Wait({ring})", "Answer()", "Wait(0.7)", "Hangup(16)"),
        (UNKNOWN,),
    ),
    Behaviour(
        "hangs-up-in-prompt",
        "a person who hangs up in mid-prompt",
        (*_HELLO, "Wait({think})", "Hangup(16)"),
        (VOICE,),
        hears=True,
    ),
    Behaviour(
        "answers-at-timeout",
        "a person who answers at the very ring timeout",
        ("Ringing()", "Wait({timeout})", "Answer()", RECORD, "Playback(hello)", "Wait(60)"),
        (VOICE, NOANSWER, UNKNOWN),
    ),
    Behaviour(
        "machine",
        "an answering machine with a recorded greeting and a beep",
        ("Ringing()", "Wait({ring})", "Answer()", RECORD, "Wait(0.8)", _GREETING, "Wait(60)"),
        (MACHINE,),
        hears=True,
    ),
    Behaviour(
        "fax",
        "a fax machine",
        ("Ringing()", "Wait({ring})", "Answer()", "ReceiveFAX({run}/fax-{number}.tif)", "Hangup(16)"),
        (FAX,),
    ),
    _refuses("busy", 486, "busy (486)", BUSY),
    Behaviour("rings", "rings for ever", ("Ringing()", "Wait(300)"), (NOANSWER,)),
    Behaviour(
        "progress-only",
        "183 with early media and no 180, for ever",
        ("Progress()", "Playtones(440+480/2000,0/4000)", "Wait(300)"),
        (NOANSWER,),
    ),
    _refuses("not-found", 404, "number not in service (404)", OPERATOR),
    _refuses("gone", 410, "number changed (410)", OPERATOR),
    _refuses("incomplete", 484, "number incomplete (484)", OPERATOR),
    _refuses("unavailable", 480, "temporarily unavailable (480)", NOANSWER),
    Behaviour("moved", "moved (302)", ("Transfer(PJSIP/sip:elsewhere@127.0.0.1)", "Hangup()"), (UNKNOWN,)),
    _refuses("unauthorized", 401, "the carrier asks for credentials (401)", UNKNOWN, trunk_fault=True),
    _refuses("no-circuit", 503, "no circuit (503)", INFORMATION),
    _refuses("declined", 603, "declined (603)", UNKNOWN),
    _sit_early("ic", 404, "404 (definite)", OPERATOR),
    _sit_early("vc", 603, "603 (vague)", OPERATOR),
    _sit_early("nc", 480, "480 (vague)", INFORMATION),
    _sit_early("ro", 503, "503 (vague)", INFORMATION),
    _sit_early("io", 404, "404 (definite)", OPERATOR),
    _sit_early("itu", 603, "603 (vague)", INFORMATION),
    _sit_answered("ic or vc", ("ic", "vc"), OPERATOR),
    _sit_answered("nc, ro, io or itu", ("nc", "ro", "io", "itu"), INFORMATION),
    Behaviour(
        "no-sip",
        "a trunk that never answers SIP",
        (),
        (UNKNOWN,),
        trunk="silent",
        trunk_fault=True,
    ),
    Behaviour(
        "busy-then-person",
        "busy first, then a person",
        ("GotoIf($[${{LAB_CALLS_{number}}} < 2]?busy)", *_HELLO, "Wait(60)"),
        (VOICE,),
        hears=True,
        retries=1,
        invites=2,
    ),
    Behaviour("twice", "two calls to one number at once", (*_HELLO, "Wait(60)"), (VOICE,), hears=True, invites=2),
)

BY_KEY = {behaviour.key: behaviour for behaviour in BEHAVIOURS}


@dataclass(frozen=True, slots=True)
class Line:
    """One number of the carrier in one run. ``ring`` and ``think`` are seconds."""

    number: str  # E.164 with +
    behaviour: Behaviour
    ring: float
    think: float
    keys: str
    sit: str


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """Which number does what in one run, from a seed that is printed."""

    seed: int
    lines: tuple[Line, ...]

    def line(self, key: str) -> Line:
        return next(line for line in self.lines if line.behaviour.key == key)

    def by_number(self, number: str) -> Line:
        return next(line for line in self.lines if line.number == number)


def draw(seed: int | None = None, *, each: int = 1) -> NumberPlan:
    """Draw ``each`` numbers for every behaviour, in shuffled order."""
    seed = random.SystemRandom().randrange(1, 2**31) if seed is None else seed
    rng = random.Random(seed)
    areas = ("212", "312", "415", "617", "702", "206", "404", "303")
    drawn = rng.sample(range(100, 10000), k=len(BEHAVIOURS) * each)
    lines = []
    for index, tail in enumerate(drawn):
        behaviour = BEHAVIOURS[index % len(BEHAVIOURS)]
        silent = behaviour.trunk == "silent"
        # The silent trunk is chosen by prefix, as an operator's routes would; no other number may begin with it.
        number = f"+1{SILENT_AREA if silent else rng.choice(areas)}{rng.choice((555, 725, 867))}{tail:04d}"
        keys = "".join(rng.choice("0123456789") for _ in range(4))
        think = round(rng.uniform(6.5, 7.5), 1)
        sit = rng.choice(behaviour.sits)
        lines.append(Line(number, behaviour, rng.choice((1.0, 1.5, 2.0)), think, keys, sit))
    rng.shuffle(lines)
    return NumberPlan(seed, tuple(lines))


SILENT_AREA = "808"


def markdown_table() -> str:
    """The README's table."""
    rows = ["| number's behaviour | result | callee_type |", "|---|---|---|"]
    for one in BEHAVIOURS:
        found = " or ".join(f"`{name}`" for name in one.expected)
        rows.append(f"| {one.words} | {one.result} | {found} |")
    return "\n".join(rows) + "\n"
