"""Where an application goes next: what executable content returns, instead of raising it."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from vxml.document import Document
from vxml.inputs import Match


@dataclass(frozen=True, slots=True)
class ToDocument:
    """Another document, already loaded; ``dialog`` is a fragment, None for the first dialog.

    ``submitted`` documents begin anew where a <goto> between leaf and root keeps the root's variables (§1.5.2).
    """

    document: Document
    dialog: str | None
    submitted: bool = False


@dataclass(frozen=True, slots=True)
class ToDialog:
    """Another dialog of this document; its variables stay."""

    dialog: str


@dataclass(frozen=True, slots=True)
class ToMatched:
    """The dialog of this application whose document-wide grammar was matched: it begins with that input."""

    match: Match
    dialog: etree._Element


@dataclass(frozen=True, slots=True)
class ToItem:
    """Another item of this form."""

    item: str


Transition = ToDocument | ToDialog | ToMatched | ToItem
