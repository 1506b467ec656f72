"""Whole dialogs, written as calls."""

from __future__ import annotations

import time

import pytest

from tests.vxml.caller import Caller, document
from vxml import Limits
from vxml.scopes import CPU_SECONDS

START = "http://app/start"


def call(body: str, **pages: str | int) -> Caller:
    """A call to an application whose start page holds ``body``; other pages are given by name."""
    others = {f"http://app/{name}": page if isinstance(page, int) else document(page) for name, page in pages.items()}
    return Caller({START: document(body), **others}, variables={"callerid": "+15551230000", "id": "7"})


PIN = """<form id="f"><field name="pin" type="digits?length=4"><prompt>Your pin</prompt>
<noinput>Nothing. <reprompt/></noinput><nomatch count="1">Wrong.<reprompt/></nomatch>
<filled>Thanks <value expr="pin"/>.<submit next="/next" namelist="pin" method="post"/></filled></field></form>"""


def test_a_block_speaks_and_the_session_ends() -> None:
    call("<form><block>Hello <value expr='1+1'/> all.</block></form>").hears("Hello", "2", "all.").is_done()


def test_a_prompt_joins_text_and_values() -> None:
    call("<form><block><prompt>Hello <value expr='1+1'/> all.</prompt></block></form>").hears("Hello 2 all.").is_done()


def test_a_field_is_filled_and_submitted() -> None:
    caller = call(PIN, next="<form><block>Good bye.</block></form>")
    caller.hears("Your pin").keys("1234").hears("Thanks", "1234", ".", "Good bye.").is_done()
    assert caller.fetched[-1].method == "POST"
    assert caller.fetched[-1].form == (("pin", "1234"),)


def test_noinput_and_nomatch_reprompt() -> None:
    caller = call(PIN, next="<form/>")
    caller.hears("Your pin").silent().hears("Nothing.", "Your pin")
    caller.keys("12#").hears("Wrong.", "Your pin").keys("4321").is_done()


def test_a_catch_without_reprompt_plays_no_prompt_again() -> None:
    call("<form><field name='x' type='boolean'><prompt>Yes?</prompt><noinput>Hm.</noinput></field></form>").hears(
        "Yes?"
    ).silent().hears("Hm.")


def test_prompts_taper_by_count() -> None:
    caller = call(
        "<form><field name='x' type='boolean'><prompt count='1'>One</prompt><prompt count='2'>Two</prompt>"
        "<noinput><reprompt/></noinput><noinput count='3'>Bye<exit/></noinput></field></form>"
    )
    caller.hears("One").silent().hears("Two").silent().hears("Two").silent().hears("Bye").is_done()


@pytest.mark.parametrize(("key", "value"), [("1", "true"), ("2", "false")])
def test_boolean(key: str, value: str) -> None:
    call(
        "<form><field name='x' type='boolean'><filled><prompt>"
        "<value expr='typeof x + x'/></prompt></filled></field></form>"
    ).keys(key).hears(f"boolean{value}").is_done()


def test_number_takes_a_decimal_point() -> None:
    call("<form><field name='x' type='number'><filled><value expr='x'/></filled></field></form>").keys("12*5#").hears(
        "12.5"
    ).is_done()


MENU = """<menu dtmf="true"><prompt>Choose. <enumerate/></prompt>
<choice next="#a">sales</choice><choice next="/other">support</choice><choice event="help">help</choice>
<help>No help. <reprompt/></help></menu>
<form id="a"><block>Sales.</block></form>"""


def test_a_menu_numbers_its_choices() -> None:
    caller = call(MENU, other="<form><block>Support.</block></form>")
    caller.hears("Choose. For sales, press 1. For support, press 2. For help, press 3.")
    caller.keys("2").hears("Support.").is_done()
    call(MENU).keys("1").hears("Choose. For sales, press 1. For support, press 2. For help, press 3.", "Sales.")


def test_a_choice_may_throw_an_event() -> None:
    caller = call(MENU)
    caller.heard.clear()
    caller.keys("3").hears("No help.", "Choose. For sales, press 1. For support, press 2. For help, press 3.")


