"""The exceptions of the interpreter.

::

    LocalProtocolError      the host sent an event that does not answer the action: a fault of the host
    VoiceXmlEvent           an event thrown in the application: caught by <catch>, or the end of the session
    Finished                the session ends here: raised through all dialogs
    Returned                a subdialog ends here: raised through its dialogs
"""

from __future__ import annotations

from collections.abc import Mapping

from vxml.types import Json


class LocalProtocolError(Exception):
    """The host broke the protocol of actions and events."""


class VoiceXmlEvent(Exception):
    """A VoiceXML event (VoiceXML 2.0 §5.2) on its way to a handler. ``line`` is where a grammar is at fault, 0 where
    that is not known. ``passing``: it is no matter where nothing catches it."""

    def __init__(self, name: str, message: str = "", *, passing: bool = False) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.passing = passing
        self.line = 0


class Finished(Exception):
    """<exit>, <disconnect> without a handler, or the end of the last dialog."""

    def __init__(self, error: str | None = None, message: str = "", values: Mapping[str, Json] | None = None) -> None:
        super().__init__(error, message)
        self.error = error
        self.message = message
        self.values = dict(values or {})


class Returned(Exception):
    """<return>: the subdialog ends with values, or with an event for its caller (VoiceXML 2.0 §5.3.10)."""

    def __init__(self, values: Mapping[str, Json], event: VoiceXmlEvent | None = None) -> None:
        super().__init__(values, event)
        self.values = dict(values)
        self.event = event


def semantic(message: str) -> VoiceXmlEvent:
    return VoiceXmlEvent("error.semantic", message)


def badfetch(message: str, suffix: str = "") -> VoiceXmlEvent:
    return VoiceXmlEvent("error.badfetch" + suffix, message)
