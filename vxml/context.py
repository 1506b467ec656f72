"""What every part of a running session shares: scopes, queued prompts, properties, and the way to ask the host."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from lxml import etree

from vxml.actions import Action, Disconnect, Exit, Fetch, Log, Play, Prompt, Waiting
from vxml.document import Document, parse_document
from vxml.errors import Finished, LocalProtocolError, VoiceXmlEvent, badfetch
from vxml.events import Event, Fetched, FetchFailed, Hangup, Played, Recorded
from vxml.grammar.srgs import local
from vxml.properties import DEFAULTS, RECOGNITION, checked
from vxml.scopes import Scopes
from vxml.types import Json
from vxml.values import number, seconds

if TYPE_CHECKING:
    from vxml.transitions import ToDocument

HANGUP = "connection.disconnect.hangup"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one session. ``steps`` are form items visited, and handlers run, without any input between, and
    ``script_seconds`` the CPU time that ECMAScript takes in them: the host can do nothing else meanwhile."""

    steps: int = 1000
    script_seconds: float = 4.0
    documents: int = 1000
    subdialogs: int = 30
    items: int = 100_000  # of one <foreach>


#: Runs a subdialog in a context of its own: the caller's context, where it begins, its parameters; its values.
CallSubdialog = Callable[["Context", "ToDocument", Mapping[str, Json]], Generator[Action, Event, dict[str, Json]]]


@dataclass(slots=True)
class Shared:
    """What a subdialog's context has in common with its caller's. ``speech``: whether the host can recognise it."""

    limits: Limits
    session: Mapping[str, Json]
    speech: bool
    call: CallSubdialog
    scopes: list[Scopes] = field(default_factory=list)  # of the contexts that are open
    waiting: tuple[etree._Element, ...] = ()  # what may hold handlers, innermost first, while input is waited for
    queued: list[Prompt] = field(default_factory=list)
    timeout: float | None = None  # of the last prompt that was queued
    recordings: dict[str, Recorded] = field(default_factory=dict)
    hung_up: bool = False
    told_hangup: bool = False
    steps: int = 0
    script_seconds: float = 0.0
    documents: int = 0

    def spend(self, seconds: float) -> None:
        """Count a script's time. A handler may catch one script that was stopped, not go on for ever."""
        self.script_seconds += seconds
        if self.script_seconds > self.limits.script_seconds:
            raise Finished(
                "error.voxgate.loop", f"scripts took over {self.limits.script_seconds:g} s without any input"
            )