GRAMMAR = """<form><field name="f"><grammar mode="dtmf" version="1.0" root="r"><rule id="r"><one-of>
<item>1 2 <tag>out = 'twelve';</tag></item><item repeat="2-3">5</item><item><ruleref uri="#s"/></item></one-of></rule>
<rule id="s">*<item repeat="0-1">#</item></rule></grammar><property name="termchar" value=""/>
<filled><value expr="f"/></filled><nomatch>no<exit/></nomatch></field></form>"""


@pytest.mark.parametrize(
    ("typed", "said"), [("12", "twelve"), ("55", "55"), ("555", "555"), ("*#", "*#"), ("*", "*"), ("5", "no")]
)
def test_srgs_xml(typed: str, said: str) -> None:
    call(GRAMMAR).keys(typed).hears(said).is_done()


def test_options() -> None:
    call(
        "<form><field name='f'><option dtmf='1' value='b'>bread</option><option dtmf='2'>milk</option>"
        "<filled><value expr='f + f$.utterance + f$.inputmode'/></filled></field></form>"
    ).keys("2").hears("milk2dtmf").is_done()


def test_if_elseif_else_and_assign() -> None:
    body = """<form><var name="n" expr="2"/><block><assign name="n" expr="n+1"/><if cond="n==1">one
<elseif cond="n==3"/>three<else/>many</if></block></form>"""
    call(body).hears("three").is_done()


def test_scripts_declare_into_their_scope() -> None:
    body = """<script>var a = 2; function twice(n) { return a * n; }</script>
<form><block><script>var b = twice(4);</script><value expr="b + document.a"/></block></form>"""
    call(body).hears("10").is_done()


def test_a_script_is_fetched() -> None:
    caller = Caller(
        {START: document("<script src='/s.js'/><form><block><value expr='f()'/></block></form>"),
         "http://app/s.js": "function f() { return 'hi'; }"}
    )  # fmt: skip
    caller.hears("hi").is_done()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("<value expr='nothing'/>", "error.semantic"),
        ("<assign name='nothing' expr='1'/>", "error.semantic"),
        ("<assign name='session.callerid' expr='1'/>", "error.semantic"),
        ("<var name='1x'/>", "error.semantic"),
        ("<goto next='#nowhere'/>", "error.badfetch"),
        ("<goto next='/gone'/>", "error.badfetch.http.404"),
        ("<goto next='http://other/'/>", "error.badfetch"),
        ("<goto/>", "error.badfetch"),
        ("<goto next='http://['/>", "error.badfetch"),
        ("<goto next='/broken'/>", "error.badfetch"),
        ("<throw event='my.own'/>", "my.own"),
        ("<record name='r'/>", "error.semantic"),
        ("<transfer name='t' dest='tel:+1'/>", "error.semantic"),
        ("<goto next='#a' expr='1'/>", "error.badfetch"),
        ("<script>while (true) {}</script>", "error.semantic"),
        ("<script>new Array(1e9).fill(0)</script>", "error.semantic"),
        ("<value expr='a.b.c('/>", "error.semantic"),
    ],
)
def test_uncaught_errors_end_the_session_and_name_themselves(content: str, error: str) -> None:
    body = f"<form><block>{content}</block></form>"
    pages = {START: document(body), "http://app/gone": 404, "http://app/broken": "<vxml version='2.1'><form>"}
    assert Caller(pages).is_done(error).ended is not None


def test_an_error_is_caught_by_prefix_with_its_message() -> None:
    call(
        "<catch event='error'><value expr='_event'/><exit/></catch><form><block><goto next='/gone'/></block></form>",
        gone=500,
    ).hears("error.badfetch.http.500").is_done()


def test_a_handler_in_the_form_outranks_the_documents() -> None:
    call(
        "<catch event='x'>outer<exit/></catch><form><catch event='x'>inner<rethrow/></catch>"
        "<block><throw event='x'/></block></form>"
    ).hears("inner", "outer").is_done()


