"""The path a session took through its application, for the call's record: never a digit, a value or what was said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from vxml import (
    Action,
    Audio,
    Collect,
    Digits,
    Disconnect,
    Event,
    Exit,
    Fetch,
    Fetched,
    FetchFailed,
    Hangup,
    NoInput,
    NoMatch,
    Play,
    Prompt,
    Record,
    Recorded,
    Speech,
    Spoken,
    Thrown,
    TooLong,
    Transfer,
    TransferFailed,
    Transferred,
)

#: Steps that are kept of one session, the first and the last of them.
FIRST, LAST = 150, 50
SHOWN = 160
_TAG = re.compile(r"<[^>]*>")

Step = dict[str, Any]


class PathTaken:
    """``seconds`` tells how long ago the call was answered; ``tell`` hears of every step."""

    def __init__(self, seconds: Callable[[], float], tell: Callable[[Step], None] = lambda step: None) -> None:
        self._seconds = seconds
        self._tell = tell
        self.steps: list[Step] = []
        self.hung_up_by = ""

    def asked(self, action: Action) -> None:
        """An action of the interpreter's, as it begins."""
        match action:
            case Play(prompts) | Collect(prompts) | Record(prompts) | Transfer(prompts):
                if text := words(prompts):
                    self._note("prompt", text)
        match action:
            case Record():
                self._note("record", f"for at most {action.max_time:g} s")
            case Transfer():
                self._note("transfer", str(action.kind))
            case Disconnect():
                self._note("disconnect", "")
                self.hung_up_by = self.hung_up_by or "application"
            case Exit() if action.error:
                self._note("error", str(action.error))
            case Exit():
                self._note("exit", "")
                self.hung_up_by = self.hung_up_by or "application"

    def answered(self, action: Action, event: Event) -> None:
        """What came of it."""
        match event:
            case Fetched(url, status):
                assert isinstance(action, Fetch)
                self._note("fetch", f"{action.kind} {bare(url)}: HTTP {status}, {len(event.body)} bytes")
            case FetchFailed(reason):
                url = action.url if isinstance(action, Fetch) else ""
                self._note("fetch", f"{bare(url)}: {masked(reason)}")
            case Digits(text):
                self._note("digits", f"{'•' * min(len(text), 20)} ({len(text)})")
            case NoMatch(text):
                self._note("nomatch", f"{'•' * min(len(text), 20)} ({len(text)})" if text else "")
            case NoInput():
                self._note("noinput", "")
            case Spoken(hypotheses):
                best = f"confidence {hypotheses[0].confidence:.2f}" if hypotheses else ""
                self._note("speech", best)
            case Thrown(name, message):
                self._note("event", f"{name} {message}".rstrip())
            case TooLong():
                self._note("maxspeechtimeout", "")
            case Recorded():
                self._note("recorded", f"{event.duration:.1f} s")
            case Transferred(outcome, duration):
                self._note("transferred", f"{outcome or 'away'} after {duration:.0f} s")
            case TransferFailed(name, reason):
                self._note("transferred", f"{name}: {masked(reason)}" if reason else name)
            case Hangup() if not isinstance(action, Disconnect):
                self._note("hangup", "by the callee")
                self.hung_up_by = self.hung_up_by or "callee"

    def _note(self, kind: str, text: str) -> None:
        step = {"at": round(self._seconds(), 2), "kind": kind, "text": text[:SHOWN]}
        if len(self.steps) >= FIRST + LAST:
            self.steps[FIRST : FIRST + 2] = [{"at": self.steps[FIRST]["at"], "kind": "more", "text": "steps left out"}]
        self.steps.append(step)
        self._tell(step)


def words(prompts: Iterable[Prompt]) -> str:
    """What the prompts say, digits masked; a file is told by its name."""
    said: list[str] = []
    for prompt in prompts:
        for segment in prompt.segments:
            match segment:
                case Speech(ssml):
                    said.append(masked(" ".join(unescape(_TAG.sub(" ", ssml)).split())))
                case Audio(url):
                    said.append(f"[{bare(url)}]")
    return " ".join(one for one in said if one)


def masked(text: str) -> str:
    return re.sub(r"\d", "•", text)


def bare(url: str) -> str:
    """A URL without what may tell of the callee: user, query and fragment."""
    parts = urlsplit(url)
    if not parts.scheme:
        return url[:60]
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")
