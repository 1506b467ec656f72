"""Clauses on which interpreters differ: where errors of a transition are caught, whose counters count, which prompts
are heard again, what becomes undefined (VoiceXML 2.0 §1.5.2, §4.1, §5.1.5, §5.2, Appendix C)."""

from __future__ import annotations

import pytest

from tests.vxml.caller import Caller, document
from tests.vxml.cases import Case, ask, form, grammar, params, says
from vxml import Digits, Record, Recorded, Transfer, Transferred

PAGE = '<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" {attributes}>{body}</vxml>'
BADFETCH = "<catch event='error.badfetch'>bad<exit/></catch>"
SEMANTIC = "<catch event='error.semantic'>semantic<exit/></catch>"


def leaf(body: str, root: str = "root") -> str:
    return PAGE.format(attributes=f"application='{root}'", body=body)


TO_LEAF = form("<block><goto next='leaf'/></block>")
GO = form(says("go"), identifier="go")


@pytest.mark.parametrize(
    "case",
    params(
        # 5.3.7, 1.5.2: errors of a transition are caught where it was asked for
        Case("5.3.7 a dialog of this document that is not there is caught",
             BADFETCH + form("<block><goto next='#nowhere'/></block>"), "bad"),
        Case("5.3.7 a dialog of another document that is not there is caught",
             BADFETCH + form("<block><goto next='other#nowhere'/></block>"), "bad", pages={"other": form(says("no"))}),
        Case("5.3.8 a dialog that a submit names", BADFETCH + form("<block><submit next='other#nowhere'/></block>"), "bad",
             pages={"other": form(says("no"))}),
        Case("2.3.4 a subdialog that is not there is caught by its caller",
             form("<subdialog name='s' src='#nowhere'>" + BADFETCH + "</subdialog>"), "bad"),
        Case("2.2.2 a choice's dialog that is not there", f"<menu>{BADFETCH}m<choice dtmf='1' next='#x'>a</choice></menu>",
             "m bad", "1"),
        Case("5.3.7 an item that is not there is an event of the dialog", form(
             BADFETCH.replace("bad<", "dialog<"), "<block><goto nextitem='nowhere'/></block>"), "dialog"),
        Case("1.5.2 an application root that is not there is caught", BADFETCH + TO_LEAF, "bad",
             pages={"leaf": leaf(form(says("no"))), "root": 404}),
        Case("1.5.2 an application root with a root of its own", SEMANTIC + TO_LEAF, "semantic",
             pages={"leaf": leaf(form(says("no"))), "root": leaf(form(), "other")}),
        Case("5.2 an error in a document's variables is caught by the document",
             SEMANTIC + "<var name='x' expr='nowhere'/>" + form(says("no")), "semantic"),
        Case("5.2 and by its application root", TO_LEAF, "root caught",
             pages={"leaf": leaf("<script>nowhere()</script>" + form(says("no"))),
                    "root": PAGE.format(attributes="", body="<catch>root caught<exit/></catch>")}),
        Case("5.2 an error in a dialog's variables", form("<var name='x' expr='nowhere'/>", SEMANTIC, says("no")), "semantic"),
        # 5.2.4: as if by copy
        Case("5.2.4 what a handler throws is looked for from the item outwards",
             "<noinput><throw event='com.x'/></noinput>"
             + form(ask("a", inside="<catch event='com.x'>field<exit/></catch>")), "A field", "_"),
        Case("5.2.2 a handler's own event goes to its next count",
             form("<catch event='com.x'>one<throw event='com.x'/></catch><catch event='com.x' count='2'>two<exit/></catch>",
                  "<block><throw event='com.x'/></block>"), "one two"),
        Case("5.2.4 URLs in a root's handler are the active document's",
             form("<block><goto next='dir/leaf'/></block>"), "right",
             pages={"dir/leaf": leaf(form("<block><throw event='com.x'/></block>"), "../root"),
                    "root": PAGE.format(attributes="", body="<catch event='com.x'><goto next='next'/></catch>"),
                    "next": form(says("wrong")), "dir/next": form(says("right"))}),
        Case("2.5 URLs in a root's link are the root's", form("<block><goto next='dir/leaf'/></block>"), "A right", "9",
             pages={"dir/leaf": leaf(form(ask("a", "boolean")), "../root"),
                    "root": PAGE.format(attributes="", body=f"<link next='next'>{grammar('<item>9</item>')}</link>"),
                    "next": form(says("right")), "dir/next": form(says("wrong"))}),
        Case("5.2.4 a handler's cond that fails is an error itself",
             "<catch event='com.x' cond='nowhere'>no</catch>" + SEMANTIC + form("<block><throw event='com.x'/></block>"),
             "semantic"),
        # 5.2.2: whose counters, whose handlers
        Case("5.2.2 an event of the form's filled is the form's, not the item's",
             form(ask("a", inside="<catch event='com.x'>item<exit/></catch>"), "<catch event='com.x'>form<exit/></catch>",
                  "<filled><throw event='com.x'/></filled>"), "A form", "1"),
        Case("5.2.2 an event of an item's filled is the item's, though another item was asked for",
             form(grammar("<item>0 0</item><tag>out.b='z'</tag>"), ask("a"),
                  ask("b", inside="<catch event='com.x'>b<exit/></catch><filled><throw event='com.x'/></filled>")),
             "A b", "00"),
        Case("5.2.2 the form counts its own events",
             form(ask("a"), "<catch event='com.x'>1<clear/></catch><catch event='com.x' count='2'>2<exit/></catch>",
                  "<filled><throw event='com.x'/></filled>"), "A 1 2", "5 5"),
        Case("5.2.5 maxspeechtimeout and what is below help and noinput are asked again by default",
             form("<block name='b'><throw event='maxspeechtimeout'/></block>",
                  "<block><throw event='help.me'/></block>", says("on")), "on"),
        Case("5.2.2 no message is undefined",
             "<catch event='com.x'><prompt><value expr='typeof _message'/></prompt><exit/></catch>"
             + form("<block><throw event='com.x'/></block>"), "undefined"),
        # Appendix C: prompts after a handler
        Case("C a block after a handler without reprompt: the next item is asked",
             form("<block><throw event='com.x'/></block>", says("b"), ask("c"), "<catch event='com.x'>x</catch>"),
             "x b C", "1"),
        Case("5.3.6 a goto nextitem in a handler, without reprompt, is silent",
             form(ask("a", inside="<noinput>hm<goto nextitem='b'/></noinput>"), ask("b"), "<filled><exit/></filled>"),
             "A hm A", "_ 1 1"),
        Case("4.1.6 bare text has the count 1",
             form("<field name='a' type='digits?length=1'>one<prompt count='2'>two</prompt>"
                  "<noinput><reprompt/></noinput></field>"), "one two", "_ 1"),
        # 2.2.4
        Case("2.2.4 enumerate where nothing is to be chosen", form("<block><enumerate/></block>"), "", ends="error.semantic"),
        Case("2.2.4 enumerate in a field without options", form("<field name='a' type='digits'><enumerate/></field>"), "",
             ends="error.semantic"),
        Case("2.2.4 enumerate within enumerate", "<menu><enumerate><enumerate/></enumerate><choice dtmf='1' next='#go'>a"
             "</choice></menu>" + GO, "", ends="error.semantic"),
        Case("2.2.4 _dtmf has one blank between keys", "<menu><enumerate><value expr='_dtmf'/></enumerate>"
             "<choice dtmf='12' next='#go'>a</choice></menu>" + GO, "1 2 go", "12"),
        # 5.1, 5.3.1
        Case("5.3.1 a second var without expr changes nothing", form("<var name='x' expr='1'/><var name='x'/>", says("{x}")),
             "1"),
        Case("5.1.5 lastresult$ is there, and undefined, before any input", form(says("{typeof lastresult$}")), "undefined"),
        Case("5.1.5 lastresult$ is undefined once the next input is waited for",
             form(ask("a"), ask("b", inside="<noinput><prompt><value expr='typeof application.lastresult$'/></prompt><exit/>"
                                "</noinput>")), "A B undefined", "1 _"),
        Case("5.1.5 what the application made of lastresult$ stays until then",
             form(ask("a", inside="<filled><assign name='application.lastresult$.confidence' expr='0.1'/></filled>"),
                  says("{application.lastresult$.confidence}")), "A 0.1", "1"),
        Case("2.3.1 two items of one name", form(ask("a"), ask("a")), "", ends="error.badfetch"),
        Case("5.3.10 what is returned undefined stays undefined",
             form("<subdialog name='s' src='#sub'/>", says("{typeof s.x} {typeof s.y}"))
             + form("<var name='x'/><var name='y' expr='null'/><block><return namelist='x y'/></block>", identifier="sub"),
             "undefined object"),
        Case("3.1.4 shadow variables of a form that was entered by its grammar",
             form(ask("a", "boolean")) + "<form scope='document'>" + grammar("<item>9</item><tag>out.b='nine'</tag>")
             + ask("b") + says("{b} {b$.utterance} {b$.inputmode}") + "</form>", "A nine 9 dtmf", "9"),
        Case("3.1.6.1 a field's slot of an inner object",
             form("<field name='a' slot='x.y'>" + grammar("<item>9</item><tag>out.x = new Object(); out.x.y = 'deep'</tag>")
                  + "</field>", says("{a}")), "deep", "9"),
        # 2.1 §10
        Case("2.1 10 foreach declares its item in the scope around it",
             form("<block><foreach item='i' array='[1, 2]'><var name='seen' expr='i'/></foreach>"
                  "<prompt><value expr='i'/><value expr='seen'/></prompt></block>"), "22"),
        Case("2.1 10 foreach sets a variable that is there", form("<var name='i' expr='7'/><block>"
             "<foreach item='i' array='[1, 2]'><log/></foreach></block>", says("{i}")), "2"),
        Case("2.1 10 foreach in foreach", form("<block><foreach item='i' array='[1, 2]'><foreach item='j' array='[3, 4]'>"
             "<prompt><value expr='10 * i + j'/></prompt></foreach></foreach></block>"), "13 14 23 24"),
    ),
)  # fmt: skip
def test_clauses(case: Case) -> None:
    case.run()


