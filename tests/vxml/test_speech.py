"""The voice paths, with recognition results as a recogniser would give them (VoiceXML 2.0 §2, §3, §5.1.5, §6.3.2, 2.1 §7)."""

from __future__ import annotations

import pytest

from tests.vxml.caller import Caller, document
from tests.vxml.cases import form, grammar, says
from vxml import Digits, Hypothesis, Listen, Mark, Recorded, Spoken, TooLong, Transfer, Transferred


def voice(*items: str, tag: str = "") -> str:
    """An inline grammar that takes one of these phrases."""
    choices = "".join(f"<item>{item}{tag}</item>" for item in items)
    return (
        '<grammar mode="voice" version="1.0" root="r" xmlns="http://www.w3.org/2001/06/grammar" xml:lang="en-US">'
        f'<rule id="r"><one-of>{choices}</one-of></rule></grammar>'
    )


def call(body: str, *, speech: bool = True, **pages: str) -> Caller:
    others: dict[str, str | bytes | int] = {f"http://app/{name}": page for name, page in pages.items()}
    return Caller({"http://app/start": document(body), **others}, speech=speech)


def field(inside: str = "", name: str = "city", attributes: str = "") -> str:
    return f'<field name="{name}" {attributes}><prompt>{name.upper()}</prompt>{voice("new york", "boston")}{inside}</field>'


ONE = form(says("one"), identifier="one")
TWO = form(says("two"), identifier="two")
NOMATCH = "<nomatch>no<reprompt/></nomatch>"


# --- fields ---


def test_a_field_is_filled_by_what_was_said() -> None:
    told = says("{city} {city$.utterance} {city$.inputmode} {city$.confidence} {city$.interpretation}")
    call(form(field(), told)).hears("CITY").utters("New York", 0.8).hears(
        "new york new york voice 0.8 new york"
    ).is_done()


def test_a_field_by_its_semantic_interpretation() -> None:
    """SISR 1.0; VoiceXML 2.0 §3.1.6.1: the property of the item's slot, else the whole."""
    tagged = voice("boston", tag="<tag>out.code = 'BOS'; out.state = 'MA'</tag>")
    body = form(f"<field name='a' slot='code'>{tagged}</field><field name='b'>{tagged}</field>", says("{a} {b.state}"))
    call(body).utters("boston").utters("boston").hears("BOS MA").is_done()


def test_keys_and_words_fit_one_field() -> None:
    body = form(field(grammar("<item>1</item><tag>out = 'by key'</tag>")), says("{city} {city$.inputmode}"))
    call(body).keys("1").hears("CITY", "by key dtmf").is_done()
    call(body).utters("boston").hears("CITY", "boston voice").is_done()


def test_a_builtin_type_is_listened_for() -> None:
    body = form("<field name='sure' type='boolean'/>", says("{typeof sure} {sure}"))
    call(body).utters("yes").hears("boolean true").is_done()


@pytest.mark.parametrize(("level", "heard"), [("0.5", "yes"), ("0.6", "yes"), ("0.61", "no"), ("0.0", "yes")])
def test_confidence_below_the_level_is_a_nomatch(level: str, heard: str) -> None:
    """VoiceXML 2.0 §6.3.2: rejected where the confidence is below the level."""
    body = form(
        field(
            f"<property name='confidencelevel' value='{level}'/><filled>yes<exit/></filled><nomatch>no<exit/></nomatch>"
        )
    )
    call(body).hears("CITY").utters("boston", 0.6).hears(heard).is_done()


def test_what_no_grammar_takes_is_a_nomatch_and_the_last_result() -> None:
    told = "<nomatch><prompt><value expr=\"application.lastresult$.utterance + ' ' + typeof city\"/></prompt><reprompt/></nomatch>"
    call(form(field(told))).hears("CITY").utters("xyzzy").hears("xyzzy undefined", "CITY").utters("boston").is_done()


def test_speech_beyond_maxspeechtimeout() -> None:
    """VoiceXML 2.0 §5.2.5, §6.3.2: an event of its own, asked again by default."""
    call(form(field("<catch event='maxspeechtimeout'>long<exit/></catch>"))).answers(TooLong()).hears("CITY", "long")
    call(form(field())).answers(TooLong()).hears("CITY", "CITY").utters("boston").is_done()


