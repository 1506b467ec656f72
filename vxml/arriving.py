"""Loads where a <goto>, <submit>, <link>, <choice> or <subdialog> leads, with its application root, before anything is
left for it: what fails is thrown where it was asked for, and can be caught there (VoiceXML 2.0 §5.3.7)."""

from __future__ import annotations

from collections.abc import Generator

from vxml.actions import Action, Fetch
from vxml.context import Context
from vxml.document import Document
from vxml.errors import semantic
from vxml.events import Event
from vxml.transitions import ToDocument


def arrive(
    context: Context, request: Fetch, dialog: str | None, *, submitted: bool = False, fresh: bool = False
) -> Generator[Action, Event, ToDocument]:
    """``fresh`` is for a context of its own, a subdialog's. Raises error.badfetch where the document, its root or the
    dialog is missing."""
    document = yield from context.load(request)
    document.dialog(dialog)
    root = yield from _root(context, document, fresh)
    return ToDocument(document, root, dialog, submitted)


def _root(context: Context, document: Document, fresh: bool) -> Generator[Action, Event, Document | None]:
    """The application root, where it is another document: the one in use, if it is the same (VoiceXML 2.0 §1.5.2)."""
    url = document.application
    if url is None or url == document.url:
        return None
    current = context.document if context.root is None else context.root
    if url in (current.url, context.document.application) and not fresh:  # a redirect may have led to another URL
        return current
    root = yield from context.load(context.request(document.root, url, "document", (document.root,)))
    if root.application not in (None, root.url):
        raise semantic(f"the application root {url} names a root itself")  # §1.5.2
    return root
