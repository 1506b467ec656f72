"""What a match means (SISR 1.0), and where the meaning goes in a form (VoiceXML 2.0 §3.1.6, §5.1.5)."""

from __future__ import annotations

import json

import pytest

from tests.vxml.caller import Caller, document
from vxml import Hypothesis

SPACE = "http://www.w3.org/2001/06/grammar"


def srgs(rules: str, tags: str = "semantics/1.0", mode: str = "dtmf") -> str:
    escaped = rules.replace("&", "&amp;")
    return f"<grammar xmlns='{SPACE}' version='1.0' mode='{mode}' root='r' tag-format='{tags}'>{escaped}</grammar>"


def meaning(grammar: str, keys: str = "", said: str = "", **pages: str) -> object:
    """The interpretation of an input by a field's grammar, or the event that came instead."""
    body = (
        f"<form><field name='f'><catch event='error'><log><value expr='_event'/></log><exit/></catch>{grammar}"
        "<filled><log><value expr='JSON.stringify(application.lastresult$.interpretation)'/></log></filled>"
        "</field></form>"
    )
    others = {f"http://app/{name}": page for name, page in pages.items()}
    caller = Caller({"http://app/start": document(body), **others}, speech=True)
    caller = caller.keys(keys) if keys else caller.says(said)
    text = caller.logged[0][1]
    return text if text.startswith("error.") else json.loads(text)


REF = "<ruleref uri='#{}'/>".format
S = "<rule id='s'>5<tag>out = 'five';</tag></rule>"
T = "<rule id='t'>6<tag>out = {n: 6};</tag></rule>"


@pytest.mark.parametrize(
    ("rules", "keys", "value"),
    [
        pytest.param("1<tag>out = 'one';</tag>", "1", "one", id="out is assigned a string"),
        pytest.param("1<tag>out = 1 + 1;</tag>", "1", 2, id="a number"),
        pytest.param("1<tag>out = true</tag>", "1", True, id="a boolean; the semicolon may be left out"),
        pytest.param("1<tag>out = [1, 'b'];</tag>", "1", [1, "b"], id="an array"),
        pytest.param("1<tag>out.a = 'x'; out.b = 2;</tag>", "1", {"a": "x", "b": 2}, id="out begins as an object"),
        pytest.param("1<tag>out.a = {b: {c: 3}};</tag>", "1", {"a": {"b": {"c": 3}}}, id="objects in objects"),
        pytest.param("1<tag></tag>", "1", {}, id="an empty tag leaves the object empty"),
        pytest.param("<tag>out = '';</tag><item repeat='1-'>7<tag>out += '7';</tag></item>", "777", "777",
                     id="tags run in the order of the input"),
        pytest.param("<one-of><item>1<tag>out = 'a';</tag></item><item>2<tag>out = 'b';</tag></item></one-of>", "2", "b",
                     id="only the tags of the way taken"),
        pytest.param("<tag>out = 1;</tag>1<tag>out = out * 10;</tag>", "1", 10, id="a later tag sees out"),
        pytest.param("1<tag>var x = 4;</tag>2<tag>out = x;</tag>", "12", 4, id="a later tag sees variables"),
        pytest.param("1<tag>function twice(n) { return 2 * n; }</tag>2<tag>out = twice(4);</tag>", "12", 8,
                     id="a later tag sees functions"),
        pytest.param("1<tag>for (var i = 0, s = 0; i != 4; i++) s += i; out = s;</tag>", "1", 6, id="statements"),
        pytest.param("1<tag>if (true) { out.yes = 1 } else { out.no = 1 }</tag>", "1", {"yes": 1}, id="braces"),
        pytest.param("1<tag>out = undeclared;</tag>", "1", "error.semantic", id="an undeclared variable"),
        pytest.param("1<tag>out = ;</tag>", "1", "error.semantic", id="a script that is none"),
        pytest.param("1<tag>while (true) {}</tag>", "1", "error.semantic", id="a script without end"),
    ],
)  # fmt: skip
def test_scripts(rules: str, keys: str, value: object) -> None:
    assert meaning(srgs(f"<rule id='r'>{rules}</rule>"), keys) == value