def test_silence_and_words_count_apart() -> None:
    body = form(
        field(
            "<noinput>hm<reprompt/></noinput><nomatch count='1'>1<reprompt/></nomatch><nomatch count='2'>2<exit/></nomatch>"
        )
    )
    call(body).utters("x").silent().utters("y").hears("CITY", "1", "CITY", "hm", "CITY", "2").is_done()


def test_where_nothing_recognises_keys_go_on() -> None:
    caller = call(form(field(grammar("<item>1</item>")), says("{city}")), speech=False)
    assert caller.waiting.listen is None
    caller.keys("1").hears("CITY", "1").is_done()
    call(form(field()), speech=False).is_done("error.noresource")


def test_inputmodes_turn_voice_off() -> None:
    """VoiceXML 2.0 §6.3.6."""
    caller = call(form("<property name='inputmodes' value='dtmf'/>", field(grammar("<item>1</item>"))))
    assert caller.waiting.listen is None


def test_the_recogniser_is_told_language_and_properties() -> None:
    properties = "".join(
        f"<property name='{name}' value='{value}'/>"
        for name, value in (("sensitivity", "0.7"), ("completetimeout", "2s"), ("bargeintype", "hotword"))
    )
    listen = call(form(properties, field())).waiting.listen
    assert isinstance(listen, Listen)
    assert (listen.language, len(listen.grammars)) == ("en-US", 1)
    assert [listen.properties[name] for name in ("sensitivity", "completetimeout", "incompletetimeout", "bargeintype")] == [
        "0.7", "2s", "1s", "hotword",
    ]  # fmt: skip


# --- n-best ---

NBEST = "<property name='maxnbest' value='{most}'/>"
LIST = "<filled><foreach item='one' array='application.lastresult$'><log expr='one.utterance + one.confidence'/></foreach></filled>"


@pytest.mark.parametrize(
    ("most", "logged"),
    [("1", ["boston0.8"]), ("2", ["boston0.8", "new york0.7"]), ("9", ["boston0.8", "new york0.7"])],
)
def test_n_best_are_what_fits_with_confidence_enough(most: str, logged: list[str]) -> None:
    """VoiceXML 2.0 §5.1.5, §6.3.2."""
    caller = call(form(NBEST.format(most=most), field(LIST)))
    others = (Hypothesis("austin", 0.75), Hypothesis("new york", 0.7), Hypothesis("new york", 0.3))
    caller.utters("boston", 0.8, *others).is_done()
    assert [text for _, text in caller.logged] == logged


def test_the_second_hypothesis_fills_where_the_first_fits_nothing() -> None:
    body = form(field(), says("{city} {city$.confidence} {application.lastresult$.length}"))
    call(body).utters("houston", 0.9, Hypothesis("boston", 0.6)).hears("CITY", "boston 0.6 1").is_done()


# --- mixed initiative ---

TRIP = voice("boston tomorrow", tag="<tag>out.city = 'boston'; out.day = 'tomorrow'</tag>")


def test_one_sentence_fills_several_items() -> None:
    body = form(TRIP, "<initial>start</initial>", field(), field(name="day"), says("{city} {day} {day$.confidence}"))
    call(body).utters("boston tomorrow", 0.7).hears("start", "boston tomorrow 0.7").is_done()


def test_a_form_is_entered_by_its_grammar_from_another() -> None:
    """VoiceXML 2.0 §3.1.4, Appendix C: that input is its first, with its shadow variables."""
    other = f"<form scope='document'>{TRIP}{field()}{field(name='day')}{says('{city$.utterance} {city$.confidence}')}</form>"
    call(form(field()) + other).utters("boston tomorrow", 0.7).hears("CITY", "boston tomorrow 0.7").is_done()


def test_a_modal_field_listens_for_its_own_words_only() -> None:
    body = form(TRIP, field(NOMATCH, attributes="modal='true'"))
    call(body).utters("boston tomorrow").hears("CITY", "no", "CITY").utters("boston").is_done()


# --- options, menus, links ---

