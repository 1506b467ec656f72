"""Whatever a document says and a caller does: only VoiceXML's events end a session, and every session ends."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vxml import (
    Action,
    Collect,
    Digits,
    Disconnect,
    Event,
    Exit,
    Fetch,
    Fetched,
    FetchFailed,
    Hangup,
    Limits,
    Log,
    NoInput,
    NoMatch,
    Play,
    Played,
    Record,
    Recorded,
    Session,
    Transfer,
    TransferFailed,
    Transferred,
)

NAMES = st.sampled_from(["a", "b", "c"])
EXPRESSIONS = st.sampled_from(
    ["1", "a", "b", "a == 1", "undefined", "'x'", "[1,2,3]", "({n: 1})", "true", "true", "a++", "id", "nowhere", "{"]
)
EVENTS = st.sampled_from(
    ["com.x", "error", "noinput", "nomatch", "help", "exit", "cancel", "connection.disconnect", "a"]
)
TARGETS = st.sampled_from(["#a", "#b", "#nowhere", "/start", "/other", "/missing", "/broken", "http://[", ""])
TYPES = st.sampled_from(["digits", "boolean", "digits?length=2", "number", "date", "magic"])
TIMES = st.sampled_from(["1s", "500ms", "-1s", "x", "0s"])
COUNTS = st.sampled_from(["1", "2", "x", "-1"])
TEXT = st.sampled_from(["", "hello", "a & b", "<", "é"])


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@st.composite
def element(
    draw: st.DrawFn,
    name: str,
    inside: st.SearchStrategy[str],
    *,
    needs: dict[str, st.SearchStrategy[str]] | None = None,
    one: dict[str, st.SearchStrategy[str]] | None = None,
    may: dict[str, st.SearchStrategy[str]] | None = None,
) -> str:
    """``name`` with all attributes that it needs, one of those that exclude each other, and some that it may have.

    One in three hundred breaks these rules.
    """
    needs, one, may = dict(needs or {}), dict(one or {}), dict(may or {})
    chosen = [*needs, *draw(st.sets(st.sampled_from(sorted(may)), max_size=2))] if may else [*needs]
    if one:
        chosen.append(draw(st.sampled_from(sorted(one))))
    if chosen and draw(st.integers(0, 299)) == 137:
        chosen.pop()
    values = {**needs, **one, **may}
    said = "".join(f' {key}="{escaped(draw(values[key]))}"' for key in chosen)
    return f"<{name}{said}>{draw(inside)}</{name}>"


NOTHING = st.just("")
VALUE = element("value", NOTHING, needs={"expr": EXPRESSIONS})
AUDIO = element("audio", TEXT.map(escaped), one={"src": TARGETS, "expr": EXPRESSIONS})
PROMPT = element(
    "prompt",
    st.lists(TEXT.map(escaped) | VALUE | AUDIO, max_size=2).map("".join),
    may={"count": COUNTS, "cond": EXPRESSIONS, "bargein": st.sampled_from(["true", "false", "x"]), "timeout": TIMES},
)
SIMPLE = st.one_of(
    PROMPT,
    VALUE,
    TEXT.map(escaped),
    element("assign", NOTHING, needs={"name": NAMES, "expr": EXPRESSIONS}),
    element("var", NOTHING, needs={"name": NAMES}, may={"expr": EXPRESSIONS}),
    element("clear", NOTHING, may={"namelist": NAMES}),
    element("goto", NOTHING, one={"next": TARGETS, "nextitem": NAMES, "expr": EXPRESSIONS}),
    element(
        "submit",
        NOTHING,
        needs={"next": TARGETS},
        may={"namelist": NAMES, "method": st.sampled_from(["get", "post", "x"])},
    ),
    element("throw", NOTHING, one={"event": EVENTS, "eventexpr": EXPRESSIONS}),
    element("script", EXPRESSIONS.map(escaped)),
    element("log", NOTHING, may={"expr": EXPRESSIONS}),
    element("exit", NOTHING, may={"namelist": NAMES}),
    element("return", NOTHING, one={"event": EVENTS, "namelist": NAMES}),
    st.just("<reprompt/>"),
    st.just("<disconnect/>"),
    element("data", NOTHING, needs={"src": TARGETS}, may={"name": NAMES}),
)
EXECUTABLE = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        element("if", inner, needs={"cond": EXPRESSIONS}),
        element("foreach", inner, needs={"item": NAMES, "array": EXPRESSIONS}),
    ),
    max_leaves=4,
)
CONTENT = st.lists(EXECUTABLE, max_size=3).map("".join)
HANDLER = st.one_of(
    element("catch", CONTENT, may={"event": EVENTS, "count": COUNTS, "cond": EXPRESSIONS}),
    element("noinput", CONTENT, may={"count": COUNTS}),
    element("nomatch", CONTENT, may={"count": COUNTS}),
)
LINK = element(
    "link", NOTHING, one={"next": TARGETS, "event": EVENTS}, needs={"dtmf": st.sampled_from(["1", "*", "1", "7", "x"])}
)
INSIDE = st.lists(PROMPT | HANDLER | element("filled", CONTENT), max_size=3).map("".join)
ITEM = st.one_of(
    element("block", CONTENT, may={"name": NAMES, "cond": EXPRESSIONS, "expr": EXPRESSIONS}),
    element("field", INSIDE, needs={"type": TYPES}, may={"name": NAMES, "cond": EXPRESSIONS, "modal": st.just("true")}),
    element("record", INSIDE, may={"name": NAMES, "maxtime": TIMES, "beep": st.just("true")}),
    element(
        "transfer", INSIDE, needs={"dest": st.sampled_from(["tel:1", "tel:1", "x"])},
        may={"name": NAMES, "bridge": st.just("true")},
    ),
    element("subdialog", INSIDE, needs={"src": TARGETS}, may={"name": NAMES}),
    element("initial", INSIDE, may={"name": NAMES}),
    element("object", NOTHING, may={"name": NAMES}),
)  # fmt: skip
FILLED = element("filled", CONTENT, may={"namelist": NAMES, "mode": st.sampled_from(["any", "all"])})
FORM = st.lists(ITEM | ITEM | HANDLER | FILLED | LINK, min_size=1, max_size=5).map("".join)
CHOICE = element(
    "choice", TEXT.map(escaped), one={"next": TARGETS, "event": EVENTS}, may={"dtmf": st.sampled_from("12x")}
)
MENU = st.lists(CHOICE | PROMPT | HANDLER, min_size=1, max_size=4).map("".join)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """One to three dialogs, named a, b and so on, after variables of those names."""
    parts = ["<var name='a' expr='1'/><var name='b'/>"]
    parts += draw(st.lists(HANDLER | LINK, max_size=2))
    for name in "abc"[: draw(st.integers(1, 3))]:
        menu = draw(st.integers(0, 3)) == 2
        parts.append(f"<menu id='{name}'>{draw(MENU)}</menu>" if menu else f"<form id='{name}'>{draw(FORM)}</form>")
    return f'<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">{"".join(parts)}</vxml>'


DOCUMENT = documents()
KEYS = st.text("0123456789*#", min_size=1, max_size=4)


def event_for(action: Action, draw: st.DrawFn, pages: dict[str, bytes]) -> Event:
    match action:
        case Fetch():
            if draw(st.integers(0, 9)) == 7:
                return FetchFailed("drawn")
            path = action.url.removeprefix("http://app").partition("?")[0]
            return Fetched(action.url, 200 if path in pages else 404, pages.get(path, b""))
        case Play() | Log():
            return Played()
        case Disconnect():
            return Hangup()
        case Collect():
            return draw(st.one_of(KEYS.map(Digits), st.just(NoInput()), st.just(NoMatch("9")), st.just(Hangup())))
        case Record():
            return draw(
                st.sampled_from([Recorded("r", 1.0, 9), Recorded("", 0.0, 0), NoInput(), Digits("1"), Hangup()])
            )
        case Transfer():
            return draw(
                st.sampled_from([Transferred("busy"), Transferred(""), TransferFailed("error.connection"), Hangup()])
            )
        case _:
            raise AssertionError(action)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), DOCUMENT, DOCUMENT)
def test_every_session_ends_by_an_event_of_voicexml(data: st.DataObject, start: str, other: str) -> None:
    pages = {"/start": start.encode(), "/other": other.encode(), "/broken": b"<vxml><form>"}
    session = Session(Fetch("http://app/start"), {"id": "7"}, Limits(steps=30, documents=30, subdialogs=5))
    action = session.begin()
    asked = 0
    for _ in range(3000):
        if isinstance(action, Exit):
            return  # any exception but VoiceXML's own would have come out of send()
        asked += isinstance(action, Collect | Record | Transfer)
        action = session.send(Hangup() if asked > 20 else event_for(action, data.draw, pages))
    raise AssertionError("the session goes on and on")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | DOCUMENT.map(lambda text: text.encode()[:150]))
def test_bytes_that_are_no_document_are_refused(body: bytes) -> None:
    session = Session(Fetch("http://app/start"))
    session.begin()
    action = session.send(Fetched("http://app/start", 200, body))
    while not isinstance(action, Exit):
        action = session.send(Hangup())