def test_a_hangup_is_caught_and_final_processing_submits() -> None:
    caller = call(
        "<catch event='connection.disconnect.hangup'><submit next='/bye'/></catch>"
        "<form><field name='x' type='digits'><prompt>Hm?</prompt></field></form>",
        bye="<form><block>Too late<log label='l'>bye</log></block></form>",
    )
    caller.hangs_up().is_done()
    assert caller.fetched[-1].url == "http://app/bye"
    assert caller.logged == [("l", "bye")]


def test_disconnect_plays_what_is_queued_first() -> None:
    call("<form><block>Bye.<disconnect/></block></form>").hears("Bye.", "<hangup>").is_done()


def test_goto_item_and_clear() -> None:
    body = """<form><block name="a">A<goto nextitem="c"/></block><block name="b">B<exit/></block>
<block name="c">C<clear namelist="b"/><goto nextitem="b"/></block></form>"""
    call(body).hears("A", "C", "B").is_done()


def test_a_root_documents_variables_live_from_leaf_to_leaf() -> None:
    root = "<var name='n' expr='1'/><catch event='up'>caught<exit/></catch>"
    leaf = '<vxml version="2.1" application="/root"><form><block>{}</block></form></vxml>'
    pages = {
        START: leaf.format("<assign name='application.n' expr='n+1'/><goto next='/two'/>"),
        "http://app/two": leaf.format("<value expr='n'/><throw event='up'/>"),
        "http://app/root": document(root),
    }
    caller = Caller(pages)
    caller.hears("2", "caught").is_done()
    assert [one.url for one in caller.fetched].count("http://app/root") == 1


def test_filled_of_a_form_waits_for_all_its_fields() -> None:
    body = """<form><field name="a" type="digits?length=1"/><field name="b" type="digits?length=1"/>
<filled mode="all" namelist="a b"><value expr="a+b"/></filled></form>"""
    call(body).keys("1").keys("2").hears("12").is_done()


def test_lastresult() -> None:
    call(
        "<form><field name='a' type='digits?length=2'><filled>"
        "<value expr='application.lastresult$.utterance + application.lastresult$[0].inputmode'/></filled></field></form>"
    ).keys("42").hears("42dtmf").is_done()


def test_audio_carries_its_alternative() -> None:
    caller = call("<form><field name='x' type='digits'><prompt><audio src='a.wav'>else</audio></prompt></field></form>")
    segment = caller.waiting.prompts[0].segments[0]
    assert segment.url == "http://app/a.wav"  # type: ignore[union-attr]
    assert "else" in segment.fallback[0].ssml  # type: ignore[union-attr]


def test_a_loop_without_input_is_stopped() -> None:
    body = "<form id='a'><block><goto next='#a'/></block></form>"
    Caller({START: document(body)}, limits=Limits(steps=50)).is_done("error.voxgate.loop")


def test_scripts_that_never_end_are_stopped_for_good_though_a_handler_catches_each() -> None:
    """A session holds up all others while its script runs."""
    body = (
        "<catch event='error.semantic'><goto next='#f'/></catch>"
        "<form id='f'><block><script>while (1) {}</script></block></form>"
    )
    began = time.thread_time()
    Caller({START: document(body)}, limits=Limits(script_seconds=0.5)).is_done("error.voxgate.loop")
    assert time.thread_time() - began < 2 * CPU_SECONDS


def test_documents_that_go_on_for_ever_are_stopped() -> None:
    body = "<form><block><goto next='/start'/></block></form>"
    Caller({START: document(body)}, limits=Limits(documents=20)).is_done("error.voxgate.loop")


@pytest.mark.parametrize(
    "page",
    [
        "",
        "not xml",
        "<html/>",
        "<vxml version='2.1'><form><nonsense/></form></vxml>",
        "<vxml version='1.0'><form/></vxml>",
        "<vxml version='2.1'>" + "<form>" * 500 + "</form>" * 500 + "</vxml>",
        "<!DOCTYPE v [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><vxml version='2.1'><form><block>&b;</block></form></vxml>",
        b"\xff\xfe\x00",
        b"<vxml version='2.1'>" + b"x" * (5 * 1024 * 1024),
    ],
)
def test_what_is_no_document_is_a_badfetch(page: str | bytes) -> None:
    Caller({START: page}).is_done("error.badfetch")
