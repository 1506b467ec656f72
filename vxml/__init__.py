"""A sans-I/O VoiceXML 2.1 interpreter: it yields actions and is sent events, and never touches a socket or a clock."""

from vxml.actions import Action, Audio, Break, Collect, Disconnect, Exit, Fetch, Log, Play, Prompt, Segment, Speech
from vxml.collector import Collector
from vxml.errors import LocalProtocolError
from vxml.events import Digits, Event, Fetched, FetchFailed, Hangup, NoInput, NoMatch, Played
from vxml.scopes import Json
from vxml.session import Limits, Session

__all__ = [
    "Action",
    "Audio",
    "Break",
    "Collect",
    "Collector",
    "Digits",
    "Disconnect",
    "Event",
    "Exit",
    "Fetch",
    "FetchFailed",
    "Fetched",
    "Hangup",
    "Json",
    "Limits",
    "LocalProtocolError",
    "Log",
    "NoInput",
    "NoMatch",
    "Play",
    "Played",
    "Prompt",
    "Segment",
    "Session",
    "Speech",
]
