"""The input items that are more than a question: <record>, <transfer> and <subdialog>."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from lxml import etree

from vxml.actions import Action, Record, Transfer
from vxml.arriving import arrive
from vxml.collecting import AUDIO_TYPES, heard, listening, matcher, tell, usable
from vxml.context import Context
from vxml.data import request_with
from vxml.errors import LocalProtocolError, VoiceXmlEvent, badfetch, semantic
from vxml.events import Digits, Event, NoInput, Recorded, Spoken, TransferFailed, Transferred
from vxml.grammar.srgs import local
from vxml.matching import Active, Heard, first_match
from vxml.transitions import ToDocument
from vxml.types import Json
from vxml.values import boolean, seconds

#: Longest recording where <record> names none, in seconds.
MAX_RECORDING = 120.0
FINAL_SILENCE = 3.0
#: §2.3.7: how long the far end may ring where nothing else is said.
CONNECT_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Visit:
    """``active`` are the grammars that listen meanwhile."""

    context: Context
    element: etree._Element
    inside: tuple[etree._Element, ...]
    active: tuple[Active, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """The item's value and its shadow variables. ``hung_up``: the caller did, which is told afterwards."""

    value: Json
    shadow: Mapping[str, Json] = field(default_factory=dict)
    hung_up: bool = False


#: None: the item stays unfilled, and is visited again.
Visiting = Generator[Action, Event, Filled | Heard | None]


def record(visit: Visit) -> Visiting:
    """VoiceXML 2.0 §2.3.6. Where nothing was recorded the item stays unfilled."""
    context, element = visit.context, visit.element
    kind = (element.get("type") or "audio/wav").partition(";")[0].strip()
    if kind not in AUDIO_TYPES:
        raise VoiceXmlEvent("error.unsupported.format", f"recordings of type {kind} are not supported")
    able = usable(context, visit.active, visit.inside)
    any_key = boolean(element.get("dtmfterm") or "true")
    context.scopes.put_results(None)
    event = yield from context.ask(
        Record(
            context.take_queued(),
            beep=boolean(element.get("beep") or "false"),
            max_time=seconds(element.get("maxtime") or f"{MAX_RECORDING}s"),
            final_silence=seconds(element.get("finalsilence") or f"{FINAL_SILENCE}s"),
            timeout=context.take_timeout(visit.inside),
            any_key=any_key,
            content_type=kind,
            matcher=matcher(able),
        )
    )
    key = event.term_char if isinstance(event, Recorded) else event.text if isinstance(event, Digits) else None
    if key and any_key:
        # As a grammar of the item's own that takes every key, and goes before all others.
        tell(context, key)
        ended = None
    elif key and first_match(context.scopes, able, "dtmf", key) is not None:
        ended = heard(context, able, Digits(key), visit.inside)
    else:
        ended = heard(context, able, event, visit.inside) if isinstance(event, NoInput | Spoken) else None
    if ended is not None and ended.match.active.owner is not element:
        return ended  # by a grammar from outside: nothing is kept, and its match is carried out
    match event:
        case Digits() | Spoken() | Recorded(size=0):  # before anything was recorded
            context.heard_input()
            return None
        case Recorded():
            context.heard_input()
            context.shared.recordings[event.reference] = event
            shadow: dict[str, Json] = {
                "duration": round(event.duration * 1000),
                "size": event.size,
                "termchar": event.term_char if any_key else None,
                "maxtime": event.reached_max_time,
            }
            return Filled(event.reference, shadow, event.hung_up)
    raise LocalProtocolError(f"Record is not answered by {type(event).__name__}")


