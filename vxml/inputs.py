"""Which grammars are active, from the inside out (VoiceXML 2.0 §3.1.4)."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from lxml import etree

from vxml.actions import Action
from vxml.context import Context
from vxml.document import Document
from vxml.errors import badfetch
from vxml.events import Event, Fetched
from vxml.grammar.automaton import Automaton
from vxml.grammar.expression import Chain, Choice, Expression, Repeat, Token
from vxml.grammar.loading import Grammar, Loading, builtin_grammars, load_external, load_inline
from vxml.grammar.srgs import local, tokens, words
from vxml.matching import Active, Purpose

Gathering = Generator[Action, Event, "list[Active]"]
UNIVERSALS = ("help", "exit", "cancel")


# --- gathering ---


def grammar_of(context: Context, element: etree._Element, inside: Sequence[etree._Element]) -> Loading:
    """The grammar of a <grammar> element."""
    source, expression = element.get("src"), element.get("srcexpr")
    if expression is not None:
        source = context.scopes.text(expression)

    def get(url: str) -> Generator[Action, Event, Fetched]:
        return (yield from context.fetch(context.request(element, url, "grammar", inside)))

    if source is None:
        return (yield from load_inline(element, context.document.url, get))
    target = source if source.startswith("builtin:") else context.document.resolve(element, source)
    return (yield from load_external(target, element.get("type"), get))


def item_inputs(context: Context, item: etree._Element, inside: Sequence[etree._Element]) -> Gathering:
    """An input item's own grammars: its type, its options, its <grammar>s."""
    found: list[Active] = []

    def add(grammar: Grammar, value: str | None = None) -> None:
        found.append(Active(grammar, Purpose.ITEM, item, context.document, value))

    if local(item) == "field" and (kind := item.get("type")) is not None:
        for grammar in builtin_grammars(kind):
            add(grammar)
    for child in item:
        match local(child):
            case "option":
                text = spoken_text(child)
                keys = child.get("dtmf")
                value = child.get("value")
                if value is None:
                    value = text or keys or ""
                if text:
                    add(_phrase(text, child.get("accept")), value)
                if keys:
                    add(_keys(keys), value)
            case "grammar":
                add((yield from grammar_of(context, child, (item, *inside))))
    return found


def menu_inputs(context: Context, menu: etree._Element) -> Gathering:
    """The choices of a <menu> (VoiceXML 2.0 §2.2)."""
    found: list[Active] = []
    for choice, keys in menu_keys(menu):
        if keys:
            found.append(Active(_keys(keys), Purpose.CHOICE, choice, context.document))
        own = [child for child in choice if local(child) == "grammar"]
        for child in own:
            grammar = yield from grammar_of(context, child, (menu,))
            found.append(Active(grammar, Purpose.CHOICE, choice, context.document))
        if not own and (text := spoken_text(choice)):
            phrase = _phrase(text, choice.get("accept") or menu.get("accept"))
            found.append(Active(phrase, Purpose.CHOICE, choice, context.document))
    return found


def menu_keys(menu: etree._Element) -> list[tuple[etree._Element, str]]:
    """Each choice with its keys, those that dtmf="true" generates included (VoiceXML 2.0 §2.2.1)."""
    automatic, number = menu.get("dtmf") == "true", 0
    found = []
    for choice in (child for child in menu if local(child) == "choice"):
        keys = choice.get("dtmf") or ""
        if automatic:
            if keys and keys not in ("*", "#", "0"):
                raise badfetch("a menu with dtmf=true has a choice with keys of its own")
            if not keys and number < 9:
                number += 1
                keys = str(number)
        found.append((choice, keys))
    return found


def form_inputs(context: Context, form: etree._Element) -> Gathering:
    """The form-level grammars."""
    found = []
    for child in form:
        if local(child) == "grammar":
            grammar = yield from grammar_of(context, child, (form,))
            found.append(Active(grammar, Purpose.FORM, form, context.document))
    return found


def link_inputs(context: Context, holder: etree._Element, document: Document) -> Gathering:
    """The <link>s of an element (VoiceXML 2.0 §2.5)."""
    found = []
    for link in (child for child in holder if local(child) == "link"):
        if (keys := link.get("dtmf")) is not None:
            found.append(Active(_keys(keys), Purpose.LINK, link, document))
        for child in link:
            if local(child) == "grammar":
                grammar = yield from grammar_of(context, child, (holder,))
                found.append(Active(grammar, Purpose.LINK, link, document))
    return found


def outer_inputs(context: Context, current: etree._Element) -> Gathering:
    """Links and document-wide grammars of the document, then of the application root."""
    found: list[Active] = []
    here = context.document
    for document in (here, *(() if context.root is None else (context.root,))):
        context.document = document  # URLs in it count from it
        try:
            found += yield from link_inputs(context, document.root, document)
            for dialog in document.root:
                if dialog is current or local(dialog) not in ("form", "menu"):
                    continue
                wide = dialog.get("scope") == "document"
                if local(dialog) == "menu":
                    found += (yield from menu_inputs(context, dialog)) if wide else []
                    continue
                for child in dialog:
                    if local(child) == "grammar" and (child.get("scope") or ("document" if wide else "")) == "document":
                        grammar = yield from grammar_of(context, child, (dialog,))
                        found.append(Active(grammar, Purpose.FORM, dialog, document))
        finally:
            context.document = here
    return found


def universal_inputs(context: Context, inside: Sequence[etree._Element]) -> list[Active]:
    """help, exit and cancel where the property asks for them (VoiceXML 2.0 §6.3.6)."""
    wanted = context.property("universals", inside).split()
    names = UNIVERSALS if wanted == ["all"] else tuple(name for name in UNIVERSALS if name in wanted)
    return [
        Active(Grammar("voice", Automaton(Token(name))), Purpose.UNIVERSAL, etree.Element(name), context.document)
        for name in names
    ]


# --- phrases ---


def spoken_text(element: etree._Element) -> str:
    """The words of a <choice> or <option>, without its grammars."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if local(child) != "grammar":
            yield from _texts(child)
        yield child.tail or ""


def _phrase(text: str, accept: str | None) -> Grammar:
    """The words in order; approximate takes any of them that are left, in order (VoiceXML 2.0 §2.2.5)."""
    said = [Token(word) for word in words(text)]
    if accept not in (None, "exact", "approximate"):
        raise badfetch(f"accept is exact or approximate, not {accept!r}")
    if accept != "approximate":
        return Grammar("voice", Automaton(Chain(tuple(said))))
    ways: list[Expression] = [
        Chain((first, *(Repeat(word, 0, 1) for word in said[at + 1 :]))) for at, first in enumerate(said)
    ]
    return Grammar("voice", Automaton(Choice(tuple(ways))))


def _keys(keys: str) -> Grammar:
    return Grammar("dtmf", Automaton(Chain(tuple(tokens(keys, "dtmf")))))
