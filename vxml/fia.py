"""The Form Interpretation Algorithm (VoiceXML 2.0 Appendix C): select an item, collect, process, until none is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from vxml.catching import EventCounter, default_for, select
from vxml.collecting import collect
from vxml.context import Context
from vxml.document import Document
from vxml.errors import Finished, VoiceXmlEvent, badfetch, semantic
from vxml.executable import Executor, Running, declarations
from vxml.grammar.srgs import local
from vxml.inputs import (
    Gathering,
    form_inputs,
    item_inputs,
    link_inputs,
    menu_inputs,
    menu_keys,
    outer_inputs,
    spoken_text,
    universal_inputs,
)
from vxml.matching import Active, Heard, Purpose, item_value, slot_value, slots
from vxml.transitions import ToDocument, ToItem, ToMatched, Transition
from vxml.types import Json
from vxml.validation import INPUT_ITEMS, ITEMS
from vxml.visits import Visit, record, subdialog, transfer


@dataclass(slots=True)
class Item:
    """A form item, or the one item that a menu is."""

    name: str
    element: etree._Element
    prompts: int = 1
    events: EventCounter = field(default_factory=EventCounter)

    @property
    def kind(self) -> str:
        return local(self.element)


class Dialog:
    """One visit to a <form> or <menu>. ``heard`` is an input that its document-wide grammar took elsewhere;
    ``parameters`` are a subdialog's."""

    def __init__(
        self,
        context: Context,
        element: etree._Element,
        *,
        heard: Heard | None = None,
        parameters: Mapping[str, Json] | None = None,
    ) -> None:
        self._context = context
        self._element = element
        self._entered_by = heard
        self._parameters = dict(parameters or {})
        self._items: list[Item] = []
        self._next: str | None = None
        self._prompting = True  # Appendix C: False after a handler without <reprompt>, for one visit
        self._events = EventCounter()
        self._passed: Item | None = None  # whose input an event of the host's interrupted, and led nowhere
        self._at: Item | None = None  # what an event now belongs to; None is the form itself (§5.2.2)

    def run(self) -> Running:
        """Returns the transition to elsewhere; Finished is raised where no item is left."""
        scopes = self._context.scopes
        depth = scopes.depth
        scopes.push("dialog")
        try:
            return (yield from self._run())
        finally:
            scopes.unwind(depth)

    def failed(self, event: VoiceXmlEvent) -> Running:
        """Handle an event that came before any dialog began; without a transition the session ends."""
        transition = yield from self._handle(event, None)
        if transition is None or isinstance(transition, ToItem):
            yield from self._context.flush()
            raise Finished
        return transition

    def _run(self) -> Running:
        transition: Transition | None = None
        try:
            yield from self._initialise()
            if self._entered_by is not None:
                transition = yield from self._heard(self._entered_by, None)
        except VoiceXmlEvent as event:
            transition = yield from self._handle(event, self._at)
        while True:
            if isinstance(transition, ToItem):
                self._next = transition.item
            elif transition is not None:
                return transition
            self._context.step()
            self._at = None
            try:
                item = self._at = self._select()
                if item is None:
                    yield from self._context.flush()
                    raise Finished  # §2.1.6: no item left, and no transition: an implicit <exit>
                transition = yield from self._visit(item)
            except VoiceXmlEvent as event:
                transition = yield from self._handle(event, self._at)

    # --- initialise ---

    def _initialise(self) -> Running:
        scopes = self._context.scopes
        if local(self._element) == "menu":
            self._items = [Item("", self._element)]
            return None
        for child in self._element:
            name = local(child)
            if name in ITEMS:
                item = Item(child.get("name") or f"__item{len(self._items)}", child)
                self._items.append(item)
                scopes.declare(item.name, child.get("expr") or "undefined")
            elif name == "var" and child.get("name") in self._parameters:
                # §2.3.4: the caller's value takes the place of the variable's own.
                given = str(child.get("name"))
                scopes.declare(given, None)
                scopes.put("dialog", given, self._parameters.pop(given))
            else:
                yield from declarations(self._context, [child], (self._element,))
        if self._parameters:
            raise semantic(f"the subdialog declares no variable {sorted(self._parameters)[0]!r} for its parameter")
        return None

    # --- select ---

    def _select(self) -> Item | None:
        wanted, self._next = self._next, None
        if wanted is not None:
            for item in self._items:
                if item.name == wanted:
                    return item
            raise badfetch(f"there is no form item {wanted!r}")
        if local(self._element) == "menu":
            return self._items[0]
        scopes = self._context.scopes
        for item in self._items:
            condition = item.element.get("cond")
            if not scopes.defined("dialog", item.name) and (condition is None or scopes.truth(condition)):
                return item
        return None

    # --- collect ---

    def _visit(self, item: Item) -> Running:
        prompting, self._prompting = self._prompting, True
        if prompting and item.kind != "block":
            self._queue_prompts(item)
        match item.kind:
            case "block":
                # The item is filled before its content runs, so that a <goto> back does not run it again (§2.3.2).
                self._context.scopes.put("dialog", item.name, True)
                return (yield from self._executor(item).block(item.element))
            case "field":
                own = yield from item_inputs(self._context, item.element, self._inside(item))
                return (yield from self._asked(item, own))
            case "initial":
                return (yield from self._asked(item, []))
            case "menu":
                own = yield from menu_inputs(self._context, item.element)
                if not any(local(child) == "choice" for child in item.element):
                    yield from self._context.flush()
                    raise Finished
                return (yield from self._asked(item, own))
            case "object":
                raise VoiceXmlEvent("error.unsupported.objectname", "there are no objects on this platform")
        return (yield from self._special(item))

    def _asked(self, item: Item, own: list[Active]) -> Running:
        """A field, a menu or an <initial>: prompts, and whatever is active."""
        context = self._context
        active = own if item.element.get("modal") == "true" else own + (yield from self._around(item))
        again, self._passed = self._passed is item, None
        heard = yield from collect(context, active, self._inside(item), again=again)
        return (yield from self._heard(heard, item))

    def _around(self, item: Item) -> Gathering:
        """The grammars outside the item: the form's, the documents', the universals."""
        context = self._context
        found: list[Active] = []
        if item.element is not self._element:
            found += yield from link_inputs(context, item.element, context.document)
        if local(self._element) == "form":
            found += yield from form_inputs(context, self._element)
        found += yield from link_inputs(context, self._element, context.document)
        found += yield from outer_inputs(context, self._element)
        return found + universal_inputs(context, self._inside(item))

    def _special(self, item: Item) -> Running:
        """<record>, <transfer>, <subdialog>: the visit fills the item by itself, or hears an input."""
        context, inside = self._context, self._inside(item)
        active: list[Active] = []
        if item.kind != "subdialog":
            active = yield from item_inputs(context, item.element, inside)
            if item.kind == "record" and item.element.get("modal") == "false":
                active += yield from self._around(item)
        visit = Visit(context, item.element, inside, tuple(active))
        match item.kind:
            case "record":
                result = yield from record(visit)
            case "transfer":
                result = yield from transfer(visit)
            case _:
                result = yield from subdialog(visit)
        if result is None:
            return None
        if isinstance(result, Heard):
            return (yield from self._heard(result, item))
        self._put(item, result.value, result.shadow)
        if result.hung_up:
            context.tell_hangup()  # §2.3.6: what was recorded until then is kept
        return (yield from self._filled([item]))

    def _queue_prompts(self, item: Item) -> None:
        """Tapered prompts (VoiceXML 2.0 §4.1.6)."""
        scopes = self._context.scopes
        prompts = []
        for child in item.element:
            if local(child) != "prompt":
                continue
            condition = child.get("cond")
            count = _count(child.get("count"))
            if count <= item.prompts and (condition is None or scopes.truth(condition)):
                prompts.append((count, child))
        best = max((count for count, _ in prompts), default=1)
        executor = self._executor(item)
        # Bare <audio>, <value>, <enumerate> and text stand for a <prompt> around them, whose count is 1.
        if best == 1:
            executor.bare(item.element.text)
        for child in item.element:
            if best == 1 and local(child) in ("audio", "value", "enumerate"):
                executor.queue(executor.writer().one(child))
            elif any(child is one and count == best for count, one in prompts):
                executor.queue(executor.writer().segments(child), child)
            if best == 1:
                executor.bare(child.tail)
        item.prompts += 1

    # --- process ---

    def _heard(self, heard: Heard, item: Item | None) -> Running:
        """What an input does depends on whose grammar took it (Appendix C, process phase)."""
        match, active = heard.match, heard.match.active
        match active.purpose:
            case Purpose.UNIVERSAL:
                raise VoiceXmlEvent(local(active.owner), f"{match.utterance!r} was said")
            case Purpose.LINK:
                return (yield from self._go(active.owner, item, active.document))
            case Purpose.CHOICE:
                menu = active.owner.getparent()
                assert menu is not None
                if menu is not self._element:
                    return ToMatched(heard, menu)
                self._at = self._items[0]
                return (yield from self._go(active.owner, self._at, active.document))  # §2.2.1
            case Purpose.FORM:
                if active.owner is not self._element:
                    return ToMatched(heard, active.owner)
                return (yield from self._fill_slots(heard))
        assert item is not None
        value = item_value(match, item.element.get("slot") or item.name)
        self._put(item, value, heard.shadow)
        return (yield from self._filled([item]))

    def _fill_slots(self, heard: Heard) -> Running:
        """A form-level grammar fills every item whose slot it names; an <initial> has then done its work (§2.3.3)."""
        found = slots(heard.match)
        filled = []
        for item in self._items:
            if item.kind not in INPUT_ITEMS:
                continue
            value = slot_value(found, item.element.get("slot") or item.name)
            if value is not None:
                self._put(item, value, heard.shadow)
                filled.append(item)
        if filled:
            for item in self._items:
                if item.kind == "initial":
                    self._context.scopes.put("dialog", item.name, True)
        return (yield from self._filled(filled))

    def _put(self, item: Item, value: Json, shadow: Mapping[str, Json]) -> None:
        self._context.scopes.put("dialog", item.name, value)
        # What has no value is undefined, not null.
        known: dict[str, Json] = {name: value for name, value in shadow.items() if value is not None}
        self._context.scopes.put("dialog", f"{item.name}$", known)

    def _go(self, element: etree._Element, item: Item | None, document: Document) -> Running:
        """Where a <choice> or a <link> of ``document`` leads: a dialog, a document, or an event (§2.2.2, §2.5)."""
        scopes = self._context.scopes
        given = [name for name in ("next", "expr", "event", "eventexpr") if element.get(name) is not None]
        if len(given) != 1:
            raise badfetch(f"<{local(element)}> needs exactly one of next, expr, event and eventexpr")
        name = given[0]
        value = str(element.get(name))
        if name in ("expr", "eventexpr"):
            value = scopes.text(value)
        if name in ("event", "eventexpr"):
            words = element.get("messageexpr")
            raise VoiceXmlEvent(value, element.get("message") or "" if words is None else scopes.text(words))
        if document is not self._context.document:  # a root's link
            if value.startswith("#"):
                document.dialog(value[1:])
                return ToDocument(document, None, value[1:])
            value = document.resolve(element, value)
        return (yield from self._executor(item).go(element, value))

    def _filled(self, items: Sequence[Item]) -> Running:
        """The <filled> of the items and of the form, in document order (VoiceXML 2.0 §2.4, Appendix C)."""
        for filled, item in self._due(items):
            self._at = item
            if (transition := (yield from self._executor(item).block(filled))) is not None:
                return transition
        return None

    def _due(self, items: Sequence[Item]) -> Iterator[tuple[etree._Element, Item | None]]:
        """One by one: what a <filled> does may decide whether the next one is due. The form's has no item."""
        elements = {id(item.element): item for item in items}
        for child in self._element:
            if (item := elements.get(id(child))) is not None:
                yield from ((inner, item) for inner in child if local(inner) == "filled")
            elif local(child) == "filled" and self._speaks(child, items):
                yield child, None

    def _speaks(self, filled: etree._Element, items: Sequence[Item]) -> bool:
        inputs = [one.name for one in self._items if one.kind in INPUT_ITEMS]
        names = (filled.get("namelist") or "").split() or inputs
        for name in names:
            if name not in inputs:
                raise badfetch(f"<filled> names {name!r}, which is no input item of the form")
        if not any(item.name in names for item in items):
            return False
        if filled.get("mode") == "any":
            return True
        return all(self._context.scopes.defined("dialog", name) for name in names)

    # --- events ---

    def _handle(self, event: VoiceXmlEvent, item: Item | None) -> Running:
        """Run the handler of ``event``. A handler runs as if it had been copied to where the event was thrown, so what
        it throws is looked for there too (VoiceXML 2.0 §5.2.4)."""
        context = self._context
        counter = self._events if item is None else item.events
        holders: list[etree._Element] = [] if item is None or item.element is self._element else [item.element]
        holders += [self._element]
        holders += [one.root for one in (context.document, context.root) if one and one.root is not self._element]
        # A handler is not begun again by what it threw itself: that would never end (§5.2.2).
        passed: list[etree._Element] = []
        for _ in range(context.limits.steps):
            handler: etree._Element | None = None
            context.step()
            counter.count(event.name)
            try:
                handler = select(event.name, holders, counter, context.scopes.truth, passed)
                if handler is None:
                    break
                executor = self._executor(item)
                executor.event = event
                variables = {"_event": event.name, "_message": event.message or None}
                transition = yield from executor.block(handler, variables)
            except VoiceXmlEvent as thrown:
                passed = [*passed, handler] if handler is not None and thrown.name == event.name else []
                event = thrown
                continue
            self._prompting = executor.reprompt
            self._passed = item if event.passing and transition is None and not executor.reprompt else None
            return transition
        return (yield from self._default(event))

    def _default(self, event: VoiceXmlEvent) -> Running:
        if event.passing:
            self._prompting, self._passed = False, self._at
            return None
        default = default_for(event.name)
        if default.exits:
            regular = event.name.startswith(("connection.disconnect", "exit"))
            yield from self._context.flush()
            raise Finished(None if regular else event.name, event.message)
        self._prompting = default.reprompts
        return None

    # --- what executable content needs of the form ---

    def _inside(self, item: Item | None) -> tuple[etree._Element, ...]:
        own = item is not None and item.element is not self._element
        return (item.element, self._element) if own and item is not None else (self._element,)

    def _executor(self, item: Item | None) -> Executor:
        options: list[tuple[str, str]] = []
        if item is not None and item.kind == "menu":
            options = [(spoken_text(choice), keys) for choice, keys in menu_keys(item.element)]
        elif item is not None:
            options = [(spoken_text(one), one.get("dtmf") or "") for one in item.element if local(one) == "option"]
        return Executor(self._context, self._inside(item), form_items=self._names, clear=self._clear, options=options)

    def _names(self) -> list[str]:
        return [item.name for item in self._items if item.kind in INPUT_ITEMS and item.element.get("name")]

    def _clear(self, names: list[str]) -> None:
        """<clear>: make undefined, and reset the counters of form items (VoiceXML 2.0 §5.3.3)."""
        scopes = self._context.scopes
        for item in self._items:
            if not names or item.name in names:
                scopes.put("dialog", item.name, None)
                item.prompts, item.events = 1, EventCounter()
        for name in names:
            if all(item.name != name for item in self._items):
                scopes.assign(name, "undefined")


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 1
