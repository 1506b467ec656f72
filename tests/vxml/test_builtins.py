"""The builtin grammars by keys and by voice, the form of their results, and their parameters (VoiceXML 2.0 Appendix P)."""

from __future__ import annotations

import pytest

from tests.vxml.caller import Caller, document

ANSWER = (
    "<form><field name='f'{}><prompt>?</prompt>{}<nomatch>no match<exit/></nomatch>"
    "<filled><value expr=\"typeof f + ' ' + f\"/></filled></field></form>"
)


def ask(kind: str) -> Caller:
    return Caller({"http://app/start": document(ANSWER.format(f" type='{kind}'", ""))}, speech=True)


def _answered(caller: Caller, result: str | None) -> None:
    caller.hears("?", "no match" if result is None else result).is_done()


@pytest.mark.parametrize(
    ("kind", "keys", "result"),
    [
        pytest.param("boolean", "1", "boolean true", id="boolean 1 is yes"),
        pytest.param("boolean", "2", "boolean false", id="boolean 2 is no"),
        pytest.param("boolean", "3", None, id="boolean has no third key"),
        pytest.param("boolean?y=7;n=9", "7", "boolean true", id="boolean y"),
        pytest.param("boolean?y=7;n=9", "9", "boolean false", id="boolean n"),
        pytest.param("boolean?y=7;n=9", "1", None, id="boolean y takes the place of 1"),
        pytest.param("boolean?y=2;n=1", "1", "boolean false", id="boolean y and n exchanged"),
        pytest.param("boolean?n=*", "*", "boolean false", id="boolean n alone, a star"),
        pytest.param("date", "20040316", "string 20040316", id="date yyyymmdd"),
        pytest.param("date", "20041316", None, id="date no thirteenth month"),
        pytest.param("date", "20040300", None, id="date no day zero"),
        pytest.param("date", "200403#", None, id="date too short"),
        pytest.param("digits", "0042#", "string 0042", id="digits are a string, zeros kept"),
        pytest.param("digits", "4*", None, id="digits no star"),
        pytest.param("digits?length=4", "1234", "string 1234", id="digits length ends the input"),
        pytest.param("digits?length=4", "123#", None, id="digits length too few"),
        pytest.param("digits?minlength=2", "1#", None, id="digits minlength"),
        pytest.param("digits?minlength=2", "12345#", "string 12345", id="digits minlength alone has no end"),
        pytest.param("digits?maxlength=2", "7#", "string 7", id="digits maxlength alone begins at one"),
        pytest.param("digits?maxlength=2", "77", "string 77", id="digits maxlength ends the input"),
        pytest.param("digits?minlength=3;maxlength=5", "12#", None, id="digits range, too few"),
        pytest.param("digits?minlength=3;maxlength=5", "1234#", "string 1234", id="digits range"),
        pytest.param("digits?length=2;minlength=1;maxlength=3", "12", "string 12", id="digits parameters that agree"),
        pytest.param("currency", "12*50#", "string 12.50", id="currency star is the decimal point"),
        pytest.param("currency", "12#", "string 12.00", id="currency mm.nn without a fraction"),
        pytest.param("currency", "*50#", "string 0.50", id="currency less than one"),
        pytest.param("currency", "12*5#", None, id="currency has two decimals"),
        pytest.param("number", "12*5#", "string 12.5", id="number star is the decimal point"),
        pytest.param("number", "*5#", "string .5", id="number without a whole part"),
        pytest.param("number", "42#", "string 42", id="number whole"),
        pytest.param("number", "1*2*3", None, id="number one point only"),
        pytest.param("number", "*#", None, id="number a point alone is none"),
        pytest.param("phone", "8005551234#", "string 8005551234", id="phone"),
        pytest.param("phone", "8005551234*789#", "string 8005551234x789", id="phone star is the extension"),
        pytest.param("time", "0930", "string 0930?", id="time ambiguous"),
        pytest.param("time", "1200", "string 1200?", id="time noon or midnight"),
        pytest.param("time", "2130", "string 2130h", id="time of 24 hours"),
        pytest.param("time", "0030", "string 0030h", id="time hour zero is of 24 hours"),
        pytest.param("time", "2460", None, id="time that is none"),
    ],
)
def test_keyed(kind: str, keys: str, result: str | None) -> None:
    _answered(ask(kind).keys(keys), result)


