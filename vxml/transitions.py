"""Where an application goes next: what executable content returns, instead of raising it."""

from __future__ import annotations

from dataclasses import dataclass

from vxml.document import Document


@dataclass(frozen=True, slots=True)
class ToDocument:
    """Another document, already loaded; ``dialog`` is a fragment, None for the first dialog."""

    document: Document
    dialog: str | None


@dataclass(frozen=True, slots=True)
class ToDialog:
    """Another dialog of this document; its variables stay."""

    dialog: str


@dataclass(frozen=True, slots=True)
class ToItem:
    """Another item of this form."""

    item: str


Transition = ToDocument | ToDialog | ToItem
