"""The Form Interpretation Algorithm (VoiceXML 2.0 Appendix C): select an item, collect, process, until none is left."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from lxml import etree

from vxml.actions import Action, Collect
from vxml.catching import EventCounter, default_for, select
from vxml.context import Context
from vxml.document import UNSUPPORTED
from vxml.errors import Finished, LocalProtocolError, VoiceXmlEvent, badfetch
from vxml.events import Digits, Event, NoInput, NoMatch
from vxml.executable import Executor, Running, declarations
from vxml.grammar.dtmf import Matcher
from vxml.grammar.srgs import local
from vxml.inputs import Input, chosen, field_inputs, menu_inputs
from vxml.scopes import Json
from vxml.transitions import ToItem, Transition
from vxml.values import seconds

ITEMS = ("field", "block", "initial", "subdialog", "record", "transfer", "object")


@dataclass(slots=True)
class Item:
    """A form item, or the one item that a menu is."""

    name: str
    element: etree._Element
    prompts: int = 1
    events: EventCounter = field(default_factory=EventCounter)


class Dialog:
    """One visit to a <form> or <menu>."""

    def __init__(self, context: Context, element: etree._Element) -> None:
        self._context = context
        self._element = element
        self._items: list[Item] = []
        self._next: str | None = None
        self._prompting = True
        self._just_filled: list[str] = []

    def run(self) -> Running:
        """Returns the transition to elsewhere; Finished is raised where no item is left."""
        scopes = self._context.scopes
        depth = scopes.depth
        scopes.push("dialog")
        try:
            return (yield from self._run())
        finally:
            scopes.unwind(depth)

    def _run(self) -> Running:
        item: Item | None = None
        try:
            yield from self._initialise()
        except VoiceXmlEvent as event:
            if (transition := (yield from self._handle(event, None))) is not None:
                return transition
        while True:
            self._context.step()
            try:
                item = None
                item = self._select()
                if item is None:
                    yield from self._context.flush()
                    raise Finished  # §2.1.6: no item left, and no transition: an implicit <exit>
                transition = yield from self._visit(item)
            except VoiceXmlEvent as event:
                transition = yield from self._handle(event, item)
            if isinstance(transition, ToItem):
                self._next = transition.item
                self._prompting = True
                continue
            if transition is not None:
                return transition

    # --- initialise ---

    def _initialise(self) -> Generator[Action, Event, None]:
        scopes = self._context.scopes
        if local(self._element) == "menu":
            self._items = [Item("", self._element)]
            return
        for child in self._element:
            name = local(child)
            if name in ITEMS:
                item = Item(child.get("name") or f"__item{len(self._items)}", child)
                self._items.append(item)
                scopes.declare(item.name, child.get("expr"))
            elif name in ("var", "script"):
                yield from declarations(self._context, [child])

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
        match local(item.element):
            case "block":
                # The item is filled before its content runs, so that a <goto> back does not run it again (§2.3.2).
                self._context.scopes.put("dialog", item.name, True)
                return (yield from self._executor(item).block(item.element))
            case "field":
                return (yield from self._field(item))
            case "menu":
                return (yield from self._menu(item))
            case name if name in UNSUPPORTED:
                raise VoiceXmlEvent(f"error.unsupported.{name}", f"<{name}> is not supported")
            case name:
                raise badfetch(f"<{name}> is no form item")

    def _field(self, item: Item) -> Running:
        inputs = yield from field_inputs(self._context, item.element)
        options = [
            (" ".join("".join(str(text) for text in one.itertext()).split()), one.get("dtmf") or "")
            for one in item.element
            if local(one) == "option"
        ]
        digits, used = yield from self._collect(item, inputs, options)
        scopes = self._context.scopes
        value = used.interpretation(self._context, digits)
        if isinstance(value, dict):  # SISR 1.0 §8: a property of the field's slot name is the field's value
            slot = item.element.get("slot") or item.name
            value = value.get(slot, value)
        scopes.put("dialog", item.name, value)
        shadow: dict[str, Json] = {
            "utterance": digits, "inputmode": "dtmf", "confidence": 1.0, "interpretation": value
        }  # fmt: skip
        scopes.put("dialog", f"{item.name}$", shadow)
        self._just_filled = [item.name]
        return (yield from self._filled(item))

    def _menu(self, item: Item) -> Running:
        inputs, options = menu_inputs(item.element)
        if not inputs:
            raise Finished
        _, used = yield from self._collect(item, inputs, options)
        choice = used.choice
        assert choice is not None
        executor = self._executor(item)
        if (event := choice.get("event")) is not None:
            raise VoiceXmlEvent(event, choice.get("message") or "")
        if (event := choice.get("eventexpr")) is not None:
            raise VoiceXmlEvent(self._context.scopes.text(event), choice.get("message") or "")
        target = choice.get("next")
        if target is None:
            target = self._context.scopes.text(choice.get("expr") or "undefined")
        return (yield from executor.go(choice, target))

    def _collect(
        self, item: Item, inputs: list[Input], options: list[tuple[str, str]]
    ) -> Generator[Action, Event, tuple[str, Input]]:
        """Play the item's prompts and take its input. Raises noinput and nomatch."""
        context = self._context
        inside = (item.element, self._element)
        timeout = context.seconds("timeout", inside)
        if self._prompting:
            own = self._queue_prompts(item, options)
            timeout = own if own is not None else timeout
        self._prompting = True
        prompts, context.queued = tuple(context.queued), []
        event = yield from context.ask(
            Collect(
                prompts,
                Matcher([one.grammar for one in inputs]),
                timeout=timeout,
                interdigit_timeout=context.seconds("interdigittimeout", inside),
                term_timeout=context.seconds("termtimeout", inside),
                term_char=context.property("termchar", inside).strip(),
            )
        )
        match event:
            case NoInput():
                raise VoiceXmlEvent("noinput", "nothing was typed")
            case NoMatch():
                context.heard_input()
                self._last_result("", event.text)
                raise VoiceXmlEvent("nomatch", "what was typed fits no grammar")
            case Digits():
                context.heard_input()
                used = chosen(inputs, event.text)
                if used is None:
                    raise VoiceXmlEvent("nomatch", "what was typed fits no grammar")
                self._last_result(used.interpretation(context, event.text), event.text)
                return event.text, used
            case _:
                raise LocalProtocolError(f"Collect is not answered by {type(event).__name__}")

    def _queue_prompts(self, item: Item, options: list[tuple[str, str]]) -> float | None:
        """Tapered prompts (VoiceXML 2.0 §4.1.6); the last one's timeout, if it has one."""
        scopes = self._context.scopes
        prompts = []
        for child in item.element:
            if local(child) != "prompt":
                continue
            condition = child.get("cond")
            count = int(child.get("count") or 1) if (child.get("count") or "1").isdigit() else 1
            if count <= item.prompts and (condition is None or scopes.truth(condition)):
                prompts.append((count, child))
        best = max((count for count, _ in prompts), default=1)
        executor = self._executor(item)
        executor.options = options
        timeout = None
        for child in item.element:
            # Bare <audio>, <value>, <enumerate> and text stand for a <prompt> around them.
            if local(child) in ("audio", "value", "enumerate"):
                executor.queue(executor.writer().one(child))
            elif any(child is one and count == best for count, one in prompts):
                executor.queue(executor.writer().segments(child), child.get("bargein"))
                if (own := child.get("timeout")) is not None:
                    timeout = seconds(own)
        executor.bare(item.element.text)
        item.prompts += 1
        return timeout

    def _last_result(self, interpretation: Json, digits: str) -> None:
        """application.lastresult$ (VoiceXML 2.0 §5.1.5): an array with the best result's properties upon it."""
        result: dict[str, Json] = {
            "confidence": 1.0, "utterance": digits, "inputmode": "dtmf", "interpretation": interpretation
        }  # fmt: skip
        self._context.scopes.put("application", "lastresult$", {**result, "0": result, "length": 1})

    # --- process ---

    def _filled(self, item: Item) -> Running:
        """The field's own <filled>, then the form's that speak of it (VoiceXML 2.0 §2.4)."""
        executor = self._executor(item)
        for child in item.element:
            if local(child) == "filled" and (transition := (yield from executor.block(child))) is not None:
                return transition
        for child in self._element:
            if local(child) != "filled" or not self._speaks(child):
                continue
            if (transition := (yield from executor.block(child))) is not None:
                return transition
        return None

    def _speaks(self, filled: etree._Element) -> bool:
        fields = [one.name for one in self._items if local(one.element) != "block"]
        names = (filled.get("namelist") or "").split() or fields
        if not any(name in names for name in self._just_filled):
            return False
        if filled.get("mode") == "any":
            return True
        return all(self._context.scopes.defined("dialog", name) for name in names)

    # --- events ---

    def _handle(self, event: VoiceXmlEvent, item: Item | None) -> Running:
        """Run the handler of ``event``. What a handler throws goes to the next one outside, or ends the session."""
        context = self._context
        counter = item.events if item is not None else EventCounter()
        holders: list[etree._Element] = [] if item is None or item.element is self._element else [item.element]
        holders += [self._element, context.document.root]
        if context.root is not None:
            holders.append(context.root.root)
        for _ in range(context.limits.steps):
            context.step()
            counter.count(event.name)
            handler = select(event.name, holders, counter, context.scopes.truth)
            if handler is None:
                return (yield from self._default(event))
            executor = self._executor(item)
            executor.event = event
            variables = {"_event": event.name, "_message": event.message}
            try:
                transition = yield from executor.block(handler, variables)
            except VoiceXmlEvent as thrown:
                # §5.2.2: a handler's own throw is looked for outside the scope that holds the handler.
                parent = handler.getparent()
                while holders and parent is not None and holders[0] is not parent:
                    holders.pop(0)
                if holders and thrown.name == event.name:
                    holders.pop(0)
                event = thrown
                continue
            self._prompting = executor.reprompt
            return transition
        raise Finished("error.voxgate.loop", f"handlers of {event.name} throw without end")

    def _default(self, event: VoiceXmlEvent) -> Running:
        default = default_for(event.name)
        if default.exits:
            regular = event.name.startswith(("connection.disconnect", "exit"))
            yield from self._context.flush()
            raise Finished(None if regular else event.name, event.message)
        self._prompting = default.reprompts
        return None

    def _executor(self, item: Item | None) -> Executor:
        inside = (self._element,) if item is None else (item.element, self._element)
        return Executor(self._context, inside, form_items=self._names, clear=self._clear)

    def _names(self) -> list[str]:
        return [item.name for item in self._items if local(item.element) == "field" and item.element.get("name")]

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


def dialog_named(context: Context, name: str | None) -> etree._Element:
    """Raises error.badfetch where the document has no such dialog (VoiceXML 2.0 §5.3.7)."""
    document = context.document
    element = document.first_dialog() if name is None else document.dialogs.get(name)
    if element is None:
        raise badfetch(f"{document.url} has no dialog {name!r}" if name else f"{document.url} has no dialog at all")
    return element


__all__ = ["Dialog", "Transition", "dialog_named"]
