"""What every part of a running session shares: scopes, queued prompts, properties, and the way to ask the host."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from lxml import etree

from vxml.actions import Action, Disconnect, Exit, Fetch, Log, Play, Prompt
from vxml.document import Document, parse_document
from vxml.errors import Finished, LocalProtocolError, VoiceXmlEvent, badfetch
from vxml.events import Event, Fetched, FetchFailed, Hangup, Played
from vxml.grammar.srgs import local
from vxml.scopes import Scopes
from vxml.values import seconds

HANGUP = "connection.disconnect.hangup"

#: Defaults of VoiceXML 2.0 §6.3.
PROPERTIES = {
    "bargein": "true",
    "timeout": "5s",
    "interdigittimeout": "3s",
    "termtimeout": "0s",
    "termchar": "#",
    "fetchtimeout": "15s",
    "inputmodes": "dtmf voice",
    "universals": "none",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one session. ``steps`` are form items visited without any input between."""

    steps: int = 1000
    documents: int = 1000
    fetch_timeout: float = 15.0


@dataclass(slots=True)
class Context:
    """The state of one session."""

    scopes: Scopes
    limits: Limits
    document: Document
    root: Document | None = None  # the application root, where it is another document
    queued: list[Prompt] = field(default_factory=list)
    hung_up: bool = False
    told_hangup: bool = False
    steps: int = 0
    documents: int = 0

    # --- asking the host ---

    def ask(self, action: Action) -> Generator[Action, Event, Event]:
        """Yield an action; a hang-up raises its event once, then ends what would need the caller."""
        if self.hung_up and not isinstance(action, Fetch | Log | Exit):
            raise Finished  # VoiceXML 2.0 §1.5.4: final processing ends where it would need the caller
        event = yield action
        if isinstance(event, Hangup):
            self.hung_up = True
            self.queued.clear()
            if isinstance(action, Disconnect):
                return event
            if not self.told_hangup:
                self.told_hangup = True
                raise VoiceXmlEvent(HANGUP, "the caller hung up")
            raise Finished
        return event

    def flush(self) -> Generator[Action, Event, None]:
        """Play what is queued."""
        if self.queued and not self.hung_up:
            prompts, self.queued = tuple(self.queued), []
            event = yield from self.ask(Play(prompts))
            if not isinstance(event, Played):
                raise LocalProtocolError(f"Play is answered by Played, not by {type(event).__name__}")

    def log(self, label: str, text: str) -> Generator[Action, Event, None]:
        yield from self.ask(Log(label, text))

    def step(self) -> None:
        """Count one visit; an application that runs on and on without input is stopped."""
        self.steps += 1
        if self.steps > self.limits.steps:
            raise Finished("error.voxgate.loop", f"{self.limits.steps} steps without any input")

    def heard_input(self) -> None:
        self.steps = 0

    def fetch(self, action: Fetch) -> Generator[Action, Event, Fetched]:
        """Raises error.badfetch where nothing, or an HTTP error, comes (VoiceXML 2.0 §5.2.6)."""
        event = yield from self.ask(action)
        match event:
            case Fetched():
                if not 200 <= event.status < 300:
                    raise badfetch(f"{action.url} answered HTTP {event.status}", f".http.{event.status}")
                return event
            case FetchFailed():
                raise badfetch(f"{action.url} cannot be fetched: {event.reason}")
            case _:
                raise LocalProtocolError(f"Fetch is answered by Fetched, not by {type(event).__name__}")

    def load(self, action: Fetch) -> Generator[Action, Event, Document]:
        self.documents += 1
        if self.documents > self.limits.documents:
            raise Finished("error.voxgate.loop", f"{self.limits.documents} documents in one session")
        self.step()
        fetched = yield from self.fetch(action)
        return parse_document(fetched.body, urldefrag(fetched.url)[0], fetched.charset)

    # --- properties (VoiceXML 2.0 §6.3): the innermost <property> wins ---

    def property(self, name: str, inside: Iterable[etree._Element]) -> str:
        for holder in (*inside, self.document.root, *(() if self.root is None else (self.root.root,))):
            for child in holder:
                if local(child) == "property" and child.get("name") == name and child.get("value") is not None:
                    return str(child.get("value"))
        return PROPERTIES.get(name, "")

    def seconds(self, name: str, inside: Iterable[etree._Element]) -> float:
        return seconds(self.property(name, inside))