@dataclass(slots=True)
class Context:
    """One execution context: its variables and its documents (VoiceXML 2.0 §1.5.3)."""

    scopes: Scopes
    shared: Shared
    document: Document
    root: Document | None = None  # the application root, where it is another document
    depth: int = 0  # subdialogs within each other

    @property
    def limits(self) -> Limits:
        return self.shared.limits

    # --- asking the host ---

    def ask(self, action: Action) -> Generator[Action, Event, Event]:
        """Yield an action; a hang-up raises its event once, then ends what would need the caller."""
        shared = self.shared
        if shared.hung_up and not isinstance(action, Fetch | Log | Exit):
            raise Finished  # VoiceXML 2.0 §1.5.4: final processing ends where it would need the caller
        event = yield action
        if isinstance(event, Hangup):
            shared.hung_up = True
            shared.queued.clear()
            if isinstance(action, Disconnect):
                return event
            self.tell_hangup()
        return event

    def tell_hangup(self) -> None:
        """Raise the event of the caller's hang-up; the second time the session is over."""
        if self.shared.told_hangup:
            raise Finished
        self.shared.hung_up = self.shared.told_hangup = True
        raise VoiceXmlEvent(HANGUP, "the caller hung up")

    def queue(self, prompt: Prompt, timeout: float | None) -> None:
        """``timeout`` is the prompt's own, for the input that follows it. An empty prompt gives only that."""
        self.shared.timeout = timeout
        if prompt.segments:
            self.shared.queued.append(prompt)

    def take_queued(self) -> tuple[Prompt, ...]:
        prompts, self.shared.queued = tuple(self.shared.queued), []
        return prompts

    def take_timeout(self, inside: Iterable[etree._Element]) -> float:
        """How long input is awaited, by the last prompt that was queued, else by the property (VoiceXML 2.0 §4.1.7)."""
        own, self.shared.timeout = self.shared.timeout, None
        return self.seconds("timeout", inside) if own is None else own

    def flush(self) -> Generator[Action, Event, None]:
        """Play what is queued."""
        if self.shared.queued and not self.shared.hung_up:
            event = yield from self.ask(Play(self.take_queued()))
            if not isinstance(event, Played):
                raise LocalProtocolError(f"Play is answered by Played, not by {type(event).__name__}")

    def log(self, label: str, text: str) -> Generator[Action, Event, None]:
        yield from self.ask(Log(label, text))

    def step(self) -> None:
        """Count one visit; an application that runs on and on without input is stopped."""
        self.shared.steps += 1
        if self.shared.steps > self.limits.steps:
            raise Finished("error.voxgate.loop", f"{self.limits.steps} steps without any input")

    def heard_input(self) -> None:
        self.shared.steps, self.shared.script_seconds = 0, 0.0

    # --- fetching (VoiceXML 2.0 §6.1) ---

    def request(
        self, element: etree._Element, url: str, kind: str, inside: Iterable[etree._Element], **more: object
    ) -> Fetch:
        """A fetch with the element's attributes, else with the properties in force."""
        holders = tuple(inside)
        timeout, max_age, max_stale = self.fetching(element, kind, holders)
        return Fetch(
            url,
            kind=kind,
            timeout=timeout,
            max_age=max_age,
            max_stale=max_stale,
            waiting=self._waiting(element, holders) if kind == "document" else None,
            **more,  # type: ignore[arg-type]
        )

    def fetching(
        self, element: etree._Element, kind: str, inside: Iterable[etree._Element]
    ) -> tuple[float, float | None, float | None]:
        """The fetchtimeout, maxage and maxstale of a fetch of this kind."""
        holders = tuple(inside)
        timeout = seconds(element.get("fetchtimeout") or self.property("fetchtimeout", holders))
        age, stale = (element.get(name) or self.property(f"{kind}{name}", holders) for name in ("maxage", "maxstale"))
        return timeout, number(age) if age else None, number(stale) if stale else None

    def _waiting(self, element: etree._Element, inside: Iterable[etree._Element]) -> Waiting | None:
        holders = tuple(inside)
        source = element.get("fetchaudio") or self.property("fetchaudio", holders)
        if not source:
            return None
        delay, minimum = (self.seconds(name, holders) for name in ("fetchaudiodelay", "fetchaudiominimum"))
        return Waiting(self.document.resolve(element, source), delay, minimum)

    def fetch(self, action: Fetch) -> Generator[Action, Event, Fetched]:
        """Raises error.badfetch where nothing, or an HTTP error, comes (VoiceXML 2.0 §5.2.6)."""
        if action.waiting is not None:
            yield from self.flush()  # §4.1.8: what is queued is heard before fetchaudio
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
        """A document alone: :func:`vxml.arriving.arrive` has its application root loaded, too."""
        self.shared.documents += 1
        if self.shared.documents > self.limits.documents:
            raise Finished("error.voxgate.loop", f"{self.limits.documents} documents in one session")
        self.step()
        fetched = yield from self.fetch(action)
        return parse_document(fetched.body, urldefrag(fetched.url)[0], fetched.charset)

    # --- properties (VoiceXML 2.0 §6.3): the innermost <property> wins ---

    def property(self, name: str, inside: Iterable[etree._Element]) -> str:
        for holder in (*inside, self.document.root, *(() if self.root is None else (self.root.root,))):
            # Within one element the last of several counts (§6.3).
            for child in reversed(holder):
                if local(child) == "property" and child.get("name") == name and child.get("value") is not None:
                    return checked(name, str(child.get("value")))
        return DEFAULTS.get(name, "")

    def seconds(self, name: str, inside: Iterable[etree._Element]) -> float:
        return seconds(self.property(name, inside))

    def recognition(self, inside: Iterable[etree._Element]) -> dict[str, str]:
        """The properties that a recogniser needs (VoiceXML 2.0 §6.3.2)."""
        holders = tuple(inside)
        return {name: self.property(name, holders) for name in RECOGNITION}
