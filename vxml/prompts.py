"""Turns prompts into segments: text to SSML, <audio> with its alternatives, <value>, <break>, <enumerate>."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from vxml.actions import Audio, Break, Marked, Segment, Speech
from vxml.context import Context
from vxml.document import XML_LANG
from vxml.errors import badfetch, semantic
from vxml.grammar.expression import Token
from vxml.grammar.srgs import local, tokens
from vxml.scopes import is_name
from vxml.values import seconds

_SSML = frozenset("p s paragraph sentence say-as phoneme sub voice emphasis prosody".split())
_BREAKS = {"none": 0.0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 1.0, "x-strong": 2.0}


class PromptWriter:
    """Writes the prompts of one place. ``options`` are the words and keys that <enumerate> lists, ``inside`` the
    elements, innermost first, whose properties are in force."""

    def __init__(self, context: Context, options: list[tuple[str, str]], inside: Sequence[etree._Element]) -> None:
        self._inside = inside
        self._context = context
        self._scopes = context.scopes
        self._language = context.document.language
        self._options = options

    def segments(self, element: etree._Element) -> tuple[Segment, ...]:
        """The content of a <prompt>, or of an element whose bare text is one."""
        language = element.get(XML_LANG) or self._language
        return tuple(self._merge(self._content(element), language))

    def one(self, element: etree._Element) -> tuple[Segment, ...]:
        """A single <audio> or <value> outside any <prompt>."""
        return tuple(self._merge(self._element(element), self._language))

    def speech(self, text: str) -> tuple[Segment, ...]:
        return tuple(self._merge(iter((escape(text),)), self._language))

    # A piece is a str (SSML markup) or a finished segment.

    def _content(self, element: etree._Element) -> Iterator[str | Segment]:
        if element.text:
            yield escape(element.text)
        for child in element:
            yield from self._element(child)
            if child.tail:
                yield escape(child.tail)

    def _element(self, element: etree._Element) -> Iterator[str | Segment]:
        match local(element):
            case "value":
                yield escape(self._scopes.text(element.get("expr") or ""))
            case "audio":
                yield from self._audio(element)
            case "break":
                yield Break(_pause(element))
            case "enumerate":
                yield from self._enumerate(element)
            case "mark":
                yield Marked(self._mark(element))
            case "foreach":
                yield from self._foreach(element)
            case "desc" | "metadata" | "meta" | "lexicon" | "grammar" | "":
                return
            case name if name in _SSML:
                pieces = list(self._content(element))
                attributes = "".join(
                    f" {etree.QName(key).localname if key != XML_LANG else 'xml:lang'}={quoteattr(str(value))}"
                    for key, value in element.attrib.items()
                )
                if all(isinstance(piece, str) for piece in pieces):
                    yield f"<{name}{attributes}>{''.join(str(piece) for piece in pieces)}</{name}>"
                else:  # audio inside cuts the markup: its words are kept, its style is not
                    yield from pieces
            case _:
                yield from self._content(element)

    def _audio(self, element: etree._Element) -> Iterator[str | Segment]:
        source, expression = element.get("src"), element.get("expr")
        if source is not None and expression is not None:
            raise badfetch("<audio> has both src and expr")  # VoiceXML 2.0 §4.1.3
        if expression is not None:
            if self._scopes.kind(expression) in ("undefined", "null"):
                return  # an undefined expr plays nothing, not even the alternative
            source = self._scopes.text(expression)
        fallback = tuple(self._merge(self._content(element), element.get(XML_LANG) or self._language))
        if not source:
            yield from fallback
            return
        settings = self._context.fetching(element, "audio", self._inside)
        yield Audio(self._context.document.resolve(element, source), fallback, *settings)

    def _enumerate(self, element: etree._Element) -> Iterator[str | Segment]:
        """The automatic text of a menu, or the element's own for each choice (VoiceXML 2.0 §2.2.4)."""
        if not self._options:
            raise semantic("there is nothing to enumerate here")
        options, self._options = self._options, []  # an <enumerate> within this one has nothing
        template = len(element) > 0 or bool((element.text or "").strip())
        for words, keys in options:
            pressed = " ".join(key.text for key in tokens(keys, "dtmf") if isinstance(key, Token))
            if not template:
                yield escape(f"For {words}, press {pressed}. " if keys else f"{words}. ")
                continue
            depth = self._scopes.depth
            self._scopes.push("", {"_prompt": words, "_dtmf": pressed})
            try:
                yield from list(self._content(element))
            finally:
                self._scopes.unwind(depth)
        self._options = options

    def _mark(self, element: etree._Element) -> str:
        name, expression = element.get("name"), element.get("nameexpr")
        if (name is None) == (expression is None):
            raise badfetch("<mark> needs exactly one of name and nameexpr")  # VoiceXML 2.1 §6
        return name if name is not None else self._scopes.text(str(expression))

    def _foreach(self, element: etree._Element) -> Iterator[str | Segment]:
        """The content once for each item of an array (VoiceXML 2.1 §7)."""
        for _ in each(self._context, element):
            yield from list(self._content(element))

    def _merge(self, pieces: Iterator[str | Segment], language: str) -> Iterator[Segment]:
        """Neighbouring markup becomes one Speech; blank text none."""
        markup: list[str] = []

        def flush() -> Iterator[Segment]:
            inner = "".join(markup)
            markup.clear()
            if inner.strip():
                words = " ".join(inner.split())
                yield Speech(
                    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" '
                    f"xml:lang={quoteattr(language)}>{words}</speak>",
                    language,
                )

        for piece in pieces:
            if isinstance(piece, str):
                markup.append(piece)
            else:
                yield from flush()
                yield piece
        yield from flush()


def each(context: Context, element: etree._Element) -> Iterator[int]:
    """Assign the item of a <foreach> for each turn of the loop. It is a variable of the scope around (2.1 §10)."""
    name, array = element.get("item"), element.get("array")
    if name is None or array is None:
        raise badfetch("<foreach> needs item and array")
    if not is_name(name):
        raise semantic(f"{name!r} cannot be the name of a variable")
    scopes = context.scopes
    number, count = scopes.array(array)
    try:
        if count > context.limits.items:
            raise semantic(f"<foreach> over more than {context.limits.items} items")
        for index in range(count):
            scopes.item(name, number, index)
            yield index
    finally:
        scopes.forget_array(number)


def _pause(element: etree._Element) -> float:
    if (time := element.get("time")) is not None:
        return seconds(time)
    return _BREAKS.get(element.get("strength") or element.get("size") or "medium", 0.5)
