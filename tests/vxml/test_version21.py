"""What VoiceXML 2.1 added: <data>, <foreach>, <mark>, dynamic sources, <disconnect namelist>; and <subdialog> (2.0 §2.3.4)."""

from __future__ import annotations

import pytest

from tests.vxml.caller import Caller, document
from tests.vxml.cases import Case, ask, form, grammar, params, says
from vxml import Audio as AudioSegment
from vxml import Digits, Disconnect, Mark, Record, Recorded, Transfer, TransferFailed, Transferred

QUOTE = '<?xml version="1.0"?><q a="1"><price>32.5</price><price>7</price><!-- c --><name>x &amp; y</name></q>'
DATA = "<data name='d' src='quote'/>"
LIST = "<var name='list' expr='[1, 2, 3]'/>"
RETURNS = form("<var name='r' expr=\"'answer'\"/><block><return namelist='r'/></block>")


def sub(body: str = "", attributes: str = "src='sub'") -> str:
    return form(f"<subdialog name='s' {attributes}>{body}</subdialog>", says("{s.r}"))


@pytest.mark.parametrize(
    "case",
    params(
        # 2.1 §5
        Case("2.1 5 the document element", DATA + form(says("{d.documentElement.nodeName}")), "q", pages={"quote": QUOTE}),
        Case("2.1 5 text and attributes", DATA + form(says("{d.documentElement.getAttribute('a')}"
             " {d.getElementsByTagName('price').item(1).firstChild.data}")), "1 7", pages={"quote": QUOTE}),
        Case("2.1 5 children and siblings", DATA + form(says("{d.documentElement.childNodes.length}"
             " {d.documentElement.lastChild.firstChild.nodeValue}")), "4 x & y", pages={"quote": QUOTE}),
        Case("2.1 5 the tree is read-only", DATA + form("<block><script>d.documentElement.firstChild.firstChild.data = 'z';"
             "</script></block>", says("{d.documentElement.firstChild.firstChild.data}")), "32.5", pages={"quote": QUOTE}),
        Case("2.1 5 a document that is not well-formed", DATA + form(says("x")), "", ends="error.badfetch",
             pages={"quote": "<?xml version='1.0'?><q>"}),
        Case("2.1 5 a document that is not there", DATA + form(says("x")), "", ends="error.badfetch.http.404",
             pages={"quote": 404}),
        Case("2.1 5 data in executable content assigns a declared variable",
             form("<var name='d'/><block>" + DATA + "</block>", says("{d.documentElement.nodeName}")), "q",
             pages={"quote": QUOTE}),
        Case("2.1 5 srcexpr", "<data name='d' srcexpr=\"'quo' + 'te'\"/>" + form(says("{d.documentElement.nodeName}")), "q",
             pages={"quote": QUOTE}),
        Case("2.1 5 without a name it is only sent", "<data src='quote'/>" + form(says("on")), "on", pages={"quote": QUOTE}),
        # 2.1 §10
        Case("2.1 10 foreach in executable content",
             form(LIST, "<block><foreach item='i' array='list'><prompt><value expr='i'/></prompt></foreach></block>"),
             "1 2 3"),
        Case("2.1 10 foreach in a prompt", form(LIST, "<block><prompt>a<foreach item='i' array='list'><value expr='i'/>"
             "</foreach>b</prompt></block>"), "a123b"),
        Case("2.1 10 the array is copied first", form(LIST, "<block><foreach item='i' array='list'>"
             "<script>list.push(9);</script><prompt><value expr='i'/></prompt></foreach></block>"), "1 2 3"),
        Case("2.1 10 what is no array", form("<block><foreach item='i' array='5'>x</foreach></block>"), "",
             ends="error.semantic"),
        Case("2.1 10 a break out of it by goto", form(LIST, "<block><foreach item='i' array='list'><if cond='i==2'>"
             "<goto next='#z'/></if><prompt><value expr='i'/></prompt></foreach></block>") + form(says("z"), identifier="z"),
             "1 z"),
        # 2.1 §2, §3, §4: dynamic sources
        Case("2.1 4 script srcexpr", "<script srcexpr=\"'co' + 'de'\"/>" + form(says("{v}")), "9",
             pages={"code": "var v = 9; // <?xml"}),
        Case("2.1 2 grammar srcexpr", form("<var name='g' expr=\"'g'\"/>", "<field name='a'><prompt>A</prompt>"
             "<grammar srcexpr='g' type='application/srgs+xml'/></field>", says("{a}")), "A 42", "42", pages={"g":
             '<?xml version="1.0"?>' + grammar("<item>4 2</item>")}),
        Case("2.1 3 audio expr", form("<block><audio expr=\"'a' + '.wav'\"/></block>"), "[http://app/a.wav]"),
        Case("2.0 4.1.3 an audio expr that is undefined is passed over", form("<var name='u'/><block><prompt>a"
             "<audio expr='u'>alternative</audio>b</prompt></block>"), "ab"),
        # 2.0 §2.3.4
        Case("2.3.4 a subdialog returns its namelist", sub(), "answer", pages={"sub": RETURNS}),
        Case("2.3.4 a subdialog in the same document", sub(attributes="src='#sub'") + form(
             "<var name='r' expr='5'/><block><return namelist='r'/></block>", identifier="sub"), "5"),
        Case("2.3.4 srcexpr", sub(attributes="srcexpr=\"'s' + 'ub'\""), "answer", pages={"sub": RETURNS}),
        Case("2.3.4 parameters initialise its variables", sub("<param name='r' expr='1+1'/>"), "2", pages={"sub":
             form("<var name='r' expr='0'/><block><return namelist='r'/></block>")}),
        Case("2.3.4 a parameter that it does not declare", sub("<param name='other' expr='1'/>"), "", ends="error.semantic",
             pages={"sub": RETURNS}),
        Case("2.3.4 it does not see its caller's variables", "<var name='mine' expr='1'/>" + sub(), "undefined",
             pages={"sub": form("<var name='r' expr='typeof mine'/><block><return namelist='r'/></block>")}),
        Case("2.3.4 its changes do not reach its caller", "<var name='r' expr='1'/>" + form(
             "<subdialog name='s' src='sub'/>", says("{r}")), "1",
             pages={"sub": form("<var name='r' expr='2'/><block><return/></block>")}),
        Case("2.3.4 a returned event is thrown at the subdialog",
             sub("<catch event='com.x'><prompt>caught <value expr='_message'/></prompt><exit/></catch>"), "caught m",
             pages={"sub": form("<block><return event='com.x' message='m'/></block>")}),
        Case("2.3.4 an event that it does not catch ends it there", sub("<catch event='com.x'>no</catch>"), "",
             ends="com.x", pages={"sub": form("<block><throw event='com.x'/></block>")}),
        Case("2.3.4 filled of a subdialog", form("<subdialog name='s' src='sub'><filled><prompt><value expr='s.r'/></prompt>"
             "</filled></subdialog>"), "answer", pages={"sub": RETURNS}),
        Case("2.3.4 it asks by itself", sub(), "A 3", "3", pages={"sub": form(ask("a"), "<var name='r' expr='0'/>",
             "<block><assign name='r' expr='a'/><return namelist='r'/></block>")}),
        Case("2.3.4 a link outside does not reach in", f"<link next='#z'>{grammar('<item>9</item>')}</link>" + sub()
             + form(says("z"), identifier="z"), "A no A answer", "9 1", pages={"sub": form(ask("a", "boolean",
             inside="<nomatch>no<reprompt/></nomatch>"), "<var name='r' expr=\"'answer'\"/><block><return namelist='r'/>"
             "</block>")}),
        Case("2.3.4 exit in it ends all", sub(), "", pages={"sub": form("<block><exit/></block>")}),
        Case("2.3.4 subdialogs without end are stopped", sub(), "", ends="error.semantic", pages={"sub": sub()}),
    ),
)  # fmt: skip
def test_version21(case: Case) -> None:
    case.run()


