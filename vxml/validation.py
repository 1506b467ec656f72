"""What a document must say before it may run: attributes that VoiceXML 2.0 and 2.1 require, or let exclude each other.

A document that breaks one of these rules is not loaded: whoever refers to it gets error.badfetch (VoiceXML 2.0 §5.2.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from vxml.grammar.srgs import line_of, local

INPUT_ITEMS = ("field", "record", "transfer", "object", "subdialog")
ITEMS = (*INPUT_ITEMS, "block", "initial")
#: Stands for an element's content in the rules below.
CONTENT = "content"

#: Exactly one of these is given; the section that says so.
EXACTLY_ONE: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "goto": ((("next", "expr", "nextitem", "expritem"), "2.0 §5.3.7"),),
    "submit": ((("next", "expr"), "2.0 §5.3.8"),),
    "choice": ((("next", "expr", "event", "eventexpr"), "2.0 §2.2.2"),),
    "link": ((("next", "expr", "event", "eventexpr"), "2.0 §2.5"),),
    "throw": ((("event", "eventexpr"), "2.0 §5.2.1"),),
    "subdialog": ((("src", "srcexpr"), "2.0 §2.3.4"),),
    "transfer": ((("dest", "destexpr"), "2.0 §2.3.7"),),
    "param": ((("value", "expr"), "2.0 §6.4"),),
    "data": ((("src", "srcexpr"), "2.1 §5"),),
    "mark": ((("name", "nameexpr"), "2.1 §6"),),
    "grammar": ((("src", "srcexpr", CONTENT), "2.1 §2"),),
}
#: At most one of these is given.
AT_MOST_ONE: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "script": ((("src", "srcexpr", CONTENT), "2.1 §4"),),
    "audio": ((("src", "expr"), "2.0 §4.1.3"),),
    "exit": ((("expr", "namelist"), "2.0 §5.3.9"),),
    "return": ((("event", "eventexpr", "namelist"), "2.0 §5.3.10"), (("message", "messageexpr"), "2.0 §5.3.10")),
    "transfer": ((("type", "bridge"), "2.1 §8"), (("aai", "aaiexpr"), "2.0 §2.3.7")),
    "throw": ((("message", "messageexpr"), "2.0 §5.2.1"),),
    "choice": ((("message", "messageexpr"), "2.0 §2.2.2"),),
    "link": ((("message", "messageexpr"), "2.0 §2.5"),),
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "assign": ("name", "expr"), "elseif": ("cond",), "foreach": ("item", "array"), "if": ("cond",),
    "param": ("name",), "property": ("name", "value"), "value": ("expr",), "var": ("name",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """``rule`` names the kind of fault, ``section`` where the specification says so."""

    line: int
    rule: str
    message: str
    section: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" + (f" (VoiceXML {self.section})" if self.section else "")


def faults(element: etree._Element) -> Iterator[Fault]:
    """The faults of one element of VoiceXML's own namespace."""
    name, line = local(element), line_of(element)
    for attribute in REQUIRED.get(name, ()):
        if element.get(attribute) is None:
            yield Fault(line, "missing-attribute", f"<{name}> needs {attribute}")
    for choices, section in EXACTLY_ONE.get(name, ()):
        if len(_given(element, choices)) != 1:
            yield Fault(line, "exactly-one", f"<{name}> needs exactly one of {', '.join(choices)}", section)
    if name == "form":
        seen: set[str] = set()
        for child in element:
            if local(child) in ITEMS and (item := child.get("name")):
                if item in seen:
                    words = f"another item of this form has the name {item!r}"
                    yield Fault(line_of(child), "duplicate-name", words, "2.0 §2.3.1")
                seen.add(item)
    parent = element.getparent()
    if name == "filled" and parent is not None and local(parent) != "form":
        for attribute in _given(element, ("mode", "namelist")):
            yield Fault(line, "filled-in-item", f"<filled> within an input item takes no {attribute}", "2.0 §2.4")
    for choices, section in AT_MOST_ONE.get(name, ()):
        if len(found := _given(element, choices)) > 1:
            yield Fault(line, "at-most-one", f"<{name}> has both {' and '.join(found)}", section)


def _given(element: etree._Element, choices: tuple[str, ...]) -> list[str]:
    return [name for name in choices if (_content(element) if name == CONTENT else element.get(name) is not None)]


def _content(element: etree._Element) -> bool:
    return len(element) > 0 or bool((element.text or "").strip())
