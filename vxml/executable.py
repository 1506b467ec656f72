"""Executable content (VoiceXML 2.0 §5.3): run element by element, returning the transition that ends it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from lxml import etree

from vxml.actions import Action, Disconnect, Prompt, Segment
from vxml.arriving import arrive
from vxml.context import Context
from vxml.data import fetch_data, request_with
from vxml.errors import Finished, Returned, VoiceXmlEvent, badfetch, semantic
from vxml.events import Event
from vxml.grammar.srgs import local
from vxml.prompts import PromptWriter, each
from vxml.transitions import ToDialog, ToItem, Transition
from vxml.types import Json
from vxml.values import boolean, seconds

Running = Generator[Action, Event, Transition | None]


@dataclass(slots=True)
class Executor:
    """Runs content inside ``inside``: the elements, innermost first, whose properties are in force.

    ``form_items`` names what a <submit> without namelist sends; ``clear`` resets items; ``options`` feed <enumerate>.
    """

    context: Context
    inside: Sequence[etree._Element]
    form_items: Callable[[], list[str]] = list
    clear: Callable[[list[str]], None] = lambda names: None
    options: list[tuple[str, str]] = field(default_factory=list)
    event: VoiceXmlEvent | None = None  # the one being handled, for <rethrow>
    reprompt: bool = False

    # --- running ---

    def block(self, element: etree._Element, variables: Mapping[str, str | None] | None = None) -> Running:
        """The content of a container, in an anonymous scope of its own (VoiceXML 2.0 §5.1.2). A variable that is None
        is undefined there."""
        scopes = self.context.scopes
        depth = scopes.depth
        given = dict(variables or {})
        scopes.push("", {name: value for name, value in given.items() if value is not None})
        try:
            for name in (name for name, value in given.items() if value is None):
                scopes.declare(name, None)
            return (yield from self.content(element))
        finally:
            scopes.unwind(depth)

    def content(self, element: etree._Element) -> Running:
        self.bare(element.text)
        for child in element:
            if (transition := (yield from self.one(child))) is not None:
                return transition
            self.bare(child.tail)
        return None

    def bare(self, text: str | None) -> None:
        """Text outside any element is a prompt (VoiceXML 2.0 §4.1.2)."""
        if text and text.strip():
            self.queue(self.writer().speech(text))

    def one(self, element: etree._Element) -> Running:
        scopes = self.context.scopes
        match local(element):
            case "var":
                scopes.declare(_needed(element, "name"), element.get("expr"))
            case "assign":
                scopes.assign(_needed(element, "name"), _needed(element, "expr"))
            case "clear":
                self.clear((element.get("namelist") or "").split())
            case "if":
                return (yield from self._if(element))
            case "script":
                yield from run_script(self.context, element, self.inside)
            case "prompt":
                self.prompt(element)
            case "audio" | "value" | "enumerate" | "mark":
                self.queue(self.writer().one(element))
            case "foreach":
                return (yield from self._foreach(element))
            case "data":
                yield from fetch_data(self.context, element, self.inside)
            case "reprompt":
                self.reprompt = True
            case "goto":
                return (yield from self._goto(element))
            case "submit":
                return (yield from self._submit(element))
            case "exit":
                yield from self._exit(element)
            case "disconnect":
                yield from self._disconnect(element)
            case "return":
                self._return(element)
            case "log":
                yield from self._log(element)
            case "throw":
                raise self._thrown(element)
            case "rethrow":
                if self.event is None:
                    raise semantic("<rethrow> outside a handler")
                raise self.event
            case "property" | "":
                pass
            case name:
                raise semantic(f"line {element.sourceline}: <{name}> is no executable content")
        return None

    def _if(self, element: etree._Element) -> Running:
        """<if>, <elseif> and <else> are siblings of what they govern (VoiceXML 2.0 §5.3.4)."""
        chosen = self.context.scopes.truth(_needed(element, "cond"))
        done = chosen
        if chosen:
            self.bare(element.text)
        for child in element:
            name = local(child)
            if name in ("elseif", "else"):
                chosen = not done and (name == "else" or self.context.scopes.truth(_needed(child, "cond")))
                done = done or chosen
            elif chosen and (transition := (yield from self.one(child))) is not None:
                return transition
            if chosen:
                self.bare(child.tail)
        return None

    def _foreach(self, element: etree._Element) -> Running:
        for _ in each(self.context, element):
            if (transition := (yield from self.content(element))) is not None:
                return transition
        return None

    # --- prompts ---

    def writer(self) -> PromptWriter:
        return PromptWriter(self.context, self.options, self.inside)

    def queue(self, segments: tuple[Segment, ...], element: etree._Element | None = None) -> None:
        """``element`` is the <prompt>, where there is one (VoiceXML 2.0 §4.1)."""

        def setting(name: str) -> str:
            own = None if element is None else element.get(name)
            return own or self.context.property(name, self.inside)

        timeout = None if element is None else element.get("timeout")
        prompt = Prompt(segments, boolean(setting("bargein")), setting("bargeintype"))
        self.context.queue(prompt, None if timeout is None else seconds(timeout))

    def prompt(self, element: etree._Element) -> None:
        """Queue a <prompt> whose cond holds."""
        condition = element.get("cond")
        if condition is None or self.context.scopes.truth(condition):
            self.queue(self.writer().segments(element), element)

    # --- going elsewhere ---

    def _goto(self, element: etree._Element) -> Running:
        scopes = self.context.scopes
        given = [name for name in ("next", "expr", "nextitem", "expritem") if element.get(name) is not None]
        if len(given) != 1:
            raise badfetch("<goto> needs exactly one of next, expr, nextitem, expritem")  # §5.3.7
        value = str(element.get(given[0]))
        if given[0] == "nextitem":
            return ToItem(value)
        if given[0] == "expritem":
            return ToItem(scopes.text(value))
        target = value if given[0] == "next" else scopes.text(value)
        return (yield from self.go(element, target))

    def go(self, element: etree._Element, target: str) -> Running:
        """To ``target``: a fragment of this document, or another one."""
        if target.startswith("#"):
            self.context.document.dialog(target[1:])
            return ToDialog(target[1:])
        url, fragment = urldefrag(self.context.document.resolve(element, target))
        request = self.context.request(element, url, "document", self.inside)
        return (yield from arrive(self.context, request, fragment or None))

    def _submit(self, element: etree._Element) -> Running:
        target, expression = element.get("next"), element.get("expr")
        if (target is None) == (expression is None):
            raise badfetch("<submit> needs exactly one of next and expr")  # §5.3.8
        if target is None:
            target = self.context.scopes.text(str(expression))
        listed = element.get("namelist")
        names = listed.split() if listed is not None else self.form_items()
        url, fragment = urldefrag(self.context.document.resolve(element, target))
        request = request_with(self.context, element, url, names, self.inside, "document")
        return (yield from arrive(self.context, request, fragment or None, submitted=True))

    def _exit(self, element: etree._Element) -> Generator[Action, Event, None]:
        scopes = self.context.scopes
        expression, names = element.get("expr"), element.get("namelist")
        if expression is not None and names is not None:
            raise badfetch("<exit> has both expr and namelist")  # §5.3.9
        values: dict[str, Json] = {} if expression is None else {"": scopes.value(expression)}
        values |= {name: scopes.value(name) for name in (names or "").split()}
        yield from self.context.flush()
        raise Finished(values=values)

    def _return(self, element: etree._Element) -> None:
        """<return>: values, or an event, for the caller of this subdialog (VoiceXML 2.0 §5.3.10)."""
        scopes = self.context.scopes
        given = [name for name in ("event", "eventexpr", "namelist") if element.get(name) is not None]
        if len(given) > 1:
            raise badfetch("<return> has more than one of event, eventexpr and namelist")
        if self.context.depth == 0:
            raise semantic("<return> outside a subdialog")
        if given and given[0] != "namelist":
            raise Returned({}, self._thrown(element))
        names = (element.get("namelist") or "").split()
        raise Returned({name: scopes.value(name) for name in names if scopes.kind(name) != "undefined"})

    def _disconnect(self, element: etree._Element) -> Generator[Action, Event, None]:
        names = (element.get("namelist") or "").split()  # VoiceXML 2.1 §9
        values = {name: self.context.scopes.value(name) for name in names}
        yield from self.context.flush()
        if not self.context.shared.hung_up:
            yield from self.context.ask(Disconnect(values))
        # The interpreter goes on as after a caller's hang-up (VoiceXML 2.0 §5.3.11).
        self.context.tell_hangup()

    def _log(self, element: etree._Element) -> Generator[Action, Event, None]:
        pieces = [element.text or ""]
        for child in element:
            if local(child) == "value":
                pieces.append(self.context.scopes.text(child.get("expr") or ""))
            pieces.append(child.tail or "")
        if (expression := element.get("expr")) is not None:
            pieces.append(self.context.scopes.text(expression))
        yield from self.context.log(element.get("label") or "", " ".join("".join(pieces).split()))

    def _thrown(self, element: etree._Element) -> VoiceXmlEvent:
        scopes = self.context.scopes
        name, expression = element.get("event"), element.get("eventexpr")
        if (name is None) == (expression is None):
            raise badfetch("<throw> needs exactly one of event and eventexpr")  # §5.2.1
        words = element.get("message") or ""
        if (message := element.get("messageexpr")) is not None:
            words = scopes.text(message)
        return VoiceXmlEvent(name if name is not None else scopes.text(str(expression)), words)


def run_script(
    context: Context, element: etree._Element, inside: Sequence[etree._Element] = ()
) -> Generator[Action, Event, None]:
    """<script>, inline or fetched (VoiceXML 2.0 §5.3.12, 2.1 §4)."""
    source, expression = element.get("src"), element.get("srcexpr")
    code = element.text or ""
    if sum((source is not None, expression is not None, bool(code.strip()))) > 1:
        raise badfetch("<script> has more than one of src, srcexpr and content")
    if expression is not None:
        source = context.scopes.text(expression)
    if source is not None:
        url = context.document.resolve(element, source)
        fetched = yield from context.fetch(context.request(element, url, "script", inside))
        charset = fetched.charset or element.get("charset") or "utf-8"
        try:
            code = fetched.body.decode(charset)
        except (UnicodeDecodeError, LookupError) as error:
            raise badfetch(f"the script {url} is not {charset}: {error}") from None
    context.scopes.run(code)


def declarations(
    context: Context, holder: Iterable[etree._Element], inside: Sequence[etree._Element] = ()
) -> Generator[Action, Event, None]:
    """The <var>, <script> and <data> children of a document or form, in order."""
    for child in holder:
        match local(child):
            case "var":
                context.scopes.declare(_needed(child, "name"), child.get("expr"))
            case "script":
                yield from run_script(context, child, inside)
            case "data":
                yield from fetch_data(context, child, inside)


def _needed(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise badfetch(f"line {element.sourceline}: <{local(element)}> needs {name}")
    return value