def caller(body: str) -> Caller:
    return Caller({"http://app/start": document(body)})


RECORD = form(
    "<record name='m' beep='true' maxtime='8s' finalsilence='2s' dtmfterm='true' type='audio/x-wav'>"
    "<prompt timeout='7s'>speak</prompt><noinput>hm<reprompt/></noinput>"
    + grammar("<item>0</item><tag>out = 'operator'</tag>")
    + "<filled><prompt><value expr='m$.duration'/> <value expr='m$.size'/> <value expr='m$.termchar'/> "
    "<value expr='m$.maxtime'/> <audio expr='m'/></prompt></filled></record>"
)


def test_a_record_asks_and_fills() -> None:
    call = caller(RECORD)
    action = call.action
    assert isinstance(action, Record)
    assert (action.beep, action.max_time, action.final_silence, action.timeout) == (True, 8.0, 2.0, 7.0)
    assert (action.any_key, action.content_type) == (True, "audio/x-wav")
    call.hears("speak").answers(Recorded("ref:1", 2.5, 40_000, "#")).hears("2500 40000 # false", "[ref:1]").is_done()


def test_a_record_that_times_out_says_so() -> None:
    call = caller(RECORD).answers(Recorded("ref:1", 8.0, 40_000, None, reached_max_time=True))
    call.hears("speak", "8000 40000 undefined true", "[ref:1]").is_done()


