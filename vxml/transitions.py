"""Where an application goes next: what executable content returns, instead of raising it."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from vxml.document import Document
from vxml.matching import Heard


@dataclass(frozen=True, slots=True)
class ToDocument:
    """Another document, already loaded, as is its application ``root`` where that is another one; ``dialog`` is a
    fragment, None for the first dialog.

    ``submitted`` documents begin anew where a <goto> between leaf and root keeps the root's variables (§1.5.2).
    """

    document: Document
    root: Document | None
    dialog: str | None
    submitted: bool = False


@dataclass(frozen=True, slots=True)
class ToDialog:
    """Another dialog of this document; its variables stay."""

    dialog: str


@dataclass(frozen=True, slots=True)
class ToMatched:
    """The dialog of this application whose document-wide grammar was matched: it begins with that input."""

    heard: Heard
    dialog: etree._Element


@dataclass(frozen=True, slots=True)
class ToItem:
    """Another item of this form."""

    item: str


Transition = ToDocument | ToDialog | ToMatched | ToItem
