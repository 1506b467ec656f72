"""Asks the host for input and matches what was keyed or said against the active grammars (VoiceXML 2.0 §3, §4.1.8)."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from lxml import etree

from vxml.actions import Action, Collect, Listen
from vxml.context import Context
from vxml.errors import LocalProtocolError, VoiceXmlEvent, semantic
from vxml.events import Digits, Event, Hypothesis, Mark, NoInput, NoMatch, Spoken, Thrown, TooLong
from vxml.grammar.automaton import Matcher
from vxml.grammar.srgs import words
from vxml.matching import Active, Heard, first_match
from vxml.types import Json
from vxml.values import boolean

#: What the platform records and plays (VoiceXML 2.0 Appendix E).
AUDIO_TYPES = ("audio/basic", "audio/x-alaw-basic", "audio/wav", "audio/x-wav")


def usable(context: Context, active: Sequence[Active], inside: Sequence[etree._Element]) -> list[Active]:
    """Those that the platform and the property inputmodes let be matched."""
    modes = _modes(context, inside)
    return [
        one for one in active if one.grammar.mode in modes and (one.grammar.mode == "dtmf" or context.shared.speech)
    ]


def _modes(context: Context, inside: Sequence[etree._Element]) -> list[str]:
    return context.property("inputmodes", inside).split()


def listening(context: Context, active: Sequence[Active], inside: Sequence[etree._Element]) -> Listen | None:
    voiced = [one for one in active if one.grammar.mode == "voice"]
    if not voiced:
        return None
    kind = context.property("recordutterancetype", inside)
    if kind and kind not in AUDIO_TYPES and boolean(context.property("recordutterance", inside) or "false"):
        words = f"utterances are not recorded as {kind}"
        raise VoiceXmlEvent("error.unsupported.format", words)  # VoiceXML 2.1 §7
    grammars = tuple(
        one.grammar.automaton if one.grammar.automaton is not None else one.grammar.builtin for one in voiced
    )
    return Listen(context.document.language, grammars, context.recognition(inside))


def matcher(active: Sequence[Active]) -> Matcher:
    return Matcher([one.grammar.automaton for one in active if one.grammar.mode == "dtmf" and one.grammar.automaton])


def collect(
    context: Context, active: Sequence[Active], inside: Sequence[etree._Element], *, again: bool = False
) -> Generator[Action, Event, Heard]:
    """Play what is queued and take one input. Raises noinput, nomatch, maxspeechtimeout."""
    able = usable(context, active, inside)
    if not able:
        if any(one.grammar.mode in _modes(context, inside) for one in active):
            raise VoiceXmlEvent("error.noresource", "only speech fits here, and no recogniser is configured")
        raise semantic("no grammar is active")
    context.scopes.put_results(None)  # §5.1.5: undefined again once input is waited for
    action = Collect(
        context.take_queued(),
        matcher(able),
        timeout=context.take_timeout(inside),
        interdigit_timeout=context.seconds("interdigittimeout", inside),
        term_timeout=context.seconds("termtimeout", inside),
        term_char=context.property("termchar", inside),
        listen=listening(context, able, inside),
        again=again,
    )
    roots = tuple(one.root for one in (context.document, context.root) if one is not None)
    context.shared.waiting = (*inside, *roots)  # §4.1.8: what comes from outside waits for the waiting state
    try:
        event = yield from context.ask(action)
    finally:
        context.shared.waiting = ()
    return heard(context, able, event, inside)


def heard(context: Context, active: Sequence[Active], event: Event, inside: Sequence[etree._Element]) -> Heard:
    """What an answer of the host means. Raises noinput, nomatch, maxspeechtimeout."""
    match event:
        case NoInput(mark):
            if mark is not None:
                context.scopes.put_results([_marked(mark)])
            raise VoiceXmlEvent("noinput", "nothing was heard")
        case Thrown(name, message):
            context.heard_input()
            raise VoiceXmlEvent(name, message, passing=True)
        case TooLong():
            raise VoiceXmlEvent("maxspeechtimeout", "the speech was too long")
        case NoMatch(text, mark):
            context.heard_input()
            context.scopes.put_results([_result(text, "dtmf", 1.0, "", mark)])
            raise VoiceXmlEvent("nomatch", "what was keyed fits no grammar")
        case Digits(text, mark):
            context.heard_input()
            found = first_match(context.scopes, active, "dtmf", text)
            if found is None:
                context.scopes.put_results([_result(text, "dtmf", 1.0, "", mark)])
                raise VoiceXmlEvent("nomatch", "what was keyed fits no grammar")
            context.scopes.put_results([_result(text, "dtmf", 1.0, found.interpretation, mark)])
            return Heard(found, "dtmf", more=_marked(mark))
        case Spoken():
            context.heard_input()
            return _spoken(context, active, event, inside)
    raise LocalProtocolError(f"Collect is not answered by {type(event).__name__}")


def _spoken(context: Context, active: Sequence[Active], event: Spoken, inside: Sequence[etree._Element]) -> Heard:
    """The best hypothesis that a grammar takes with confidence enough; the others in application.lastresult$."""
    level = float(context.property("confidencelevel", inside))
    most = int(context.property("maxnbest", inside))
    fitting = [
        (one, found)
        for one in event.hypotheses
        if one.confidence >= level
        if (found := first_match(context.scopes, active, "voice", words(one.text))) is not None
    ]
    more = _marked(event.mark)
    if event.recording is not None:  # VoiceXML 2.1 §7: recordutterance
        context.shared.recordings[event.recording.reference] = event.recording
        more |= {
            "recording": event.recording.reference,
            "recordingsize": event.recording.size,
            "recordingduration": round(event.recording.duration * 1000),
        }
    if not fitting:
        missed = event.hypotheses[:most] or (Hypothesis("", 0.0),)
        context.scopes.put_results(
            [{**_result(one.text, "voice", one.confidence, one.text, None), **more} for one in missed]
        )
        raise VoiceXmlEvent("nomatch", "what was said fits no grammar")
    context.scopes.put_results(
        [
            {**_result(found.utterance, "voice", one.confidence, found.interpretation, None), **more}
            for one, found in fitting[:most]
        ]
    )
    best, match = fitting[0]
    return Heard(match, "voice", best.confidence, more)


def tell(context: Context, utterance: str, mode: str = "dtmf") -> None:
    """An input that ended a recording or a transfer, as application.lastresult$ (VoiceXML 2.0 §2.3.6, §2.3.7)."""
    context.scopes.put_results([_result(utterance, mode, 1.0, utterance, None)])


def _result(utterance: str, mode: str, confidence: float, interpretation: Json, mark: Mark | None) -> dict[str, Json]:
    """An entry of application.lastresult$ (VoiceXML 2.0 §5.1.5)."""
    return {
        "utterance": utterance, "inputmode": mode, "confidence": confidence, "interpretation": interpretation,
        **_marked(mark),
    }  # fmt: skip


def _marked(mark: Mark | None) -> dict[str, Json]:
    """markname, and marktime in milliseconds (VoiceXML 2.1 §6)."""
    return {} if mark is None else {"markname": mark.name, "marktime": round(mark.time * 1000)}