def test_a_record_of_nothing_is_asked_again() -> None:
    call = caller(RECORD).hears("speak").silent().hears("hm", "speak")
    call.answers(Recorded("", 0.0, 0)).hears("speak")


def test_a_hang_up_in_a_recording_keeps_it() -> None:
    body = "<catch event='connection.disconnect'><log expr='typeof m + m$.duration'/></catch>" + RECORD
    call = caller(body.replace("<filled>", "<filled><var name='m' expr='0'/>").replace("typeof m +", ""))
    call.answers(Recorded("ref:1", 2.5, 40_000, hung_up=True))
    assert call.ended is not None


def test_an_unknown_recording_type() -> None:
    caller(form("<record name='m' type='audio/mp3'/>")).is_done("error.unsupported.format")


def transfer(attributes: str, inside: str = "") -> str:
    return form(f"<transfer name='t' dest='tel:+12125550100' {attributes}>{inside}<filled><prompt><value expr='t'/> "
                "<value expr='t$.duration'/></prompt></filled></transfer>")  # fmt: skip


@pytest.mark.parametrize("outcome", ["busy", "noanswer", "network_busy", "far_end_disconnect", "maxtime_disconnect"])
def test_a_bridged_transfer_is_filled_by_its_outcome(outcome: str) -> None:
    call = caller(transfer("bridge='true' connecttimeout='9s' maxtime='60s'"))
    assert isinstance(call.action, Transfer)
    assert (call.action.kind, call.action.connect_timeout, call.action.max_time) == ("bridge", 9.0, 60.0)
    call.answers(Transferred(outcome, 3.0)).hears(f"{outcome} 3").is_done()


def test_a_blind_transfer_disconnects() -> None:
    body = "<catch event='connection.disconnect.transfer'><log>gone</log></catch>" + transfer("bridge='false'")
    call = caller(body).answers(Transferred("")).is_done()
    assert call.logged == [("", "gone")]


def test_near_end_disconnect_has_the_utterance() -> None:
    body = transfer("type='bridge'", grammar("<item>*</item>")).replace("t$.duration", "t$.utterance")
    caller(body).answers(Transferred("near_end_disconnect", 3.0, keyed="*")).hears("near_end_disconnect *").is_done()


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ("type='bridge' bridge='true'", "error.badfetch"),
        ("type='magic'", "error.unsupported.transfer.magic"),
        ("aai='1' aaiexpr='2'", "error.badfetch"),
    ],
)
def test_transfers_that_cannot_be(attributes: str, error: str) -> None:
    caller(transfer(attributes)).is_done(error)


def test_a_destination_that_is_no_telephone() -> None:
    caller(transfer("").replace("tel:+12125550100", "mailto:x@example")).is_done("error.unsupported.uri")


def test_a_failed_transfer_throws() -> None:
    body = "<catch event='error.connection.noroute'><log>no way</log><exit/></catch>" + transfer("bridge='true'")
    assert caller(body).answers(TransferFailed("error.connection.noroute")).is_done().logged == [("", "no way")]


def test_marks_are_told_with_the_input() -> None:
    body = form(ask("a"), says("{a$.markname} {a$.marktime} {application.lastresult$.markname}"))
    caller(body).hears("A").answers(Digits("5", Mark("here", 1.5))).hears("here 1500 here").is_done()


def test_disconnect_hands_values_to_the_host() -> None:
    call = Caller(
        {"http://app/start": document(form("<var name='v' expr='4'/><block><disconnect namelist='v'/></block>"))}
    )
    assert [one.values for one in call.asked if isinstance(one, Disconnect)] == [{"v": 4}]


def test_exit_hands_values_to_the_host() -> None:
    call = caller(form("<var name='v' expr='4'/><block><exit namelist='v'/></block>"))
    assert call.ended is not None
    assert call.ended.values == {"v": 4}
    call = caller(form("<block><exit expr=\"'x'\"/></block>"))
    assert call.ended is not None
    assert call.ended.values == {"": "x"}


def test_audio_has_its_fallback() -> None:
    call = caller(form("<block><prompt><audio src='a.wav'>one<audio src='b.wav'>two</audio></audio></prompt></block>"))
    (prompt,) = call.prompts
    (audio,) = prompt.segments
    assert isinstance(audio, AudioSegment)
    assert [type(one).__name__ for one in audio.fallback] == ["Speech", "Audio"]