@pytest.mark.parametrize(
    ("rules", "keys", "value"),
    [
        pytest.param(REF("s") + "<tag>out = rules.s;</tag>", "5", "five", id="rules by name"),
        pytest.param(REF("t") + "<tag>out.inner = rules.t.n;</tag>", "6", {"inner": 6}, id="a property of a rule's value"),
        pytest.param(REF("s") + REF("t") + "<tag>out = rules.latest();</tag>", "56", {"n": 6}, id="rules.latest()"),
        pytest.param(REF("s") + "<tag>out.a = rules.latest();</tag>" + REF("t") + "<tag>out.b = rules.latest();</tag>",
                     "56", {"a": "five", "b": {"n": 6}}, id="rules.latest() at its place"),
        pytest.param(f"<item repeat='2'>{REF('d')}</item><tag>out = rules.d;</tag>", "42", "2",
                     id="a rule matched twice has its last value"),
        pytest.param(f"<tag>out = [];</tag><item repeat='2'>{REF('d')}<tag>out.push(rules.d);</tag></item>", "42",
                     ["4", "2"], id="each value in its turn"),
        pytest.param(f"<item repeat='0-1'>{REF('s')}</item>1<tag>out = typeof rules.s;</tag>", "1", "undefined",
                     id="a rule that was not matched"),
        pytest.param("<item>9</item><tag>var x = 1;</tag>" + REF("v") + "<tag>out = rules.v + x;</tag>", "98", "own1",
                     id="variables are their own rule's"),
        pytest.param(REF("s") + "<tag>out.text = meta.s.text; out.c = meta.current().text;</tag>1", "51",
                     {"text": "5", "c": "5"}, id="meta of a rule, meta.current()"),
        pytest.param(REF("d") + REF("s") + "<tag>out = meta.latest().text + typeof meta.latest().score;</tag>", "45",
                     "5number", id="meta.latest()"),
        pytest.param("12<tag>out = meta.current().text;</tag>34", "1234", "12", id="meta.current() is what was heard so far"),
        pytest.param(REF("s"), "5", "five", id="default: the value of the rule referred to"),
        pytest.param(REF("s") + REF("t"), "56", {"n": 6}, id="default: of the last one"),
        pytest.param(REF("d") + "1<tag>out.d = rules.d;</tag>", "41", {"d": "4"}, id="default: a rule's own words"),
        pytest.param(f"{REF('d')}{REF('d')}", "42", "42", id="without any tag the whole input"),
        pytest.param(REF("w"), "5", "five", id="default through several rules"),
    ],
)  # fmt: skip
def test_rules(rules: str, keys: str, value: object) -> None:
    digit = "<rule id='d'><one-of><item>4</item><item>2</item></one-of></rule>"
    own = "<rule id='v'>8<tag>out = typeof x == 'undefined' ? 'own' : 'shared';</tag></rule>"
    assert meaning(srgs(f"<rule id='r'>{rules}</rule>{S}{T}{digit}{own}<rule id='w'>{REF('s')}</rule>"), keys) == value


@pytest.mark.parametrize(
    ("rules", "keys", "value"),
    [
        pytest.param("1<tag>out = 'x';</tag>", "1", "out = 'x';", id="a tag is its text"),
        pytest.param("1<tag> two words </tag>", "1", "two words", id="without the blanks around it"),
        pytest.param("1<tag>a</tag>2<tag>b</tag>", "12", "b", id="the last one of a rule counts"),
        pytest.param(REF("q"), "5", "five", id="a rule without one has that of the rule referred to"),
        pytest.param("<tag>own</tag>" + REF("q"), "5", "own", id="a rule with one keeps it"),
        pytest.param("12", "12", "12", id="no tag at all"),
        pytest.param(REF("q") + REF("p"), "56", "6", id="a rule referred to, without a tag: its words"),
    ],
)  # fmt: skip
def test_string_literals(rules: str, keys: str, value: str) -> None:
    literal = "<rule id='q'>5<tag>five</tag></rule><rule id='p'>6</rule>"
    assert meaning(srgs(f"<rule id='r'>{rules}</rule>{literal}", "semantics/1.0-literals"), keys) == value


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        pytest.param("<tag>var unit = 'cm';</tag><rule id='r'>1<tag>out = unit;</tag></rule>", "cm", id="a variable"),
        pytest.param("<tag>function f(x) { return x + 1; }</tag><rule id='r'>1<tag>out = f(1);</tag></rule>", 2, id="a function"),
        pytest.param("<tag>var a = 1;</tag><tag>var b = a + 1;</tag><rule id='r'>1<tag>out = b;</tag></rule>", 2,
                     id="several, in order"),
        pytest.param("<tag>var n = 0;</tag><rule id='r'>" + REF("s") + "<tag>out = n;</tag></rule>"
                     "<rule id='s'>1<tag>n = 5;</tag></rule>", 5, id="shared by the rules"),
    ],
)  # fmt: skip
def test_global_tags(rules: str, value: object) -> None:
    """SISR 1.0 §3.3."""
    assert meaning(srgs(rules), "1") == value


