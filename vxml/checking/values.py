"""Attributes and properties whose values have a form: times, numbers, choices, names."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from vxml.checking.finding import Finding, suggestion
from vxml.checking.page import Page
from vxml.collecting import AUDIO_TYPES
from vxml.errors import VoiceXmlEvent
from vxml.grammar.srgs import local
from vxml.properties import DEFAULTS
from vxml.scopes import is_name, is_place
from vxml.validation import ITEMS
from vxml.values import seconds

TIMES = frozenset("connecttimeout fetchtimeout finalsilence maxtime timeout".split())
BOOLEANS = frozenset("bargein beep bridge dtmfterm modal".split())
COUNTS = frozenset(("count", "maxage", "maxstale"))
CHOICES: dict[str, tuple[str, ...]] = {
    "accept": ("exact", "approximate"),
    "bargeintype": ("speech", "hotword"),
    "enctype": ("application/x-www-form-urlencoded", "multipart/form-data"),
    "fetchhint": ("prefetch", "safe"),
    "method": ("get", "post"),
    "valuetype": ("data", "ref"),
}
#: The same attribute means other things on other elements.
OWN_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("break", "size"): ("none", "small", "medium", "large"),
    ("break", "strength"): ("none", "x-weak", "weak", "medium", "strong", "x-strong"),
    ("filled", "mode"): ("all", "any"),
    ("form", "scope"): ("dialog", "document"),
    ("grammar", "scope"): ("dialog", "document"),
    ("menu", "dtmf"): ("true", "false"),
    ("menu", "scope"): ("dialog", "document"),
    ("record", "type"): AUDIO_TYPES,
    ("rule", "scope"): ("private", "public"),
    ("transfer", "type"): ("blind", "bridge", "consultation"),
}
_FETCHED = ("audio", "document", "grammar", "script", "data")
KNOWN_PROPERTIES = frozenset(DEFAULTS) | {
    "fetchaudio", "recordutterancetype",
    *(f"{kind}{what}" for kind in _FETCHED for what in ("fetchhint", "maxage", "maxstale")),
}  # fmt: skip
_FRACTIONS = ("confidencelevel", "sensitivity", "speedvsaccuracy")


def values(page: Page) -> Iterator[Finding]:
    for element in page.elements():
        for key, value in element.attrib.items():
            yield from _attribute(page, element, str(key), str(value))
        if local(element) == "property":
            yield from _property(page, element)


def _attribute(page: Page, element: etree._Element, key: str, value: str) -> Iterator[Finding]:
    name = local(element)
    if key in TIMES or (name, key) == ("break", "time"):
        yield from _time(page, element, key, value)
    elif key in BOOLEANS:
        yield from _choice(page, element, key, value, ("true", "false"))
    elif (choices := OWN_CHOICES.get((name, key), CHOICES.get(key))) is not None:
        yield from _choice(page, element, key, value.partition(";")[0].strip(), choices)
    elif key in COUNTS:
        if not value.isdigit() or (key == "count" and int(value) == 0):
            yield page.found(element, "bad-number", f'{key}="{value}" is no whole number')
    elif key == "namelist":
        for one in value.split():
            if not is_place(one):
                yield page.found(element, "bad-name", f"{one!r} in namelist cannot be a variable")
    elif (key == "name" and name in (*ITEMS, "var", "data")) or (name, key) == ("foreach", "item"):
        if not is_name(value):
            yield page.found(element, "bad-name", f"{value!r} cannot be the name of a variable")
    elif (name, key) == ("assign", "name") and not is_place(value):
        yield page.found(element, "assignment", f"{value!r} is nothing that can be assigned to", "2.0 §5.3.2")


def _time(page: Page, element: etree._Element, key: str, value: str) -> Iterator[Finding]:
    try:
        seconds(value)
    except VoiceXmlEvent as event:
        yield page.found(element, "bad-time", f"{key}: {event.message}", "2.0 §6.5")
    else:
        if not value.rstrip().endswith("s"):
            yield page.found(element, "no-unit", f'{key}="{value}" has no unit: write {value}s', "2.0 §6.5")


def _choice(page: Page, element: etree._Element, key: str, value: str, choices: tuple[str, ...]) -> Iterator[Finding]:
    if value.lower() not in choices:
        yield page.found(element, "bad-value", f'{key}="{value}" is none of {", ".join(choices)}')


def _property(page: Page, element: etree._Element) -> Iterator[Finding]:
    """VoiceXML 2.0 §6.3."""
    name, value = element.get("name"), element.get("value")
    if name is None or value is None:
        return
    if name not in KNOWN_PROPERTIES:
        if "." not in name:  # a platform's own are named like com.example.thing
            words = f"nothing reads the property {name!r}{suggestion(name, KNOWN_PROPERTIES)}"
            yield page.found(element, "unknown-property", words, "2.0 §6.3")
    elif name.endswith(("timeout", "delay", "minimum")):
        yield from _time(page, element, name, value)
    elif name in ("bargein", "recordutterance"):
        yield from _choice(page, element, name, value, ("true", "false"))
    elif name == "bargeintype" or name.endswith("fetchhint"):
        choices = CHOICES["bargeintype" if name == "bargeintype" else "fetchhint"]
        yield from _choice(page, element, name, value, choices)
    elif name in _FRACTIONS:
        if not _fraction(value):
            yield page.found(element, "bad-number", f"{name}: {value!r} is no number from 0.0 to 1.0")
    elif name == "maxnbest" or name.endswith(("maxage", "maxstale")):
        if not value.isdigit():
            yield page.found(element, "bad-number", f"{name}: {value!r} is no whole number")
    elif name == "inputmodes":
        for one in value.split():
            yield from _choice(page, element, name, one, ("dtmf", "voice"))
    elif name == "universals":
        for one in value.split():
            yield from _choice(page, element, name, one, ("none", "all", "help", "exit", "cancel"))
    elif name == "termchar" and (len(value.strip()) > 1 or value.strip() not in "0123456789*#ABCD"):
        yield page.found(element, "bad-value", f"termchar: {value!r} is no DTMF key")


def _fraction(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
