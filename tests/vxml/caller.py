"""A caller in four verbs: hears, keys, says, and what the application fetched, against an interpreter in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from vxml import (
    Action,
    Audio,
    Break,
    Collect,
    Collector,
    Disconnect,
    Event,
    Exit,
    Fetch,
    Fetched,
    FetchFailed,
    Hangup,
    Hypothesis,
    Limits,
    Log,
    NoInput,
    Play,
    Played,
    Prompt,
    Record,
    Session,
    Speech,
    Spoken,
    Transfer,
)

HEAD = '<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">'


def document(body: str) -> str:
    return f"{HEAD}{body}</vxml>"


@dataclass
class Caller:
    """``pages`` maps URLs to documents; a page that is an int is an HTTP status, a missing one cannot be reached, a
    Fetched is the answer itself. ``speech``: whether there is a recogniser."""

    pages: Mapping[str, str | bytes | int | Fetched]
    start: str = "http://app/start"
    variables: dict[str, object] = field(default_factory=dict)
    limits: Limits | None = None
    speech: bool = False
    heard: list[str] = field(default_factory=list)
    fetched: list[Fetch] = field(default_factory=list)
    logged: list[tuple[str, str]] = field(default_factory=list)
    asked: list[Action] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    ended: Exit | None = None

    def __post_init__(self) -> None:
        self.session = Session(Fetch(self.start), self.variables, self.limits, speech=self.speech)  # type: ignore[arg-type]
        self.action = self._settle(self.session.begin())

    def _settle(self, action: Action) -> Action:
        """Answer everything that needs no caller."""
        while True:
            self.asked.append(action)
            match action:
                case Fetch():
                    self.fetched.append(action)
                    page = self.pages.get(action.url.partition("?")[0], self.pages.get(action.url))
                    if page is None:
                        action = self.session.send(FetchFailed("connection refused"))
                    elif isinstance(page, Fetched):
                        action = self.session.send(page)
                    elif isinstance(page, int):
                        action = self.session.send(Fetched(action.url, page, b""))
                    else:
                        body = page.encode() if isinstance(page, str) else page
                        action = self.session.send(Fetched(action.url, 200, body))
                case Play(prompts):
                    self._hear(prompts)
                    action = self.session.send(Played())
                case Log(label, text):
                    self.logged.append((label, text))
                    action = self.session.send(Played())
                case Disconnect():
                    self.heard.append("<hangup>")
                    action = self.session.send(Hangup())
                case Collect(prompts) | Record(prompts) | Transfer(prompts):
                    self._hear(prompts)
                    return action
                case Exit():
                    self.ended = action
                    return action

    def _hear(self, prompts: tuple[Prompt, ...]) -> None:
        self.prompts += prompts
        for prompt in prompts:
            for segment in prompt.segments:
                match segment:
                    case Speech(ssml):
                        self.heard.append("".join(etree.fromstring(ssml).itertext()).strip())
                    case Audio(url):
                        self.heard.append(f"[{url}]")
                    case Break(seconds):
                        self.heard.append(f"<{seconds:g}s>")

    @property
    def waiting(self) -> Collect:
        assert isinstance(self.action, Collect), self.action
        return self.action

    def hears(self, *texts: str) -> Caller:
        """Exactly these, since the last time."""
        assert self.heard == list(texts), self.heard
        self.heard.clear()
        return self

    def keys(self, digits: str) -> Caller:
        """Type, then wait until the input is complete."""
        collector = Collector(self.waiting)
        for digit in digits:
            if (event := collector.feed(digit)) is not None:
                break
        else:
            event = collector.expired()
        return self.answers(event)

    def says(self, *hypotheses: str | Hypothesis) -> Caller:
        """Speak: what a recogniser made of it, best first."""
        return self.answers(Spoken(tuple(Hypothesis(one) if isinstance(one, str) else one for one in hypotheses)))

    def utters(self, words: str, confidence: float = 0.9, *others: Hypothesis) -> Caller:
        """Say it where speech is listened for; ``others`` are what the recogniser took it for next."""
        assert self.waiting.listen is not None, self.waiting
        return self.answers(Spoken((Hypothesis(words, confidence), *others)))

    def answers(self, event: Event) -> Caller:
        """Whatever the host may say to the action in hand."""
        self.action = self._settle(self.session.send(event))
        return self

    def silent(self) -> Caller:
        return self.answers(NoInput())

    def hangs_up(self) -> Caller:
        return self.answers(Hangup())

    def is_done(self, error: str | None = None) -> Caller:
        assert self.ended is not None, self.action
        assert self.ended.error == error, self.ended
        return self
