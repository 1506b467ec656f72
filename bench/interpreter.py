"""The VoiceXML interpreter alone: turns, memory a session, and how cost grows with grammars and documents."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from vxml import Action, Collect, Digits, Exit, Fetch, Fetched, Play, Played, Session

HEAD = '<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">'
FIELDS = 10
SESSIONS = 1000
SIZES = (10, 1000, 100_000)


def form(fields: int) -> bytes:
    parts = [
        f"<field name='f{n}' type='digits?length=4'><prompt>Number {n}, please.</prompt>"
        f"<filled><assign name='total' expr='total + f{n}.length'/></filled></field>"
        for n in range(fields)
    ]
    return f"{HEAD}<var name='total' expr='0'/><form>{''.join(parts)}</form></vxml>".encode()


REFERS = f"{HEAD}<form><field name='f'><grammar src='g' type='application/srgs+xml'/></field></form></vxml>".encode()


def listed(items: int) -> bytes:
    """A grammar of ``items`` numbers of six digits."""
    rows = "".join(f"<item>{' '.join(f'{n:06d}')}</item>" for n in range(items))
    return (
        "<grammar mode='dtmf' version='1.0' root='r' xmlns='http://www.w3.org/2001/06/grammar'>"
        f"<rule id='r'><one-of>{rows}</one-of></rule></grammar>"
    ).encode()


def opened(page: bytes, grammar: bytes = b"") -> tuple[Session, Action]:
    """A session that has got its first document, and the grammar that this refers to."""
    session = Session(Fetch("http://app/start"))
    action = session.begin()
    while isinstance(action, Play | Fetch):
        if isinstance(action, Play):
            action = session.send(Played())
        else:
            action = session.send(Fetched(action.url, 200, grammar if action.kind == "grammar" else page))
    return session, action


def memory() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def turns() -> str:
    page = form(FIELDS)
    spent: list[float] = []
    for _ in range(100):
        session, action = opened(page)
        while isinstance(action, Collect):
            began = time.perf_counter()
            action = session.send(Digits("1234"))
            spent.append(time.perf_counter() - began)
        assert isinstance(action, Exit | Play), action
    median, worst = statistics.median(spent) * 1e6, sorted(spent)[int(len(spent) * 0.99)] * 1e6
    rate = len(spent) / sum(spent)
    print(f"interpreter: {rate:.0f} turns/s, {median:.0f} us a turn, p99 {worst:.0f} us", flush=True)
    return f"interpreter {median / 1000:.2f} ms a turn (goal 1)"


def sessions() -> str:
    page = form(FIELDS)
    opened(page)
    gc.collect()
    before = memory()
    began = time.perf_counter()
    live = [opened(page) for _ in range(SESSIONS)]
    took = time.perf_counter() - began
    each = (memory() - before) / SESSIONS / 1024
    began = time.perf_counter()
    for session, _ in live:
        session.send(Digits("1234"))
    turn = (time.perf_counter() - began) / SESSIONS * 1e6
    print(
        f"sessions: {SESSIONS} opened in {took:.1f} s, {each:.0f} KB each, {turn:.0f} us a turn among them", flush=True
    )
    return f"idle session {each:.0f} KB (goal 500)"


def grammars() -> str:
    answers = []
    for size in SIZES:
        grammar = listed(size)
        began = time.perf_counter()
        _, action = opened(REFERS, grammar)
        first = time.perf_counter() - began
        assert isinstance(action, Collect), action
        began = time.perf_counter()
        opened(REFERS, grammar)
        again = time.perf_counter() - began
        spent = []
        for n in range(50):
            match = action.matcher.start()
            began = time.perf_counter()
            for key in f"{n * size // 50:06d}":
                match.feed(key)
            spent.append((time.perf_counter() - began) / 6)
        key = statistics.median(spent) * 1e6
        answers.append(key)
        print(
            f"grammar: {size} items, {first:.2f} s the first time, {again:.2f} s again, {key:.0f} us a key", flush=True
        )
    return f"{SIZES[-1]} items matched in {answers[-1] / 1000:.2f} ms a key (goal 1)"


def documents() -> str:
    found = []
    for fields in (10, 100, 1000):
        page = form(fields)
        began = time.perf_counter()
        opened(page)
        found.append((time.perf_counter() - began) / fields * 1e6)
        print(f"document: {fields} fields, {len(page) // 1024} KB, {found[-1]:.0f} us a field to load", flush=True)
    return f"a document of 1,000 fields costs {found[-1] / found[0]:.2f} of one of 10, a field"


def parts() -> Iterator[Callable[[], str]]:
    yield from (turns, sessions, grammars, documents)
