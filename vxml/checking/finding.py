"""What a check finds, and the names of its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

#: Every rule, and what breaks it.
RULES = {
    "assignment": "<assign> to what nothing can be assigned to",
    "at-most-one": "attributes that exclude each other",
    "bad-name": "a variable or form item with a name that ECMAScript does not allow, or reserves",
    "bad-number": "a count, an age or a weight that is no such number",
    "bad-time": "a time that is not like 5s or 500ms",
    "bad-value": "an attribute or a property with a value that it cannot have",
    "duplicate-id": "two dialogs with one id",
    "duplicate-name": "two form items, or a form item and a variable, with one name",
    "encoding": "a script that is no text in its charset",
    "entities": "a document that declares entities",
    "exactly-one": "none, or several, of attributes of which one is needed",
    "grammar": "a grammar that cannot be loaded",
    "missing-attribute": "an attribute that is needed",
    "missing-file": "a reference to a local file that is not there",
    "missing-target": "a reference to a dialog or form item that is not there",
    "misplaced-element": "an element where it may not stand",
    "misplaced-text": "text where nobody hears it",
    "no-grammar": "a field that no input can fill (warning)",
    "no-unit": "a time without s or ms (warning)",
    "root": "a document whose root is neither <vxml> nor <grammar>",
    "script": "ECMAScript that cannot be compiled",
    "too-deep": "elements nested too deeply",
    "too-large": "a document of too many bytes or elements",
    "unknown-attribute": "an attribute that its element does not have",
    "unknown-element": "an element that VoiceXML does not have",
    "unknown-property": "a property that nothing reads (warning)",
    "version": "a document that is not VoiceXML 2.0 or 2.1",
    "well-formed": "what is no XML",
}
WARNINGS = frozenset(("no-grammar", "no-unit", "unknown-property"))


@dataclass(frozen=True, slots=True)
class Finding:
    """``url`` is the document's, or that of a local file that it refers to; ``section`` is the specification's."""

    url: str
    line: int
    rule: str
    message: str
    section: str = ""
    warning: bool = False


class Missing(Exception):
    """There is nothing at a URL; the message says what is missing."""


#: The bytes at an absolute URL; None where it is not looked at. Raises :class:`Missing`.
Read = Callable[[str], bytes | None]


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean ...?`` where one of ``known`` is much like ``word``."""
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
