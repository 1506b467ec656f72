"""An active grammar, what a match with it means, and the input that a dialog goes on with (VoiceXML 2.0 §3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from lxml import etree

from vxml.document import Document
from vxml.grammar.builtin import keyed_value
from vxml.grammar.loading import Grammar
from vxml.grammar.sisr import script, tagged
from vxml.scopes import Scopes
from vxml.types import Json


class Purpose(Enum):
    ITEM = auto()  # fills the input item
    FORM = auto()  # fills items of its form by their slots
    CHOICE = auto()  # a menu's
    LINK = auto()
    UNIVERSAL = auto()


@dataclass(frozen=True, slots=True)
class Active:
    """One active grammar. ``owner`` is its item, form, choice or link, in ``document``; ``value`` an option's."""

    grammar: Grammar
    purpose: Purpose
    owner: etree._Element
    document: Document
    value: str | None = None

    def match(self, scopes: Scopes, mode: str, said: Sequence[str]) -> Match | None:
        """What ``said`` (keys, or words) means by this grammar; None where it does not fit."""
        if self.grammar.mode != mode:
            return None
        joint = "" if mode == "dtmf" else " "
        text = joint.join(said)
        builtin = self.grammar.builtin
        if builtin is not None and builtin.spoken is not None:
            value = builtin.spoken(said)
            return None if value is None else Match(self, text, value)
        assert self.grammar.automaton is not None
        steps = self.grammar.automaton.match(said)
        if steps is None:
            return None
        if builtin is not None:
            value = keyed_value(builtin.name, dict(builtin.parameters), text)
            return None if value is None else Match(self, text, value)
        if self.value is not None:
            return Match(self, text, self.value)
        if not tagged(steps):
            return Match(self, text, text)
        return Match(self, text, scopes.interpret(script(steps, joint, self.grammar.scripts)))


@dataclass(frozen=True, slots=True)
class Match:
    """An utterance, keyed or said, and its interpretation."""

    active: Active
    utterance: str
    interpretation: Json


@dataclass(frozen=True, slots=True)
class Heard:
    """An input that a grammar took. ``more`` are further shadow variables."""

    match: Match
    mode: str
    confidence: float = 1.0
    more: Mapping[str, Json] = field(default_factory=dict)

    @property
    def shadow(self) -> dict[str, Json]:
        """The shadow variables of an item that it fills (VoiceXML 2.0 §2.3.1)."""
        return {
            "utterance": self.match.utterance,
            "inputmode": self.mode,
            "confidence": self.confidence,
            "interpretation": self.match.interpretation,
            **self.more,
        }


def first_match(scopes: Scopes, active: Sequence[Active], mode: str, said: Sequence[str]) -> Match | None:
    """By the innermost grammar that fits; among equals by the one written first."""
    return next((found for one in active if (found := one.match(scopes, mode, said)) is not None), None)


def slots(match: Match) -> dict[str, Json]:
    """What a form-level match says of the items: properties by slot (VoiceXML 2.0 §3.1.6)."""
    value = match.interpretation
    return value if isinstance(value, dict) else {}


def slot_value(found: Json, name: str) -> Json:
    """The property that a slot names, ``a.b`` being one of an inner object; None where it is not there."""
    for part in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def item_value(match: Match, slot: str) -> Json:
    """The value of an item whose own grammar matched: the property of its slot, else the whole (§3.1.6.1)."""
    value = slot_value(match.interpretation, slot)
    return match.interpretation if value is None else value