@pytest.mark.parametrize(
    ("kind", "words", "result"),
    [
        pytest.param("boolean", "yes", "boolean true", id="boolean yes"),
        pytest.param("boolean", "No", "boolean false", id="boolean no, in any case"),
        pytest.param("boolean", "perhaps", None, id="boolean perhaps"),
        pytest.param("date", "March sixteenth two thousand four", "string 20040316", id="date with its year"),
        pytest.param("date", "the sixteenth of March nineteen ninety nine", "string 19990316", id="date day first"),
        pytest.param("date", "March thirty first", "string ????0331", id="date without a year"),
        pytest.param("digits", "one two oh three", "string 1203", id="digits oh is zero"),
        pytest.param("digits", "double five triple one", "string 55111", id="digits double, triple"),
        pytest.param("digits", "twelve", None, id="digits no numbers"),
        pytest.param("digits?length=2", "one two three", None, id="digits length by voice"),
        pytest.param("currency", "two dollars and fifty cents", "string USD2.50", id="currency named"),
        pytest.param("currency", "twenty euros", "string EUR20.00", id="currency without a fraction"),
        pytest.param("currency", "five pounds ninety nine", "string GBP5.99", id="currency pence unsaid"),
        pytest.param("number", "one hundred and one", "string 101", id="number in words"),
        pytest.param("number", "minus twelve point five", "string -12.5", id="number sign and decimals"),
        pytest.param("number", "two thousand forty", "string 2040", id="number of thousands"),
        pytest.param("phone", "eight zero zero five extension one two", "string 8005x12", id="phone extension"),
        pytest.param("time", "nine thirty a.m.", "string 0930a", id="time am"),
        pytest.param("time", "three oh five pm", "string 0305p", id="time pm"),
        pytest.param("time", "twenty one thirty", "string 2130h", id="time of 24 hours"),
        pytest.param("time", "seven o'clock", "string 0700?", id="time ambiguous"),
        pytest.param("time", "noon", "string 1200p", id="time noon"),
    ],
)
def test_spoken(kind: str, words: str, result: str | None) -> None:
    _answered(ask(kind).says(words), result)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param("boolean?y=1;n=1", "error.badfetch", id="boolean y equals n"),
        pytest.param("boolean?y=2", "error.badfetch", id="boolean y equals the default of n"),
        pytest.param("boolean?y=12", "error.badfetch", id="boolean y is one key"),
        pytest.param("boolean?y=q", "error.badfetch", id="boolean y is a key"),
        pytest.param("digits?length=x", "error.badfetch", id="digits length is no number"),
        pytest.param("digits?minlength=5;maxlength=3", "error.badfetch", id="digits minlength above maxlength"),
        pytest.param("digits?minlength=-1", "error.badfetch", id="digits negative"),
        pytest.param("digits?length=4;minlength=5", "error.badfetch", id="digits length below minlength"),
        pytest.param("digits?length=4;maxlength=3", "error.badfetch", id="digits length above maxlength"),
        pytest.param("colour", "error.unsupported.builtin", id="a builtin that there is not"),
    ],
)
def test_bad_parameters(kind: str, error: str) -> None:
    ask(kind).is_done(error)


@pytest.mark.parametrize(
    ("source", "keys", "words", "result"),
    [
        pytest.param("builtin:dtmf/digits?length=2", "42", "", "string 42", id="dtmf"),
        pytest.param("builtin:grammar/boolean", "", "yes", "boolean true", id="grammar is by voice"),
        pytest.param("builtin:voice/digits?minlength=2", "", "one two", "string 12", id="voice"),
        pytest.param("builtin:dtmf/boolean?y=3;n=4", "4", "", "boolean false", id="parameters"),
    ],
)
def test_as_a_grammar(source: str, keys: str, words: str, result: str) -> None:
    body = ANSWER.format("", f"<grammar src='{source}'/>")
    caller = Caller({"http://app/start": document(body)}, speech=True)
    _answered(caller.keys(keys) if keys else caller.says(words), result)
    assert len(caller.fetched) == 1


@pytest.mark.parametrize(
    ("source", "error"),
    [
        pytest.param("builtin:dtmf/colour", "error.unsupported.builtin", id="a builtin that there is not"),
        pytest.param("builtin:dtmf/digits?length=0;minlength=2", "error.badfetch", id="bad parameters"),
        pytest.param("builtin:odd/date", "error.badfetch", id="a mode that is none"),
    ],
)
def test_as_a_grammar_that_is_none(source: str, error: str) -> None:
    Caller({"http://app/start": document(ANSWER.format("", f"<grammar src='{source}'/>"))}).is_done(error)


def test_both_modes_are_active_at_once() -> None:
    """§2.3.1: a field's type stands for its DTMF grammar and its voice grammar."""
    caller = ask("digits")
    assert caller.waiting.listen is not None
    caller.says("five").hears("?", "string 5")
    assert ask("digits").keys("5#").hears("?", "string 5").ended is not None


def test_without_a_recogniser_only_keys_are_taken() -> None:
    caller = Caller({"http://app/start": document(ANSWER.format(" type='digits'", ""))})
    assert caller.waiting.listen is None
