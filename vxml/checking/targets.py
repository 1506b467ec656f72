"""References that lead nowhere: dialogs of this document, form items, local files and the dialogs in them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urldefrag

from lxml import etree

from vxml.checking.finding import Finding, Missing, suggestion
from vxml.checking.page import Page, form_of
from vxml.document import parse_tree
from vxml.grammar.srgs import local
from vxml.validation import INPUT_ITEMS, ITEMS

#: Which attribute leads to a dialog, by element.
DIALOGS = {"choice": "next", "goto": "next", "link": "next", "subdialog": "src", "submit": "next"}
#: Which attribute names another file; a grammar's is told by its loader.
FILES = (
    ("audio", "src"), ("choice", "fetchaudio"), ("data", "fetchaudio"), ("data", "src"), ("goto", "fetchaudio"),
    ("link", "fetchaudio"), ("script", "src"), ("subdialog", "fetchaudio"), ("submit", "fetchaudio"),
    ("transfer", "transferaudio"), ("vxml", "application"),
)  # fmt: skip


def targets(page: Page) -> Iterator[Finding]:
    dialogs = dialog_ids(page.root)
    for element in page.elements():
        name = local(element)
        if (key := DIALOGS.get(name)) is not None and (target := element.get(key)) is not None:
            yield from _dialog(page, element, target, dialogs)
        for holder, key in FILES:
            # An <audio> with an alternative may well do without its file (VoiceXML 2.0 §4.1.3).
            spared = name == "audio" and (len(element) > 0 or (element.text or "").strip())
            if name == holder and (target := element.get(key)) is not None and not spared:
                yield from _file(page, element, target)
        if (item := element.get("nextitem")) is not None and name == "goto":
            yield from _item(page, element, item)
        if name == "filled" and (form := element.getparent()) is not None and local(form) == "form":
            yield from _inputs(page, element, form)


def dialog_ids(root: etree._Element) -> set[str]:
    return {child.get("id") or "" for child in root if local(child) in ("form", "menu")} - {""}


def _dialog(page: Page, element: etree._Element, target: str, dialogs: set[str]) -> Iterator[Finding]:
    if target.startswith("#"):
        if target[1:] not in dialogs:
            words = f"this document has no dialog {target[1:]!r}{suggestion(target[1:], dialogs)}"
            yield page.found(element, "missing-target", words, "2.0 §5.3.7")
        return
    try:
        url, dialog = urldefrag(page.resolve(element, target))
        body = page.read(url)
    except Missing as missing:
        yield page.found(element, "missing-file", str(missing))
        return
    if body is None or not dialog:
        return
    try:
        there = dialog_ids(parse_tree(body, url))
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return  # a check of that file says more
    if dialog not in there:
        words = f"{target.partition('#')[0]} has no dialog {dialog!r}{suggestion(dialog, there)}"
        yield page.found(element, "missing-target", words, "2.0 §5.3.7")


def _file(page: Page, element: etree._Element, target: str) -> Iterator[Finding]:
    try:
        page.read(urldefrag(page.resolve(element, target))[0])
    except Missing as missing:
        yield page.found(element, "missing-file", str(missing))


def _item(page: Page, element: etree._Element, item: str) -> Iterator[Finding]:
    if (form := form_of(element)) is None:
        return  # a handler of the document: the form is another each time
    names = {child.get("name") or "" for child in form if local(child) in ITEMS}
    if item not in names:
        words = f"this form has no item {item!r}{suggestion(item, names)}"
        yield page.found(element, "missing-target", words, "2.0 §5.3.7")


def _inputs(page: Page, element: etree._Element, form: etree._Element) -> Iterator[Finding]:
    names = {child.get("name") or "" for child in form if local(child) in INPUT_ITEMS}
    for name in (element.get("namelist") or "").split():
        if name not in names:
            words = f"this form has no input item {name!r}{suggestion(name, names)}"
            yield page.found(element, "missing-target", words, "2.0 §2.4")
