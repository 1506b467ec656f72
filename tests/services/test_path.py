"""The path that is kept of a session: its steps, and what never stands in it."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

from gateway.services.dialog.path import FIRST, LAST, PathTaken, bare
from vxml import Audio, Digits, Exit, Fetch, Fetched, Hangup, NoInput, Play, Played, Prompt, Session, Speech


def said(text: str) -> Play:
    return Play((Prompt((Speech(f'<speak version="1.0">{text}</speak>', "en-US"), Audio("http://u:p@a/b.wav?x=1"))),))


def path() -> PathTaken:
    ticks = itertools.count()
    return PathTaken(lambda: float(next(ticks)))


def kinds(found: PathTaken) -> list[tuple[str, str]]:
    return [(step["kind"], step["text"]) for step in found.steps]


def test_a_real_sessions_path_is_told_in_order() -> None:
    document = b"""<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form>
        <field name="n" type="digits?length=2"><prompt>Two digits, please.</prompt></field>
        <block><prompt>You keyed <value expr="n"/>.</prompt><disconnect/></block></form></vxml>"""
    session, found = Session(Fetch("http://app.example/start?pin=1234")), path()
    action: Any = session.begin()
    events = iter([Fetched("http://app.example/start?pin=1234", 200, document), NoInput(), Digits("42"), Hangup()])
    while not isinstance(action, Exit):
        found.asked(action)
        event = Played() if isinstance(action, Play) else next(events)
        found.answered(action, event)
        action = session.send(event)
    found.asked(action)
    assert [kind for kind, _ in kinds(found)][:4] == ["fetch", "prompt", "noinput", "prompt"]
    assert ("digits", "•• (2)") in kinds(found)
    assert found.hung_up_by == "application"
    assert not any(secret in str(found.steps) for secret in ("42", "1234"))


def test_digits_users_and_queries_are_masked() -> None:
    found = path()
    found.asked(said("Your code is 4711."))
    assert kinds(found) == [("prompt", "Your code is ••••. [http://a/b.wav?…]")]
    assert bare("http://bob:secret@h:8/p/q?token=1#f") == "http://h:8/p/q?…"


def test_who_hung_up_is_whoever_was_first() -> None:
    found = path()
    found.answered(said("x"), Hangup())
    found.asked(Exit())
    assert found.hung_up_by == "callee"


def test_an_endless_session_keeps_its_beginning_and_its_end() -> None:
    found = path()
    for number in range(10_000):
        found.answered(SimpleNamespace(kind="document"), NoInput())  # type: ignore[arg-type]
        del number
    assert len(found.steps) == FIRST + LAST
    assert found.steps[0]["at"] == 0 and found.steps[-1]["at"] == 9999
    assert found.steps[FIRST]["kind"] == "more"