OPTIONS = (
    "<field name='meal'><option value='f'>fresh fish</option><option>roast beef</option>"
    "<option accept='approximate' value='v'>vegetable stir fry</option>" + NOMATCH + "</field>"
)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("fresh fish", "f"),
        ("roast beef", "roast beef"),
        ("vegetable fry", "v"),
        ("fry", "v"),
        ("vegetable stir fry", "v"),
    ],
)
def test_options(said: str, value: str) -> None:
    """VoiceXML 2.0 §2.3.1.3."""
    call(form(OPTIONS, says("{meal} {meal$.utterance}"))).utters(said).hears(f"{value} {said}").is_done()


@pytest.mark.parametrize("said", ["fish", "fry vegetable", "vegetable soup", "roast"])
def test_what_is_no_option(said: str) -> None:
    call(form(OPTIONS)).utters(said).hears("no")


def menu(attributes: str = "", choice: str = "") -> str:
    return (
        f"<menu {attributes}><choice next='#one' {choice}>Stargazer astrophysics news</choice>"
        f"<choice next='#two'>sports</choice>{NOMATCH}</menu>{ONE}{TWO}"
    )


@pytest.mark.parametrize(
    ("attributes", "choice", "said", "heard"),
    [
        ("", "", "stargazer astrophysics news", "one"),
        ("", "", "astrophysics", "no"),
        ("accept='approximate'", "", "astrophysics", "one"),
        ("accept='approximate'", "", "stargazer news", "one"),
        ("accept='approximate'", "", "news stargazer", "no"),
        ("accept='approximate'", "accept='exact'", "astrophysics", "no"),
        ("", "accept='approximate'", "astrophysics news", "one"),
        ("", "", "sports", "two"),
    ],
)
def test_menus(attributes: str, choice: str, said: str, heard: str) -> None:
    """VoiceXML 2.0 §2.2.5."""
    call(menu(attributes, choice)).utters(said).hears(heard)


def test_a_choice_with_a_grammar_of_its_own() -> None:
    body = f"<menu><choice next='#one'>first{voice('number one')}</choice>{NOMATCH}</menu>{ONE}"
    call(body).utters("first").hears("no").utters("number one").hears("one").is_done()


LINK = f"<link next='#two'>{voice('operator')}</link>"


def test_a_link_is_followed_from_within_a_field() -> None:
    call(LINK + form(field()) + TWO).utters("operator").hears("CITY", "two").is_done()


def test_a_link_in_the_application_root() -> None:
    root = document(f"<link event='com.x'>{voice('operator')}</link>")
    body = form(
        field("<catch event='com.x'><prompt><value expr='application.lastresult$.utterance'/></prompt><exit/></catch>")
    )
    leaf = document(body).replace("<vxml ", "<vxml application='root' ")
    call(form("<block><goto next='leaf'/></block>"), leaf=leaf, root=root).utters("operator").hears("CITY", "operator")


def test_the_innermost_grammar_takes_what_several_do() -> None:
    """VoiceXML 2.0 §3.1.4."""
    body = f"<link next='#two'>{voice('boston')}</link>" + form(field(), says("{city}")) + TWO
    call(body).utters("boston").hears("CITY", "boston").is_done()


# --- universals, hot words ---


@pytest.mark.parametrize(
    ("property", "said", "heard"),
    [("all", "help", "h"), ("all", "cancel", "c"), ("all", "exit", "e"), ("help exit", "exit", "e"),
     ("help", "cancel", "n"), ("none", "help", "n")],
)  # fmt: skip
def test_universals(property: str, said: str, heard: str) -> None:
    """VoiceXML 2.0 §6.3.6."""
    handlers = "<help>h</help><catch event='cancel'>c</catch><catch event='exit'>e</catch><nomatch>n</nomatch>"
    call(form(f"<property name='universals' value='{property}'/>", field(handlers))).utters(said).hears("CITY", heard)


def test_universals_by_default() -> None:
    """VoiceXML 2.0 §5.2.5: help asks again, cancel does nothing, exit ends."""
    caller = call("<property name='universals' value='all'/>" + form(field()))
    caller.utters("help").hears("CITY", "CITY").utters("cancel").hears().utters("exit").is_done()


