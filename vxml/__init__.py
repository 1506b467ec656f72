"""A sans-I/O VoiceXML 2.1 interpreter: it yields actions and is sent events, and never touches a socket or a clock."""

from vxml.actions import (
    Action,
    Audio,
    Break,
    Collect,
    Disconnect,
    Exit,
    Fetch,
    Listen,
    Log,
    Marked,
    Play,
    Prompt,
    Record,
    Segment,
    Speech,
    Transfer,
    Waiting,
)
from vxml.collector import Collector
from vxml.errors import LocalProtocolError
from vxml.events import (
    Digits,
    Event,
    Fetched,
    FetchFailed,
    Hangup,
    Hypothesis,
    Mark,
    NoInput,
    NoMatch,
    Played,
    Recorded,
    Spoken,
    Thrown,
    TooLong,
    TransferFailed,
    Transferred,
)
from vxml.session import Limits, Session
from vxml.types import Json

__all__ = [
    "Action", "Audio", "Break", "Collect", "Collector", "Digits", "Disconnect", "Event", "Exit", "Fetch",
    "FetchFailed", "Fetched", "Hangup", "Hypothesis", "Json", "Limits", "Listen", "LocalProtocolError", "Log", "Mark",
    "Marked", "NoInput", "NoMatch", "Play", "Played", "Prompt", "Record", "Recorded", "Segment", "Session", "Speech",
    "Spoken", "Thrown", "TooLong", "Transfer", "TransferFailed", "Transferred", "Waiting",
]  # fmt: skip
