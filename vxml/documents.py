"""Goes from document to document and dialog to dialog within one execution context."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from lxml import etree

from vxml.actions import Action
from vxml.context import Context, Shared
from vxml.document import Document
from vxml.errors import Finished, LocalProtocolError, Returned, VoiceXmlEvent, semantic
from vxml.events import Event
from vxml.executable import declarations
from vxml.fia import Dialog
from vxml.matching import Heard
from vxml.scopes import Scopes
from vxml.transitions import ToDialog, ToDocument, ToMatched, Transition
from vxml.types import Json

_NOWHERE = '<vxml version="2.1"><form/></vxml>'


def new_context(shared: Shared, depth: int = 0) -> Context:
    """A context without a document yet."""
    scopes = Scopes(shared.session, shared.spend)
    shared.scopes.append(scopes)
    return Context(scopes, shared, Document("about:blank", etree.fromstring(_NOWHERE)), depth=depth)


def run_documents(
    context: Context, first: Transition, parameters: Mapping[str, Json] | None = None
) -> Generator[Action, Event, None]:
    """From ``first`` on, until Finished or Returned is raised. ``parameters`` are for the first dialog."""
    transition: Transition | None = first
    given = dict(parameters or {})
    while transition is not None:
        transition = yield from _follow(context, transition, given)
        given = {}


def call_subdialog(
    caller: Context, target: ToDocument, parameters: Mapping[str, Json]
) -> Generator[Action, Event, dict[str, Json]]:
    """What the subdialog's <return> gives; the event that it returns is raised (VoiceXML 2.0 §2.3.4)."""
    if caller.depth >= caller.limits.subdialogs:
        raise semantic(f"more than {caller.limits.subdialogs} subdialogs within each other")
    context = new_context(caller.shared, caller.depth + 1)
    try:
        yield from run_documents(context, target, parameters)
    except Returned as returned:
        if returned.event is not None:
            raise returned.event from None
        return returned.values
    finally:
        caller.shared.scopes.remove(context.scopes)
    raise Finished


def _follow(
    context: Context, transition: Transition, parameters: dict[str, Json]
) -> Generator[Action, Event, Transition | None]:
    heard: Heard | None = None
    target: ToDocument | None = None
    match transition:
        case ToDocument():
            target, element = transition, transition.document.dialog(transition.dialog)
        case ToDialog(name):
            element = context.document.dialog(name)
        case ToMatched(heard, element):
            if heard.match.active.document is not context.document:
                target = ToDocument(heard.match.active.document, None, None)
        case _:
            raise LocalProtocolError("an item is no place to begin a document")
    if target is not None:
        try:
            yield from _enter(context, target)
        except VoiceXmlEvent as event:  # no dialog has begun: the documents' own handlers are asked
            return (yield from Dialog(context, context.document.root).failed(event))
    return (yield from Dialog(context, element, heard=heard, parameters=parameters).run())


def _enter(context: Context, target: ToDocument) -> Generator[Action, Event, None]:
    """Make a document the current one, with its application root (VoiceXML 2.0 §1.5.2, §5.1.2)."""
    scopes, document, root = context.scopes, target.document, target.root
    if root is None:
        # Without a root, a document's variables are the application's. From a leaf to its root they live on, unless
        # the root was submitted to; from the root to itself they begin anew.
        kept = context.root is not None and context.root.url == document.url and not target.submitted
        scopes.unwind(2 if kept else 1)
        context.root, context.document = None, document
        if not kept:
            _open_application(context)
        scopes.alias("document", "application")
        if not kept:
            yield from declarations(context, document.root)
        return
    if root is context.root or (context.root is None and root is context.document):
        context.root = root
        scopes.unwind(2)  # the root's variables live on from leaf to leaf
        context.root = root
    else:
        scopes.unwind(1)
        context.root = context.document = root
        _open_application(context)
        yield from declarations(context, root.root)
    context.document = document
    scopes.push("document")
    yield from declarations(context, document.root)


def _open_application(context: Context) -> None:
    context.scopes.push("application")
    context.scopes.put_results(None)  # §5.1.5: undefined when an application root is loaded
