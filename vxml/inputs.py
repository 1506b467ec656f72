"""What a field or a menu takes as input: its grammars, and what each match means."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from lxml import etree

from vxml.actions import Action, Fetch
from vxml.context import Context
from vxml.errors import VoiceXmlEvent, badfetch
from vxml.events import Event
from vxml.grammar.builtin import builtin, number_value
from vxml.grammar.dtmf import DtmfGrammar
from vxml.grammar.srgs import local, parse_grammar, simple
from vxml.scopes import Json

_SAFE_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


@dataclass(frozen=True, slots=True)
class Input:
    """One active grammar. ``kind`` names the builtin; ``value`` is an option's; ``choice`` a menu's element."""

    grammar: DtmfGrammar
    kind: str = ""
    value: str | None = None
    choice: etree._Element | None = None

    def interpretation(self, context: Context, digits: str) -> Json:
        """The value of ``digits``, which match this grammar."""
        if self.value is not None:
            return self.value
        if self.kind == "number":
            return number_value(digits)
        tags = self.grammar.tags(digits) or ()
        if not tags:
            return digits
        if self.grammar.literal_tags:
            return tags[-1].strip()
        return context.scopes.tag("\n".join(tags), digits)


def field_inputs(context: Context, field: etree._Element) -> Generator[Action, Event, list[Input]]:
    """The DTMF grammars of a <field>. Raises error.noresource where only speech could fill it."""
    inputs: list[Input] = []
    spoken = False
    if (kind := field.get("type")) is not None:
        inputs.append(Input(builtin(kind), kind.partition("?")[0]))
    for number, child in enumerate((one for one in field if local(one) == "option"), 1):
        words = " ".join("".join(str(text) for text in child.itertext()).split())
        keys = child.get("dtmf") or (str(number) if field.get("dtmf") == "true" else None)
        spoken = True
        if keys is not None:
            inputs.append(Input(simple(keys), value=child.get("value") or words or keys))
    for child in field:
        if local(child) == "grammar":
            found = yield from _grammar(context, child)
            if found is None:
                spoken = True
            else:
                inputs.append(found)
    if not inputs:
        why = "no speech recogniser is configured" if spoken else "the field has no grammar"
        raise VoiceXmlEvent("error.noresource" if spoken else "error.semantic", why)
    return inputs


def _grammar(context: Context, element: etree._Element) -> Generator[Action, Event, Input | None]:
    """A <grammar>; None where it is for speech."""
    source = element.get("src")
    if source is not None and source.startswith("builtin:"):
        mode, _, name = source.removeprefix("builtin:").partition("/")
        return Input(builtin(name), name.partition("?")[0]) if mode == "dtmf" else None
    kind = element.get("type") or ""
    if kind and kind not in ("application/srgs+xml", "application/grammar+xml", "text/xml", "application/xml"):
        raise VoiceXmlEvent("error.unsupported.format", f"grammars of type {kind} are not supported")
    if source is not None:
        url = context.document.resolve(element, source)
        fetched = yield from context.fetch(Fetch(url.partition("#")[0], kind="grammar"))
        try:
            element = etree.fromstring(fetched.body, _SAFE_PARSER)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise badfetch(f"the grammar {url} is not well-formed XML: {error}") from None
    return Input(parse_grammar(element)) if element.get("mode") == "dtmf" else None


def menu_inputs(menu: etree._Element) -> tuple[list[Input], list[tuple[str, str]]]:
    """The choices of a <menu> and what <enumerate> says of each (VoiceXML 2.0 §2.2)."""
    choices = [child for child in menu if local(child) == "choice"]
    automatic = menu.get("dtmf") == "true"
    inputs: list[Input] = []
    spoken: list[tuple[str, str]] = []
    number = 0
    for choice in choices:
        keys = choice.get("dtmf")
        if automatic:
            # Own keys may only be *, # or 0 beside generated ones (§2.2.1).
            if keys is not None and keys not in ("*", "#", "0"):
                raise badfetch("a menu with dtmf=true has a choice with keys of its own")
            if keys is None and number < 9:
                number += 1
                keys = str(number)
        words = " ".join("".join(str(text) for text in choice.itertext()).split())
        spoken.append((words, keys or ""))
        if keys is not None:
            inputs.append(Input(simple(keys), choice=choice))
    if choices and not inputs:
        raise VoiceXmlEvent(
            "error.noresource", "no choice of the menu has keys, and no speech recogniser is configured"
        )
    return inputs, spoken


def chosen(inputs: Sequence[Input], digits: str) -> Input | None:
    """The first grammar that takes ``digits``."""
    return next((one for one in inputs if one.grammar.tags(digits) is not None), None)
