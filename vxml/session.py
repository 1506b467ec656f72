"""One VoiceXML session: from the first document to its end, as a machine that yields actions and is sent events."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from lxml import etree

from vxml.actions import Action, Exit, Fetch
from vxml.context import Context, Limits
from vxml.document import Document
from vxml.errors import Finished, LocalProtocolError, VoiceXmlEvent
from vxml.events import Event
from vxml.executable import declarations
from vxml.fia import Dialog, dialog_named
from vxml.scopes import Json, Scopes
from vxml.transitions import ToDialog, ToDocument, Transition

__all__ = ["Limits", "Session"]

_NOWHERE = '<vxml version="2.1"><form/></vxml>'


class Session:
    """``start`` is how the first document is fetched; ``variables`` become the read-only session scope.

    :meth:`begin` returns the first action; :meth:`send` answers it and returns the next. After :class:`vxml.Exit`
    nothing may be sent.
    """

    def __init__(self, start: Fetch, variables: Mapping[str, Json] | None = None, limits: Limits | None = None) -> None:
        self._start = start
        self._variables = dict(variables or {})
        self._limits = limits or Limits()
        self._steps = self._run()
        self._begun = False
        self._over = False

    def begin(self) -> Action:
        if self._begun:
            raise LocalProtocolError("the session has begun already")
        self._begun = True
        return self._advance(None)

    def send(self, event: Event) -> Action:
        """Answer the last action. Raises LocalProtocolError for an event that cannot answer it."""
        if not self._begun or self._over:
            raise LocalProtocolError("nothing was asked")
        return self._advance(event)

    def _advance(self, event: Event | None) -> Action:
        action = next(self._steps) if event is None else self._steps.send(event)
        self._over = isinstance(action, Exit)
        return action

    def _run(self) -> Generator[Action, Event, None]:
        try:
            yield from self._documents()
        except Finished as finished:
            yield Exit(finished.error, finished.message)
        except VoiceXmlEvent as event:
            regular = event.name.startswith("connection.disconnect")
            yield Exit(None if regular else event.name, event.message)
        except RecursionError:
            yield Exit("error.semantic", "the application is nested too deeply")
        else:
            yield Exit()

    def _documents(self) -> Generator[Action, Event, None]:
        scopes = Scopes(self._variables)
        empty = Document("about:blank", etree.fromstring(_NOWHERE))
        context = Context(scopes, self._limits, empty)
        document = yield from context.load(self._start)
        fragment = self._start.url.partition("#")[2] or None
        transition: Transition | None = ToDocument(document, fragment)
        while transition is not None:
            transition = yield from self._follow(context, transition)

    def _follow(self, context: Context, transition: Transition) -> Generator[Action, Event, Transition | None]:
        match transition:
            case ToDocument(document, name):
                yield from self._enter(context, document)
            case ToDialog(name):
                pass
            case _:
                raise LocalProtocolError("an item is no place to begin a document")
        return (yield from Dialog(context, dialog_named(context, name)).run())

    def _enter(self, context: Context, document: Document) -> Generator[Action, Event, None]:
        """Make ``document`` the current one, with its application root (VoiceXML 2.0 §1.5.2, §5.1.2)."""
        scopes = context.scopes
        root_url = document.application
        if root_url is None or root_url == document.url:
            # Without a root, a document's variables are the application's.
            scopes.unwind(1)
            context.root, context.document = None, document
            scopes.push("application")
            scopes.alias("document", "application")
            yield from declarations(context, document.root)
            return
        kept = context.root is not None and context.root.url == root_url
        was_root = context.root is None and context.document.url == root_url
        if kept or was_root:
            if was_root:
                context.root = context.document
            scopes.unwind(2)  # the root's variables live on from leaf to leaf
        else:
            context.document = document
            root = yield from context.load(Fetch(root_url))
            scopes.unwind(1)
            context.root = context.document = root
            scopes.push("application")
            yield from declarations(context, root.root)
        context.document = document
        scopes.push("document")
        yield from declarations(context, document.root)