def transfer(visit: Visit) -> Visiting:
    """VoiceXML 2.0 §2.3.7, 2.1 §8."""
    context, element = visit.context, visit.element
    kind = _transfer_kind(element)
    destination = _one_of(context, element, "dest", "destexpr")
    if not destination.startswith(("tel:", "sip:", "sips:")):
        raise VoiceXmlEvent("error.unsupported.uri", f"{destination!r} is no tel: or sip: address")
    able = usable(context, visit.active, visit.inside)
    audio = element.get("transferaudio")
    context.scopes.put_results(None)
    aai, expression = element.get("aai"), element.get("aaiexpr")
    if aai is not None and expression is not None:
        raise badfetch("<transfer> has both aai and aaiexpr")
    event = yield from context.ask(
        Transfer(
            context.take_queued(),
            destination=destination,
            kind=kind,
            connect_timeout=seconds(element.get("connecttimeout") or f"{CONNECT_TIMEOUT}s"),
            max_time=seconds(element.get("maxtime") or "0s"),
            audio=None if audio is None else context.document.resolve(element, audio),
            user_data=context.scopes.text(expression) if expression is not None else aai or "",
            matcher=matcher(able),
            listen=listening(context, able, visit.inside),
        )
    )
    match event:
        case Transferred():
            context.heard_input()
            if event.keyed or event.said:
                tell(context, event.keyed or event.said, "dtmf" if event.keyed else "voice")
            if not event.outcome:  # the caller is with somebody else now
                context.shared.hung_up = context.shared.told_hangup = True
                raise VoiceXmlEvent("connection.disconnect.transfer", f"transferred to {destination}")
            shadow: dict[str, Json] = {"duration": event.duration}
            if event.keyed or event.said:
                shadow |= {"utterance": event.keyed or event.said, "inputmode": "dtmf" if event.keyed else "voice"}
            return Filled(event.outcome, shadow)
        case TransferFailed(name, reason):
            raise VoiceXmlEvent(name, reason)
    raise LocalProtocolError(f"Transfer is not answered by {type(event).__name__}")


def _transfer_kind(element: etree._Element) -> str:
    kind, bridge = element.get("type"), element.get("bridge")
    if kind is not None and bridge is not None:
        raise badfetch("<transfer> has both type and bridge")  # VoiceXML 2.1 §8
    if kind is None:
        return "bridge" if boolean(bridge or "false") else "blind"
    if kind not in ("blind", "bridge", "consultation"):
        raise VoiceXmlEvent(f"error.unsupported.transfer.{kind}", f"there are no transfers of type {kind!r}")
    return kind


def subdialog(visit: Visit) -> Visiting:
    """VoiceXML 2.0 §2.3.4."""
    context, element = visit.context, visit.element
    target = _one_of(context, element, "src", "srcexpr")
    parameters: dict[str, Json] = {}
    for child in element:
        if local(child) == "param":
            parameters[child.get("name") or ""] = _parameter(context, child)
    names = (element.get("namelist") or "").split()
    url, fragment = urldefrag(context.document.resolve(element, target))
    if target.startswith("#"):
        context.document.dialog(fragment)
        place = ToDocument(context.document, context.root, fragment)
    else:
        request = request_with(context, element, url, names, visit.inside, "document")
        place = yield from arrive(context, request, fragment or None, fresh=True)
    values = yield from context.shared.call(context, place, parameters)
    return Filled(values)


def _parameter(context: Context, element: etree._Element) -> Json:
    """<param> (VoiceXML 2.0 §6.4)."""
    value, expression = element.get("value"), element.get("expr")
    if element.get("name") is None or (value is None) == (expression is None):
        raise badfetch("<param> needs a name, and exactly one of value and expr")
    if expression is None:
        return value
    if context.scopes.kind(expression) == "undefined":
        raise semantic(f"the parameter {element.get('name')!r} is undefined")
    return context.scopes.value(expression)


def _one_of(context: Context, element: etree._Element, fixed: str, computed: str) -> str:
    value, expression = element.get(fixed), element.get(computed)
    if (value is None) == (expression is None):
        raise badfetch(f"<{local(element)}> needs exactly one of {fixed} and {computed}")
    return value if value is not None else context.scopes.text(str(expression))