def test_a_modal_field_takes_no_universals() -> None:
    body = "<property name='universals' value='all'/>" + form(field(NOMATCH, attributes="modal='true'"))
    call(body).utters("help").hears("CITY", "no", "CITY")


def test_a_hot_word_is_what_matches_alone() -> None:
    """VoiceXML 2.0 §4.1.5.1: the host tells of no other; the prompt and the recogniser say so."""
    caller = call(
        form(f"<field name='a'><prompt bargeintype='hotword'>long</prompt>{voice('stop')}</field>", says("{a}"))
    )
    assert [one.bargein_type for one in caller.prompts] == ["hotword"]
    caller.hears("long").utters("stop").hears("stop").is_done()


def test_a_bridge_is_ended_by_a_hot_word() -> None:
    """VoiceXML 2.0 §2.3.7.2.2."""
    told = says("{t} {t$.utterance} {t$.inputmode} {application.lastresult$.inputmode}")
    caller = call(form(f"<transfer name='t' dest='tel:+12125550100' bridge='true'>{voice('hang up')}</transfer>", told))
    assert isinstance(caller.action, Transfer)
    assert caller.action.listen is not None
    caller.answers(Transferred("near_end_disconnect", 2.0, said="hang up"))
    caller.hears("near_end_disconnect hang up voice voice").is_done()


# --- marks, recorded utterances ---


def test_the_mark_before_the_words() -> None:
    """VoiceXML 2.1 §6."""
    told = says(
        "{city$.markname} {city$.marktime} {application.lastresult$.markname} {application.lastresult$[0].marktime}"
    )
    call(form(field(), told)).answers(Spoken((Hypothesis("boston", 0.9),), mark=Mark("here", 1.5))).hears(
        "CITY", "here 1500 here 1500"
    )


UTTERED = Recorded("ref:1", 1.25, 20_000)
TOLD = "<log expr='{where}.recording + {where}.recordingsize + {where}.recordingduration'/>"
RECORDS = "<property name='recordutterance' value='true'/>"


@pytest.mark.parametrize("where", ["city$", "application.lastresult$", "application.lastresult$[0]"])
def test_a_recorded_utterance(where: str) -> None:
    """VoiceXML 2.1 §7."""
    caller = call(form(RECORDS, field(f"<filled>{TOLD.format(where=where)}</filled>")))
    assert caller.waiting.listen is not None
    assert caller.waiting.listen.properties["recordutterance"] == "true"
    caller.answers(Spoken((Hypothesis("boston", 0.9),), recording=UTTERED)).is_done()
    assert caller.logged == [("", "ref:1200001250")]


def test_a_recorded_utterance_that_did_not_match() -> None:
    caller = call(form(RECORDS, field(f"<nomatch>{TOLD.format(where='application.lastresult$')}<exit/></nomatch>")))
    caller.answers(Spoken((Hypothesis("xyzzy", 0.9),), recording=UTTERED)).is_done()
    assert caller.logged == [("", "ref:1200001250")]


def test_an_utterance_is_played_and_sent() -> None:
    body = form(
        RECORDS,
        field("<filled><audio expr='city$.recording'/><assign name='said' expr='city$.recording'/>"
              "<submit next='/next' namelist='said' method='post' enctype='multipart/form-data'/></filled>"),
        "<var name='said'/>",
    )  # fmt: skip
    caller = call(body, next=document("<form/>")).answers(Spoken((Hypothesis("boston", 0.9),), recording=UTTERED))
    caller.hears("CITY", "[ref:1]").is_done()
    assert (caller.fetched[-1].form, caller.fetched[-1].multipart) == ((("said", "ref:1"),), True)


def test_utterances_in_a_format_that_is_not_known() -> None:
    """VoiceXML 2.1 §7."""
    properties = RECORDS + "<property name='recordutterancetype' value='audio/mp3'/>"
    call(form(properties, field())).is_done("error.unsupported.format")


def test_keys_leave_nothing_recorded() -> None:
    told = says("{typeof city$.recording}")
    call(form(RECORDS, field(grammar("<item>1</item>")), told)).answers(Digits("1")).hears(
        "CITY", "undefined"
    ).is_done()
