"""One VoiceXML session: from the first document to its end, as a machine that yields actions and is sent events."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from vxml.actions import Action, Exit, Fetch
from vxml.arriving import arrive
from vxml.catching import names
from vxml.context import Limits, Shared
from vxml.documents import call_subdialog, new_context, run_documents
from vxml.errors import Finished, LocalProtocolError, VoiceXmlEvent
from vxml.events import Event
from vxml.types import Json

__all__ = ["Limits", "Session"]


class Session:
    """``start`` is how the first document is fetched; ``variables`` become the read-only session scope.

    ``speech`` says that the host answers :class:`vxml.Collect` with :class:`vxml.Spoken` where it is asked to listen.
    :meth:`begin` returns the first action; :meth:`send` answers it and returns the next. After :class:`vxml.Exit`
    nothing may be sent.
    """

    def __init__(
        self,
        start: Fetch,
        variables: Mapping[str, Json] | None = None,
        limits: Limits | None = None,
        *,
        speech: bool = False,
    ) -> None:
        self._start = start
        self._shared = Shared(limits or Limits(), dict(variables or {}), speech, call_subdialog)
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

    def inform(self, variables: Mapping[str, Json]) -> None:
        """Set variables of the session scope anew while an action is carried out: the application reads them so."""
        shared = self._shared
        shared.session = {**shared.session, **variables}
        for scopes in shared.scopes:
            for name, value in variables.items():
                scopes.put("session", name, value)

    def catches(self, event: str) -> bool:
        """Whether a handler that names this event is there for the input that is waited for: then Collect may be
        answered by :class:`vxml.Thrown`. One that takes all events does not count: it is there for faults."""
        return names(event, self._shared.waiting)

    def _advance(self, event: Event | None) -> Action:
        action = next(self._steps) if event is None else self._steps.send(event)
        self._over = isinstance(action, Exit)
        return action

    def _run(self) -> Generator[Action, Event, None]:
        try:
            yield from self._documents()
        except Finished as finished:
            yield Exit(finished.error, finished.message, finished.values)
        except VoiceXmlEvent as event:
            regular = event.name.startswith("connection.disconnect")
            yield Exit(None if regular else event.name, event.message)
        except RecursionError:
            yield Exit("error.semantic", "the application is nested too deeply")
        else:
            yield Exit()

    def _documents(self) -> Generator[Action, Event, None]:
        context = new_context(self._shared)
        fragment = self._start.url.partition("#")[2] or None
        target = yield from arrive(context, self._start, fragment)
        yield from run_documents(context, target)
