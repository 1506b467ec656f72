"""The properties of VoiceXML 2.0 §6.3 and 2.1 §7: what holds where nothing is said, and what may be said."""

from __future__ import annotations

import math

from vxml.errors import VoiceXmlEvent, semantic
from vxml.grammar.srgs import KEYS
from vxml.values import number, seconds

DEFAULTS = {
    "bargein": "true",
    "bargeintype": "speech",
    "timeout": "5s",
    "interdigittimeout": "3s",
    "termtimeout": "0s",
    "termchar": "#",
    "confidencelevel": "0.5",
    "sensitivity": "0.5",
    "speedvsaccuracy": "0.5",
    "completetimeout": "500ms",
    "incompletetimeout": "1s",
    "maxspeechtimeout": "20s",
    "fetchtimeout": "15s",
    "fetchaudiodelay": "2s",
    "fetchaudiominimum": "5s",
    "inputmodes": "dtmf voice",
    "universals": "none",
    "maxnbest": "1",
    "recordutterance": "false",
}
#: Those that a recogniser is told.
RECOGNITION = (
    "bargeintype", "confidencelevel", "sensitivity", "speedvsaccuracy", "completetimeout", "incompletetimeout",
    "maxspeechtimeout", "recordutterance", "recordutterancetype",
)  # fmt: skip
_CHOICES = {
    "bargein": ("true", "false"),
    "recordutterance": ("true", "false"),
    "bargeintype": ("speech", "hotword"),
    "termchar": ("", *KEYS),
}


def checked(name: str, value: str) -> str:
    """``value`` without the blanks around it. Raises error.semantic where ``name`` cannot have it (§6.3)."""
    value = value.strip()
    if not _possible(name, value):
        raise semantic(f"the property {name} cannot be {value!r}")
    return value


def _possible(name: str, value: str) -> bool:
    if (choices := _CHOICES.get(name)) is not None:
        return value in choices or value.lower() in choices
    match name:
        case "inputmodes":
            return value != "" and set(value.split()) <= {"dtmf", "voice"}
        case "confidencelevel" | "sensitivity" | "speedvsaccuracy":
            return 0 <= _number(value) <= 1
        case "maxnbest":
            return value.isdigit() and int(value) > 0
    if name.endswith(("maxage", "maxstale")):
        return _number(value) >= 0
    return not name.endswith(("timeout", "delay", "minimum")) or _is_time(value)


def _number(text: str) -> float:
    try:
        return number(text)
    except VoiceXmlEvent:
        return math.nan


def _is_time(text: str) -> bool:
    try:
        seconds(text)
    except VoiceXmlEvent:
        return False
    return True
