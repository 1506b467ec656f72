"""The document that is being checked, and how its elements are walked through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from vxml.checking.finding import WARNINGS, Finding, Missing, Read
from vxml.document import NAMESPACE, parse_tree
from vxml.errors import VoiceXmlEvent
from vxml.grammar.srgs import line_of, local
from vxml.values import joined

_POSITION = re.compile(r",? line \d+, column \d+|\s*\(<string>, line \d+\)")
_OURS = (
    None, NAMESPACE, "http://www.w3.org/2001/06/grammar", "http://www.w3.org/2001/10/synthesis",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    url: str
    root: etree._Element
    read: Read

    def elements(self, root: etree._Element | None = None) -> Iterator[etree._Element]:
        """All of VoiceXML, SSML and SRGS, in order; other namespaces and <metadata> are other people's."""
        todo = [self.root if root is None else root]
        while todo:
            element = todo.pop()
            if not isinstance(element.tag, str) or etree.QName(element).namespace not in _OURS:
                continue
            yield element
            if local(element) != "metadata":
                todo += reversed(element)

    def resolve(self, element: etree._Element, target: str) -> str:
        """Raises :class:`Missing` for what is no URL at all."""
        try:
            return joined(element.base or self.url, target)
        except VoiceXmlEvent as event:
            raise Missing(event.message) from None

    def found(self, element: etree._Element, rule: str, message: str, section: str = "", *, below: int = 0) -> Finding:
        """``below`` counts lines within the element's text."""
        return Finding(self.url, line_of(element) + below, rule, message, section, rule in WARNINGS)


def parsed(url: str, body: bytes, charset: str | None = None) -> etree._Element | Finding:
    """The root, or why there is none."""
    try:
        return parse_tree(body, url, charset)
    except etree.XMLSyntaxError as error:
        return Finding(url, error.lineno or 1, "well-formed", _POSITION.sub("", str(error)))
    except (ValueError, LookupError) as error:
        return Finding(url, 1, "well-formed", str(error))


def form_of(element: etree._Element) -> etree._Element | None:
    """The <form> around an element."""
    return next((one for one in element.iterancestors() if local(one) == "form"), None)