def caller(body: str) -> Caller:
    return Caller({"http://app/start": document(body)})


@pytest.mark.parametrize(
    ("before", "inside", "timeout"),
    [
        ("", "<prompt timeout='7s'>a</prompt><prompt timeout='2s'>b</prompt>", 2.0),
        ("", "<prompt timeout='7s'>a</prompt><prompt>b</prompt>", 5.0),
        ("<block><prompt timeout='7s'>a</prompt></block>", "", 7.0),
        ("<block><prompt timeout='7s'>a</prompt></block>", "b", 5.0),
        ("<block><prompt timeout='7s'/></block>", "", 7.0),
    ],
)
def test_the_last_prompt_that_was_queued_gives_the_timeout(before: str, inside: str, timeout: float) -> None:
    """VoiceXML 2.0 §4.1.7."""
    assert caller(form(f"{before}<field name='f' type='digits'>{inside}</field>")).waiting.timeout == timeout


def test_a_handlers_prompt_gives_the_timeout_too() -> None:
    call = caller(form(ask("a", inside="<noinput><prompt timeout='9s'>again</prompt></noinput>")))
    assert call.waiting.timeout == 5.0
    assert call.silent().waiting.timeout == 9.0
    assert call.silent().silent().waiting.timeout == 9.0


def test_prompts_tell_what_barges_in() -> None:
    """VoiceXML 2.0 §4.1.5.1: by the prompt's attribute, else by the property."""
    body = "<property name='bargeintype' value='hotword'/>" + form(
        "<field name='f' type='digits'><prompt>a</prompt><prompt bargeintype='speech'>b</prompt></field>"
    )
    assert [one.bargein_type for one in caller(body).prompts] == ["hotword", "speech"]


