"""Turns prompts into segments: text to SSML, <audio> with its alternatives, <value>, <break>, <enumerate>."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from vxml.actions import Audio, Break, Segment, Speech
from vxml.document import XML_LANG
from vxml.errors import semantic
from vxml.grammar.srgs import local
from vxml.values import seconds

_SSML = frozenset("p s paragraph sentence say-as phoneme sub voice emphasis prosody".split())
_BREAKS = {"none": 0.0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 1.0, "x-strong": 2.0}


class PromptWriter:
    """``text`` evaluates an expression to its words, ``resolve`` makes a URL absolute; ``options`` feed <enumerate>."""

    def __init__(
        self,
        language: str,
        text: Callable[[str], str],
        truth: Callable[[str], bool],
        resolve: Callable[[etree._Element, str], str],
        options: list[tuple[str, str]],
    ) -> None:
        self._language = language
        self._text = text
        self._truth = truth
        self._resolve = resolve
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
                yield escape(self._text(element.get("expr") or ""))
            case "audio":
                yield from self._audio(element)
            case "break":
                yield Break(_pause(element))
            case "enumerate":
                yield from self._enumerate(element)
            case "mark" | "desc" | "metadata" | "lexicon" | "grammar" | "":
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
        if expression is not None:
            if source is not None:
                raise semantic("<audio> has both src and expr")
            if self._text(f"({expression}) === undefined") == "true":
                return  # VoiceXML 2.0 §4.1.3: an undefined expr plays nothing, not even the alternative
            source = self._text(expression)
        fallback = tuple(self._merge(self._content(element), element.get(XML_LANG) or self._language))
        if not source:
            yield from fallback
            return
        timeout = element.get("fetchtimeout")
        age, stale = element.get("maxage"), element.get("maxstale")
        yield Audio(
            self._resolve(element, source),
            fallback,
            timeout=None if timeout is None else seconds(timeout),
            max_age=None if age is None else float(age),
            max_stale=None if stale is None else float(stale),
        )

    def _enumerate(self, element: etree._Element) -> Iterator[str | Segment]:
        for words, keys in self._options:  # VoiceXML 2.0 §2.2.4: the automatic text of a menu
            yield escape(f"For {words}, press {' '.join(keys)}. " if keys else f"{words}. ")

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


def _pause(element: etree._Element) -> float:
    if (time := element.get("time")) is not None:
        return seconds(time)
    return _BREAKS.get(element.get("strength") or element.get("size") or "medium", 0.5)