def test_nothing_outlives_its_match() -> None:
    grammar = srgs("<rule id='r'>1<tag>leak = 1; var own = 1; out = typeof own;</tag></rule>")
    body = f"<form><field name='a'>{grammar}</field><field name='b'>{grammar}</field><block><value expr='typeof leak + typeof own'/></block></form>"
    Caller({"http://app/start": document(body)}).keys("1").keys("1").hears("undefinedundefined").is_done()


def test_global_tags_belong_to_their_grammar() -> None:
    other = srgs("<tag>var v = 'theirs';</tag><rule id='r'>2<tag>out = v;</tag></rule>")
    main = srgs("<tag>var v = 'ours';</tag><rule id='r'>1<ruleref uri='other'/><tag>out = v + rules.r;</tag></rule>")
    assert meaning(main, "12", other=other) == "ourstheirs"


def test_scripts_and_literals_may_refer_to_each_other() -> None:
    other = srgs("<rule id='r'>2<tag>literal</tag></rule>", "semantics/1.0-literals")
    assert meaning(
        srgs("<rule id='r'>1<ruleref uri='other'/><tag>out.x = rules.r;</tag></rule>"), "12", other=other
    ) == {"x": "literal"}


def test_abnf() -> None:
    text = (
        "#ABNF 1.0;\nmode dtmf;\nroot $r;\ntag-format <semantics/1.0>;\n{var v = 2;};\n$r = $s {out.s = rules.s * v;};"
    )
    assert meaning(f"<grammar><![CDATA[{text}\n$s = 1 {{!{{out = 21;}}!}};]]></grammar>", "1") == {"s": 42}


def test_words_are_joined_by_blanks() -> None:
    rules = f"<rule id='r'>call {REF('who')}<tag>out = meta.current().text + '/' + rules.who;</tag></rule>"
    assert meaning(srgs(rules + "<rule id='who'>my mother</rule>", mode="voice"), said="Call my mother") == (
        "call my mother/my mother"
    )


FORM = srgs(
    "<rule id='r'><one-of><item>1<tag>out.a = 'x';</tag></item><item>2<tag>out.a = 'x'; out.b = 'y';</tag></item>"
    "<item>3<tag>out.o = {p: 'deep'};</tag></item><item>4<tag>out = 'scalar';</tag></item>"
    "<item>5<tag>out.unknown = 1;</tag></item><item>6<tag>out.a = null; out.b = false;</tag></item></one-of></rule>"
)
FIELDS = "".join(
    f"<field name='{name}' {more}>{name}<grammar mode='dtmf' root='r'><rule id='r'>9</rule></grammar></field>"
    for name, more in (("a", ""), ("b", ""), ("c", "slot='o.p'"), ("d", "slot='o'"))
)
SHOWN = "<block><value expr=\"[a, b, c, typeof d == 'object' ? d.p : d].join()\"/></block>"


@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        pytest.param("1 9 9 9", "start b c d x,9,9,9", id="a slot fills the field of its name"),
        pytest.param("2 9 9", "start c d x,y,9,9", id="several at once"),
        pytest.param("3 9 9", "start a b 9,9,deep,deep", id="a slot within an object, and the object"),
        pytest.param("4 1 9 9 9", "start start b c d x,9,9,9", id="a scalar fills nothing"),
        pytest.param("5 1 9 9 9", "start start b c d x,9,9,9", id="nor do slots of no field"),
        pytest.param("6 9 9 9", "start a c d 9,false,9,9", id="null fills nothing, false does"),
        pytest.param("1 2 9 9", "start b c d x,y,9,9", id="the form's grammar is active in its fields"),
    ],
)
def test_form_level_results(keys: str, heard: str) -> None:
    """§3.1.6.2, §2.3.3: mixed initiative."""
    caller = Caller({"http://app/start": document(f"<form>{FORM}<initial>start</initial>{FIELDS}{SHOWN}</form>")})
    for key in keys.split():
        caller.keys(key)
    caller.hears(*heard.split()).is_done()


