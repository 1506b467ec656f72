"""Which handler an event goes to (VoiceXML 2.0 §5.2.4), and the counters that decide it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from vxml.grammar.srgs import local

_SHORT = {"noinput": "noinput", "nomatch": "nomatch", "help": "help", "error": "error"}


@dataclass(frozen=True, slots=True)
class Default:
    """The platform's own handler (VoiceXML 2.0 §5.2.5)."""

    reprompts: bool
    exits: bool


def default_for(event: str) -> Default:
    kind = event.partition(".")[0]
    if kind in ("noinput", "nomatch", "help", "maxspeechtimeout"):
        return Default(reprompts=True, exits=False)
    if kind == "cancel":
        return Default(reprompts=False, exits=False)
    return Default(reprompts=False, exits=True)


def matches(caught: str, event: str) -> bool:
    """A handler's name takes the event of that name and all below it; ``.`` or nothing takes all."""
    return caught in ("", ".", event) or event.startswith(caught.rstrip(".") + ".")


def names(event: str, holders: Iterable[etree._Element]) -> bool:
    """Whether a handler of ``holders`` names the event, or one above it: more than taking all that come."""
    return any(
        name not in ("", ".") and matches(name, event)
        for holder in holders
        for _, caught in handlers(holder)
        for name in caught
    )


class EventCounter:
    """How often each event, and each prefix of its name, occurred in a form item."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, event: str) -> None:
        parts = event.split(".")
        for length in range(len(parts) + 1):
            self._counts[".".join(parts[:length])] += 1

    def of(self, caught: str) -> int:
        return self._counts[caught.rstrip(".")]


def handlers(holder: etree._Element) -> list[tuple[etree._Element, list[str]]]:
    found = []
    for child in holder:
        name = local(child)
        if name == "catch":
            found.append((child, (child.get("event") or "").split() or [""]))
        elif name in _SHORT:
            found.append((child, [_SHORT[name]]))
    return found


def select(
    event: str,
    scopes: Sequence[etree._Element],
    counter: EventCounter,
    truth: Callable[[str], bool],
    passed: Sequence[etree._Element] = (),
) -> etree._Element | None:
    """The handler among those of ``scopes``, innermost first, without those of ``passed``; None leaves the event to
    the platform's."""
    fitting: list[tuple[int, etree._Element]] = []
    for holder in scopes:
        for element, names in handlers(holder):
            if element in passed:
                continue
            caught = next((name for name in names if matches(name, event)), None)
            if caught is None:
                continue
            try:
                count = int(element.get("count") or 1)
            except ValueError:
                count = 1
            if count > counter.of(caught):
                continue
            condition = element.get("cond")
            if condition is not None and not truth(condition):
                continue
            fitting.append((count, element))
    if not fitting:
        return None
    best = max(count for count, _ in fitting)
    return next(element for count, element in fitting if count == best)
