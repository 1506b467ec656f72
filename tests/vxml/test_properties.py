"""Properties, their defaults and scopes, as the host is told of them (VoiceXML 2.0 §6.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vxml.caller import Caller, document
from vxml import Audio, Collect

START = "http://app/start"
GRAMMAR = "<grammar mode='dtmf' root='r'><rule id='r'><item repeat='1-3'>5</item></rule></grammar>"
VOICE = "<grammar root='r'><rule id='r'>yes</rule></grammar>"


def prop(name: str, value: str) -> str:
    return f'<property name="{name}" value="{value}"/>'


def asked(before: str = "", form: str = "", field: str = "", inputs: str = GRAMMAR + VOICE, **pages: str) -> Caller:
    """A call that waits in a field, with properties at the three levels of a document."""
    body = f"{before}<form id='f'>{form}<field name='f'>{inputs}<prompt>?</prompt>{field}</field></form>"
    others = {f"http://app/{name}": page for name, page in pages.items()}
    return Caller({START: document(body), **others}, speech=True)


def told(collect: Collect, name: str) -> Any:
    """A property as it is in the action."""
    listen = collect.listen
    match name:
        case "timeout":
            return collect.timeout
        case "interdigittimeout":
            return collect.interdigit_timeout
        case "termtimeout":
            return collect.term_timeout
        case "termchar":
            return collect.term_char
        case "bargein":
            return collect.prompts[0].bargein
    assert listen is not None
    return listen.properties[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("timeout", 5.0, id="6.3.4 timeout, the platform's"),
        pytest.param("interdigittimeout", 3.0, id="6.3.3 interdigittimeout, the platform's"),
        pytest.param("termtimeout", 0.0, id="6.3.3 termtimeout"),
        pytest.param("termchar", "#", id="6.3.3 termchar"),
        pytest.param("bargein", True, id="6.3.4 bargein"),
        pytest.param("confidencelevel", "0.5", id="6.3.2 confidencelevel"),
        pytest.param("sensitivity", "0.5", id="6.3.2 sensitivity"),
        pytest.param("speedvsaccuracy", "0.5", id="6.3.2 speedvsaccuracy"),
        pytest.param("recordutterance", "false", id="2.1 7 recordutterance"),
    ],
)
def test_defaults(name: str, value: object) -> None:
    assert told(asked().waiting, name) == value


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        pytest.param("timeout", "10s", 10.0, id="timeout in seconds"),
        pytest.param("timeout", "1500ms", 1.5, id="timeout in milliseconds"),
        pytest.param("timeout", ".5s", 0.5, id="6.5 a fraction"),
        pytest.param("timeout", "0s", 0.0, id="no time at all"),
        pytest.param("interdigittimeout", "2s", 2.0, id="interdigittimeout"),
        pytest.param("termtimeout", "500ms", 0.5, id="termtimeout"),
        pytest.param("termchar", "*", "*", id="another termchar"),
        pytest.param("termchar", "", "", id="no termchar"),
        pytest.param("bargein", "false", False, id="bargein"),
        pytest.param("confidencelevel", "0.8", "0.8", id="confidencelevel"),
        pytest.param("bargeintype", "hotword", "hotword", id="bargeintype"),
        pytest.param("completetimeout", "1s", "1s", id="completetimeout"),
        pytest.param("incompletetimeout", "2s", "2s", id="incompletetimeout"),
        pytest.param("maxspeechtimeout", "9s", "9s", id="maxspeechtimeout"),
    ],
)
@pytest.mark.parametrize("level", ["before", "form", "field"])
def test_values(name: str, written: str, value: object, level: str) -> None:
    assert told(asked(**{level: prop(name, written)}).waiting, name) == value


T = "timeout"


@pytest.mark.parametrize(
    ("levels", "value"),
    [
        pytest.param({"before": prop(T, "1s"), "form": prop(T, "2s"), "field": prop(T, "3s")}, 3.0, id="the field's"),
        pytest.param({"before": prop(T, "1s"), "form": prop(T, "2s")}, 2.0, id="the form's"),
        pytest.param({"before": prop(T, "1s")}, 1.0, id="the document's"),
        pytest.param({"before": prop(T, "1s") + prop(T, "4s")}, 4.0, id="the last one of a level"),
        pytest.param({"field": f"<prompt timeout='7s'>!</prompt>{prop(T, '3s')}"}, 7.0, id="4.1.7 a prompt's timeout"),
        pytest.param({"field": "<prompt timeout='7s'>!</prompt><prompt timeout='8s'>!</prompt>"}, 8.0,
                     id="4.1.7 the last prompt's"),
        pytest.param({"before": prop("com.example.thing", "x") + prop("unheardof", "y")}, 5.0,
                     id="6.3.1 others' properties are passed over"),
    ],
)  # fmt: skip
def test_scopes(levels: dict[str, str], value: float) -> None:
    assert asked(**levels).waiting.timeout == value


def test_the_roots_properties_hold_in_its_leaves() -> None:
    root = document(prop(T, "9s") + prop("termchar", "*"))
    leaf = f"<vxml version='2.1' application='root'>{prop('termchar', '#')}<form><field name='f'>{GRAMMAR}</field></form></vxml>"
    waiting = Caller({START: leaf, "http://app/root": root}).waiting
    assert (waiting.timeout, waiting.term_char) == (9.0, "#")


def test_a_property_of_one_item_is_not_the_nexts() -> None:
    second = f"<field name='g'>{GRAMMAR}</field>"
    body = f"<form><field name='f'>{GRAMMAR}{prop(T, '1s')}</field>{second}</form><form>{prop(T, '2s')}</form>"
    caller = Caller({START: document(body)})
    assert caller.waiting.timeout == 1.0
    assert caller.keys("5").waiting.timeout == 5.0


def test_a_menus_properties() -> None:
    body = f"<menu>{prop(T, '2s')}<prompt>?</prompt><choice dtmf='1' next='#a'>a</choice></menu>"
    assert Caller({START: document(body)}).waiting.timeout == 2.0


def test_a_prompts_bargein_outranks_the_property() -> None:
    """§4.1.5."""
    field = f"{prop('bargein', 'false')}<prompt bargein='true'>!</prompt>"
    assert [one.bargein for one in asked(field=field).waiting.prompts] == [False, True]


def test_a_blocks_prompts_have_their_own_properties() -> None:
    body = f"<form>{prop('bargein', 'false')}<block>a</block></form>"
    caller = Caller({START: document(body)})
    assert [one.bargein for one in caller.prompts] == [False]


@pytest.mark.parametrize(
    ("modes", "inputs", "keys", "said", "ends"),
    [
        pytest.param("dtmf", GRAMMAR + VOICE, True, False, None, id="keys only"),
        pytest.param("voice", GRAMMAR + VOICE, False, True, None, id="voice only"),
        pytest.param("voice dtmf", GRAMMAR + VOICE, True, True, None, id="both, in any order"),
        pytest.param("voice", GRAMMAR, False, False, "error.semantic", id="3.1.4 no grammar left"),
        pytest.param("dtmf", VOICE, False, False, "error.semantic", id="3.1.4 nor here"),
    ],
)
def test_inputmodes(modes: str, inputs: str, keys: bool, said: bool, ends: str | None) -> None:
    caller = asked(field=prop("inputmodes", modes), inputs=inputs)
    if ends is not None:
        caller.is_done(ends)
        return
    assert bool(caller.waiting.matcher) is keys
    assert (caller.waiting.listen is not None) is said


def test_without_a_recogniser_voice_alone_is_no_resource() -> None:
    """§5.2.6."""
    Caller({START: document(f"<form><field name='f'>{VOICE}</field></form>")}).is_done("error.noresource")


@pytest.mark.parametrize(
    ("value", "word", "heard"),
    [
        pytest.param("all", "help", "helped", id="all"),
        pytest.param("help cancel", "help", "helped", id="named"),
        pytest.param("help cancel", "exit", "no", id="not named"),
        pytest.param("none", "help", "no", id="none"),
        pytest.param(None, "help", "no", id="6.3.6 none is the default"),
        pytest.param("all", "cancel", "cancelled", id="cancel"),
        pytest.param("exit", "exit", None, id="exit ends the session"),
    ],
)
def test_universals(value: str | None, word: str, heard: str | None) -> None:
    field = "<help>helped</help><nomatch>no</nomatch><catch event='cancel'>cancelled</catch>"
    caller = asked(before="" if value is None else prop("universals", value), field=field).says(word)
    if heard is None:
        caller.is_done()
    else:
        caller.hears("?", heard)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("timeout", "soon", id="timeout"),
        pytest.param("timeout", "-1s", id="a negative time"),
        pytest.param("interdigittimeout", "5 minutes", id="interdigittimeout"),
        pytest.param("bargein", "perhaps", id="bargein"),
        pytest.param("termchar", "12", id="termchar is one key"),
        pytest.param("termchar", "x", id="termchar is a key"),
        pytest.param("inputmodes", "smell", id="inputmodes"),
        pytest.param("confidencelevel", "high", id="confidencelevel is a number"),
        pytest.param("confidencelevel", "", id="confidencelevel is not empty"),
        pytest.param("confidencelevel", "1.5", id="confidencelevel is at most one"),
        pytest.param("sensitivity", "nan", id="sensitivity"),
        pytest.param("fetchtimeout", "never", id="fetchtimeout"),
    ],
)
def test_bad_values(name: str, value: str) -> None:
    """§6.3: error.semantic for an illegal value of a property that is known."""
    field = "<grammar src='x'/>" if name == "fetchtimeout" else ""
    asked(before=prop(name, value), field=field).is_done("error.semantic")


@pytest.mark.parametrize("value", ["many", "", "0", "-1"])
def test_maxnbest_is_a_number_from_one(value: str) -> None:
    asked(before=prop("maxnbest", value)).says("yes").is_done("error.semantic")


AGES = prop("{0}maxage", "60") + prop("{0}maxstale", "30") + prop("fetchtimeout", "4s")
FETCHES = {
    "document": ("", "<block><goto next='x'/></block>"),
    "script": ("", "<script src='x'/>"),
    "grammar": ("", "<field name='g'><grammar src='x'/></field>"),
    "data": ("", "<data name='d' src='x'/>"),
}


@pytest.mark.parametrize("place", ["document", "form"])
@pytest.mark.parametrize("kind", FETCHES)
def test_fetch_properties(kind: str, place: str) -> None:
    """§6.3.5, 2.1 §5."""
    ages, content = AGES.format(kind), FETCHES[kind][1]
    body = f"{ages}<form>{content}</form>" if place == "document" else f"<form>{ages}{content}</form>"
    fetch = Caller({START: document(body), "http://app/x": "x"}).fetched[1]
    assert (fetch.kind, fetch.max_age, fetch.max_stale, fetch.timeout) == (kind, 60.0, 30.0, 4.0)


@pytest.mark.parametrize("kind", FETCHES)
def test_fetches_without_properties(kind: str) -> None:
    fetch = Caller({START: document(f"<form>{FETCHES[kind][1]}</form>"), "http://app/x": "x"}).fetched[1]
    assert (fetch.max_age, fetch.max_stale, fetch.timeout, fetch.waiting) == (None, None, 15.0, None)


@pytest.mark.parametrize("content", ["<block>{}</block>", "<block><prompt>{}</prompt></block>"])
def test_audio_properties(content: str) -> None:
    """§6.3.5, and §6.1.1: the element's attributes outrank them."""
    audio = content.format("<audio src='a.wav'/><audio src='b.wav' maxage='1' maxstale='2' fetchtimeout='3s'/>")
    caller = Caller({START: document(f"<form>{AGES.format('audio')}{audio}</form>")})
    found = [segment for prompt in caller.prompts for segment in prompt.segments]
    assert found == [Audio("http://app/a.wav", (), 4.0, 60.0, 30.0), Audio("http://app/b.wav", (), 3.0, 1.0, 2.0)]


def test_the_application_root_is_fetched_with_the_leafs_properties() -> None:
    leaf = f"<vxml version='2.1' application='root'>{AGES.format('document')}<form><block>x</block></form></vxml>"
    fetch = Caller({START: leaf, "http://app/root": document("")}).fetched[1]
    assert (fetch.url, fetch.max_age, fetch.max_stale, fetch.timeout) == ("http://app/root", 60.0, 30.0, 4.0)


def test_fetchaudio_properties() -> None:
    """§6.1.1, §6.3.5."""
    properties = prop("fetchaudio", "wait.wav") + prop("fetchaudiodelay", "1s") + prop("fetchaudiominimum", "3s")
    body = f"{properties}<form><block><goto next='x'/></block></form>"
    waiting = Caller({START: document(body), "http://app/x": document("<form/>")}).fetched[1].waiting
    assert waiting is not None
    assert (waiting.url, waiting.delay, waiting.minimum) == ("http://app/wait.wav", 1.0, 3.0)