@pytest.mark.parametrize(
    ("tag", "attributes", "value"),
    [
        pytest.param("out = 'v'", "", '"v"', id="a scalar"),
        pytest.param("out.f = 'v'; out.g = 'w'", "", '"v"', id="the property of the field's name"),
        pytest.param("out.f = 'v'; out.g = 'w'", "slot='g'", '"w"', id="the property of its slot"),
        pytest.param("out.f = 'v'; out.g = {h: 'w'}", "slot='g.h'", '"w"', id="a slot within an object"),
        pytest.param("out.f = 'v'; out.g = {h: 'w'}", "slot='g'", '{"h":"w"}', id="a slot that is an object"),
        pytest.param("out.g = 'w'", "", '{"g":"w"}', id="no such property: the whole object"),
    ],
)
def test_field_level_results(tag: str, attributes: str, value: str) -> None:
    """§3.1.6.1."""
    grammar = srgs(f"<rule id='r'>1<tag>{tag}</tag></rule>")
    body = (
        f"<form><field name='f' {attributes}>{grammar}<filled><value expr='JSON.stringify(f)'/></filled></field></form>"
    )
    Caller({"http://app/start": document(body)}).keys("1").hears(value).is_done()


ORDER = srgs(
    "<rule id='r'><one-of><item>tea<tag>out.f = 'T';</tag></item><item>pea<tag>out.f = 'P';</tag></item></one-of></rule>",
    mode="voice",
)


def order(properties: str, show: str) -> Caller:
    body = (
        f"<form>{properties}<field name='f'>{ORDER}<nomatch>no<exit/></nomatch><filled><value expr='{show}'/></filled>"
    )
    return Caller({"http://app/start": document(f"{body}</field></form>")}, speech=True)


RESULTS = "application.lastresult$"
HEARD = (Hypothesis("tea", 0.9), Hypothesis("pea", 0.7), Hypothesis("flea", 0.6), Hypothesis("pea", 0.2))


@pytest.mark.parametrize(
    ("properties", "show", "heard"),
    [
        pytest.param("", "f", "T", id="the best one fills the field"),
        pytest.param("", f"{RESULTS}.length", "1", id="maxnbest is one where nothing is said"),
        pytest.param("<property name='maxnbest' value='5'/>", f"{RESULTS}.length", "2",
                     id="only what fits and is above confidencelevel"),
        pytest.param("<property name='maxnbest' value='5'/>",
                     f"{RESULTS}[1].utterance + {RESULTS}[1].confidence + {RESULTS}[1].interpretation.f", "pea0.7P",
                     id="the second best"),
        pytest.param("", f"{RESULTS}.interpretation.f + {RESULTS}.utterance + {RESULTS}.inputmode + {RESULTS}.confidence",
                     "Tteavoice0.9", id="lastresult$ is its first entry, too"),
        pytest.param("", "f$.utterance + f$.inputmode + f$.confidence + f$.interpretation.f", "teavoice0.9T",
                     id="2.3.1 the shadow variables"),
        pytest.param("<property name='confidencelevel' value='0.95'/>", "f", "no", id="confidencelevel above the best"),
    ],
)  # fmt: skip
def test_nbest(properties: str, show: str, heard: str) -> None:
    """§5.1.5, §6.3.2."""
    order(properties, show).says(*HEARD).hears(heard).is_done()


def test_a_worse_hypothesis_fills_where_the_best_does_not_fit() -> None:
    order("", "f").says(Hypothesis("flea", 0.9), Hypothesis("pea", 0.8)).hears("P").is_done()


def test_keys_are_certain() -> None:
    body = f"<form><field name='f' type='digits?length=1'><filled><value expr='{RESULTS}.confidence + {RESULTS}.inputmode'/>"
    Caller({"http://app/start": document(f"{body}</filled></field></form>")}).keys("4").hears("1dtmf").is_done()


def test_an_option_has_its_value_whichever_way_it_was_chosen() -> None:
    """§2.3.1.3: the value, else the words, else the keys."""
    options = "<option dtmf='1' value='b'>brown bread</option><option dtmf='2'>milk</option><option dtmf='3'/>"
    body = f"<form><field name='f'>{options}<filled><value expr='f'/></filled></field></form>"
    for said, value in (("brown bread", "b"), ("milk", "milk")):
        Caller({"http://app/start": document(body)}, speech=True).says(said).hears(value).is_done()
    for keys, value in (("1", "b"), ("2", "milk"), ("3", "3")):
        Caller({"http://app/start": document(body)}, speech=True).keys(keys).hears(value).is_done()