KEPT = "<record name='m' dtmfterm='{term}'>{grammar}<filled><log expr='m'/><log expr=\"typeof m$.termchar\"/></filled></record>"
LAST = "<block><log expr='application.lastresult$.utterance'/></block>"


def test_a_recording_that_its_own_grammar_ended_is_the_value() -> None:
    """VoiceXML 2.0 §2.3.6: what was recorded is the item's value, what was keyed application.lastresult$."""
    call = caller(form(KEPT.format(term="false", grammar=grammar("<item>0</item>")), LAST))
    call.answers(Recorded("ref:1", 2.0, 4000, "0")).is_done()
    assert [text for _, text in call.logged] == ["ref:1", "undefined", "0"]


def test_a_recording_that_any_key_ended() -> None:
    call = caller(form(KEPT.format(term="true", grammar=""), LAST)).answers(Recorded("ref:1", 2.0, 4000, "7")).is_done()
    assert [text for _, text in call.logged] == ["ref:1", "string", "7"]


def test_a_key_before_the_recording_leaves_the_item_unfilled() -> None:
    call = caller(form(KEPT.format(term="false", grammar=grammar("<item>0</item>")))).answers(Digits("0"))
    assert isinstance(call.action, Record)
    assert call.logged == []


def test_a_recording_that_a_link_ended_is_not_the_value() -> None:
    link = f"<link event='com.x'>{grammar('<item>9</item>')}</link>"
    body = link + form(
        "<record name='m' dtmfterm='false' modal='false'><catch event='com.x'><log expr='typeof m'/><exit/></catch></record>"
    )
    call = caller(body).answers(Recorded("ref:1", 2.0, 4000, "9")).is_done()
    assert call.logged == [("", "undefined")]


def test_what_ended_a_transfer_is_the_last_result() -> None:
    """VoiceXML 2.0 §2.3.7."""
    body = form(
        f"<transfer name='t' dest='tel:+12125550100' bridge='true'>{grammar('<item>*</item>')}</transfer>", LAST
    )
    call = caller(body)
    assert isinstance(call.action, Transfer)
    assert call.answers(Transferred("near_end_disconnect", 3.0, keyed="*")).is_done().logged == [("", "*")]


def test_an_empty_field_without_any_grammar_is_an_error_of_the_field() -> None:
    """VoiceXML 2.0 §3.1.4."""
    caller(form("<field name='a'><catch event='error.semantic'>none<exit/></catch></field>")).hears("none").is_done()
