"""Elements that stand where they may not, attributes that are not theirs, text that nobody hears, names given twice."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from vxml.checking.finding import Finding, suggestion
from vxml.checking.page import Page
from vxml.checking.schema import ANYTHING, ATTRIBUTES, CHILDREN, TEXT, parents
from vxml.grammar.srgs import local
from vxml.validation import ITEMS

_IN_GRAMMARS = frozenset("rule one-of item ruleref token tag example lexicon meta metadata".split())


def structure(page: Page) -> Iterator[Finding]:
    for element in page.elements():
        yield from attributes(page, element)
        name = local(element)
        if name in ANYTHING or name in _IN_GRAMMARS or name not in ATTRIBUTES:
            continue
        yield from _children(page, element)
        yield from _text(page, element)
    yield from _ids(page)
    for form in page.elements():
        if local(form) == "form":
            yield from _names(page, form)


def attributes(page: Page, element: etree._Element) -> Iterator[Finding]:
    name = local(element)
    known = ATTRIBUTES.get(name)
    if known is None:
        return
    for key in element.attrib:
        word = str(key)
        if not word.startswith("{") and word not in known:  # xml:lang and alike may stand everywhere
            mend = suggestion(word, known)
            yield page.found(element, "unknown-attribute", f"<{name}> has no attribute {word!r}{mend}")


def _children(page: Page, element: etree._Element) -> Iterator[Finding]:
    name = local(element)
    allowed = CHILDREN.get(name, frozenset())
    for child in element:
        inner = local(child)
        if inner and inner in ATTRIBUTES and inner not in allowed:
            places = ", ".join(f"<{one}>" for one in parents(inner)) or "a grammar"
            words = f"<{inner}> may not stand in <{name}>, but in {places}"
            yield page.found(child, "misplaced-element", words)


def _text(page: Page, element: etree._Element) -> Iterator[Finding]:
    if local(element) in TEXT:
        return
    for text, after in ((element.text, None), *((child.tail, child) for child in element)):
        words = (text or "").strip()
        if words:
            said = " ".join(words.split())
            place = element if after is None else after
            message = f"{said[:40]!r} in <{local(element)}> is not heard: put it into a <prompt> or <block>"
            yield page.found(place, "misplaced-text", message)


def _ids(page: Page) -> Iterator[Finding]:
    seen: set[str] = set()
    for dialog in page.root:
        if local(dialog) in ("form", "menu") and (name := dialog.get("id")):
            if name in seen:
                yield page.found(dialog, "duplicate-id", f"another dialog has the id {name!r}", "2.0 §1.3.1")
            seen.add(name)


def _names(page: Page, form: etree._Element) -> Iterator[Finding]:
    """Form items share the dialog's scope with its variables (VoiceXML 2.0 §2.1.2). Two items of one name are no
    document at all, and found as such."""
    seen: dict[str, str] = {}
    for child in form:
        kind, name = local(child), child.get("name")
        if name is None or kind not in (*ITEMS, "var"):
            continue
        if name in seen and (kind == "var") != (seen[name] == "var"):
            yield page.found(child, "duplicate-name", f"a <{seen[name]}> of this form has the name {name!r}")
        seen.setdefault(name, kind)
