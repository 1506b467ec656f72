"""SRGS 1.0 grammars, XML and ABNF: what they match, what they refuse, and what the matcher knows meanwhile."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest
from lxml import etree

from tests.vxml.caller import Caller, document
from vxml import Action, Event, Fetched
from vxml.errors import VoiceXmlEvent, badfetch
from vxml.grammar.automaton import Matcher, MatchState
from vxml.grammar.loading import Grammar, load_external, load_inline

MAIN = "http://g/main"
KINDS = {"dtmf": "mode='dtmf'", "voice": "mode='voice' xml:lang='en-US'"}


def xml(rules: str, mode: str = "voice", attributes: str = "root='r'") -> str:
    space = "http://www.w3.org/2001/06/grammar"
    return f"<grammar xmlns='{space}' version='1.0' {KINDS[mode]} {attributes}>{rules}</grammar>"


def rule(content: str, name: str = "r", attributes: str = "") -> str:
    return f"<rule id='{name}' {attributes}>{content}</rule>"


def abnf(rules: str, mode: str = "voice", header: str = "root $r;") -> str:
    return f"#ABNF 1.0;\nlanguage en-US;\nmode {mode};\n{header}\n{rules}"


def load(main: str | bytes, url: str = MAIN, **files: str | bytes) -> Grammar:
    """A grammar at MAIN and others beside it; one that is missing cannot be fetched."""
    pages: Mapping[str, str | bytes] = {MAIN: main, **{f"http://g/{name}": text for name, text in files.items()}}

    def get(url: str) -> Generator[Action, Event, Fetched]:
        yield from ()
        if url not in pages:
            raise badfetch(f"{url} is not there")
        page = pages[url]
        return Fetched(url, 200, page.encode() if isinstance(page, str) else page)

    return _finished(load_external(url, None, get))


def _finished(loading: Generator[Action, Event, Grammar]) -> Grammar:
    with pytest.raises(StopIteration) as stop:
        next(loading)
    grammar: Grammar = stop.value.value
    return grammar


def takes(grammar: Grammar, said: str) -> bool:
    assert grammar.automaton is not None
    tokens = list(said.replace(" ", "")) if grammar.mode == "dtmf" else said.split()
    return grammar.automaton.match(tokens) is not None


SAME: list[Any] = [
    # clause, mode, the same rules in XML and in ABNF, what they take, what they do not
    pytest.param(
        "voice", rule("call home"), "$r = call home;", ["call home"], ["call", "home call", "call home now"],
        id="2.1 tokens in sequence",
    ),
    pytest.param(
        "voice", rule('"New York" or <token>St Louis</token>'), '$r = "New York" or "St Louis";',
        ["new york or st louis"], ["new york"], id="2.1 quoted tokens",
    ),
    pytest.param("voice", rule('"don\'t" go'), '$r = "don\'t" go;', ["don't go"], ["don go"], id="2.1 an apostrophe"),
    pytest.param(
        "voice", rule("go", attributes="scope='public'"), "public $r = go !en-GB;", ["go"], [""],
        id="2.7 a language attachment changes nothing that is matched",
    ),
    pytest.param(
        "voice", rule("a <ruleref uri='#s'/> c") + rule("b", "s"), "$r = a $s c; $s = b;", ["a b c"], ["a c", "a b"],
        id="2.2.1 a local reference",
    ),
    pytest.param(
        "voice", rule("a <ruleref special='NULL'/> b"), "$r = a $NULL b;", ["a b"], ["a"], id="2.2.3 NULL",
    ),
    pytest.param(
        "voice", rule("<one-of><item>a</item><item>b <ruleref special='VOID'/></item></one-of>"),
        "$r = a | b $VOID;", ["a"], ["b", "b a"], id="2.2.3 VOID",
    ),
    pytest.param(
        "voice", rule("call <ruleref special='GARBAGE'/> now"), "$r = call $GARBAGE now;",
        ["call now", "call me now", "call me up right now"], ["now", "call me"], id="2.2.3 GARBAGE",
    ),
    pytest.param(
        "voice", rule("<item>a</item><item><item>b</item> c</item>"), "$r = (a) ((b) c);", ["a b c"], ["a c"],
        id="2.3 groups",
    ),
    pytest.param("voice", rule("a <item/> b"), "$r = a ( ) b;", ["a b"], ["a"], id="2.3 an empty group"),
    pytest.param(
        "voice", rule("<one-of><item>a</item><item>b c</item><item>b</item></one-of> d"), "$r = (a | b c | b) d;",
        ["a d", "b c d", "b d"], ["d", "c d", "a b d"], id="2.4 alternatives",
    ),
    pytest.param(
        "voice", rule("<one-of><item weight='10'>a</item><item weight='.5'>b</item><item>c</item></one-of>"),
        "$r = /10/ a | /.5/ b | c;", ["a", "b", "c"], ["a b"], id="2.4.1 weights do not decide what is taken",
    ),
    pytest.param(
        "voice", rule("very <item repeat='0-1'>very</item> big"), "$r = very [very] big;",
        ["very big", "very very big"], ["big", "very very very big"], id="2.5 optional",
    ),
    pytest.param("dtmf", rule("<item repeat='3'>5</item>"), "$r = 5<3>;", ["555"], ["55", "5555"], id="2.5 n times"),
    pytest.param(
        "dtmf", rule("<item repeat='2-4'>5</item>"), "$r = 5<2-4>;", ["55", "555", "5555"], ["5", "55555"],
        id="2.5 n to m times",
    ),
    pytest.param(
        "dtmf", rule("<item repeat='2-'>5</item>"), "$r = 5 < 2- >;", ["55", "5" * 40], ["5"], id="2.5 n or more times",
    ),
    pytest.param("dtmf", rule("1<item repeat='0'>5</item>"), "$r = 1 5<0>;", ["1"], ["15"], id="2.5 no times"),
    pytest.param(
        "dtmf", rule("<item repeat='1-' repeat-prob='0.8'><one-of><item>1</item><item>2</item></one-of></item>"),
        "$r = (1 | 2)<1- /0.8/>;", ["1", "2112"], ["", "13"], id="2.5.1 a probability changes nothing that is matched",
    ),
    pytest.param(
        "dtmf", rule("<item repeat='2'><item repeat='1-2'>7</item></item>"), "$r = (7<1-2>)<2>;",
        ["77", "777", "7777"], ["7", "77777"], id="2.5 repeats within repeats",
    ),
    pytest.param(
        "dtmf", rule("1<tag>out = 1;</tag>2"), "$r = 1 {out = 1;} 2;", ["12"], ["1", "1out2"],
        id="2.6 a tag matches nothing",
    ),
    pytest.param(
        "dtmf", rule("1<tag>out = {a: '}'};</tag>"), "$r = 1 {!{out = {a: '}'};}!};", ["1"], ["2"],
        id="2.6 a tag with braces",
    ),
    pytest.param(
        "voice", rule("<example>never said</example>a"), "/** @example never said */ $r = a; // nor this\n",
        ["a"], ["never said"], id="3.3 examples",
    ),
    pytest.param(
        "voice", "<meta name='a' content='b'/><metadata><x xmlns='urn:x'>y</x></metadata><lexicon uri='lex'/>" + rule("a"),
        "meta 'a' is 'b'; http-equiv \"c\" is \"d\"; lexicon <lex>; $r = a;", ["a"], ["b"],
        id="4.10, 4.11 meta and lexicon are not fetched nor matched",
    ),
    pytest.param(
        "dtmf", rule("0 1 2 3 4 5 6 7 8 9 \"*\" # A B C D"), '$r = 0 1 2 3 4 5 6 7 8 9 "*" "#" A B C D;',
        ["0123456789*#ABCD"], ["0123456789*#"], id="E the sixteen keys",
    ),
    pytest.param("dtmf", rule("star pound"), "$r = star pound;", ["*#"], ["*"], id="E keys by name"),
    pytest.param(
        "voice", rule("a <item repeat='0-1'><ruleref uri='#r'/></item>"), "$r = a [$r];", ["a", "a a a a"], ["", "b"],
        id="3 a rule that ends with itself",
    ),
    pytest.param(
        "voice", rule("<one-of><item>(x</item><item><ruleref uri='#r'/> b</item><item>a</item></one-of>"),
        '$r = "(x" | $r b | a;', ["a", "a b b"], ["b"], id="3 a rule that begins with itself",
    ),
]  # fmt: skip


@pytest.mark.parametrize("form", ["XML", "ABNF"])
@pytest.mark.parametrize(("mode", "as_xml", "as_abnf", "taken", "refused"), SAME)
def test_both_forms(mode: str, as_xml: str, as_abnf: str, taken: list[str], refused: list[str], form: str) -> None:
    grammar = load(xml(as_xml, mode) if form == "XML" else abnf(as_abnf, mode))
    assert [one for one in taken if not takes(grammar, one)] == []
    assert [one for one in refused if takes(grammar, one)] == []


OTHER = rule("b", "shown", "scope='public'") + rule("c", "hidden") + rule("d", "top")
HERE = {
    "XML": {"other": xml(OTHER, attributes="root='top'"), "rootless": xml(OTHER, attributes=""), "keys": xml(rule("1"), "dtmf")},
    "ABNF": {
        "other": abnf("public $shown = b; private $hidden = c; $top = d;", header="root $top;"),
        "rootless": abnf("public $shown = b; $hidden = c; $top = d;", header=""),
        "keys": abnf("$r = 1;", "dtmf"),
    },
}  # fmt: skip


@pytest.mark.parametrize("here", ["XML", "ABNF"])
@pytest.mark.parametrize("there", ["XML", "ABNF"])
@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        pytest.param("other#shown", "b", id="2.2.2 a public rule by name"),
        pytest.param("other", "d", id="2.2.2 the root rule, which need not be public"),
        pytest.param("http://g/other#shown", "b", id="2.2.2 an absolute URI"),
        pytest.param("rootless#shown", "b", id="2.2.2 a public rule of a grammar without root"),
        pytest.param("other#hidden", None, id="3.2 a private rule"),
        pytest.param("other#nowhere", None, id="2.2.2 a rule that is not there"),
        pytest.param("rootless", None, id="2.2.2 no root to be referred to"),
        pytest.param("gone", None, id="2.2.2 a grammar that is not there"),
        pytest.param("keys", None, id="4.6 a grammar of the other mode"),
        pytest.param("#nowhere", None, id="2.2.1 a local rule that is not there"),
    ],
)
def test_references(uri: str, taken: str | None, here: str, there: str) -> None:
    in_abnf = f"$r = a ${uri[1:]};" if uri.startswith("#") else f"$r = a $<{uri}>;"
    main = xml(rule(f"a <ruleref uri='{uri}'/>")) if here == "XML" else abnf(in_abnf)
    if taken is None:
        with pytest.raises(VoiceXmlEvent, match=r"error\.badfetch"):
            load(main, **HERE[there])
    else:
        assert takes(load(main, **HERE[there]), f"a {taken}")


def test_grammars_that_refer_to_each_other() -> None:
    main = xml(rule("a <item repeat='0-1'><ruleref uri='other#s'/></item>", attributes="scope='public'"))
    other = xml(rule("b <ruleref uri='main#r'/>", "s", "scope='public'"), attributes="")
    assert takes(load(main, other=other), "a b a b a")


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        pytest.param(MAIN, "d", id="2.2.2 without a fragment the root is active"),
        pytest.param(f"{MAIN}#shown", "b", id="2.2.2 a fragment names the active rule"),
        pytest.param(f"{MAIN}#hidden", None, id="3.2 which may not be private"),
        pytest.param(f"{MAIN}#nowhere", None, id="2.2.2 and must be there"),
    ],
)
def test_which_rule_is_active(url: str, taken: str | None) -> None:
    for main in (HERE["XML"]["other"], HERE["ABNF"]["other"]):
        if taken is None:
            with pytest.raises(VoiceXmlEvent, match=r"error\.badfetch"):
                load(main, url)
        else:
            assert takes(load(main, url), taken)


def test_references_count_from_the_base_of_their_grammar() -> None:
    """SRGS 1.0 §4.8, §4.9: xml:base, or the declaration base."""
    pages = {"dir/other": HERE["XML"]["other"]}
    assert takes(load(xml(rule("<ruleref uri='other'/>"), attributes="root='r' xml:base='dir/'"), **pages), "d")
    assert takes(load(abnf("$r = $<other>;", header="root $r; base <http://g/dir/>;"), **pages), "d")


def test_a_reference_in_abnf_may_name_a_media_type() -> None:
    main = abnf("$r = $<other#shown>~<application/srgs+xml> x;")
    assert takes(load(main, other=HERE["XML"]["other"]), "b x")


def test_an_abnf_header_names_the_encoding() -> None:
    """SRGS 1.0 §4.1: it is ISO-8859-1 here."""
    text = abnf('$r = "café";').replace("1.0;", "1.0 ISO-8859-1;")
    assert takes(load(text.encode("iso-8859-1")), "café")


@pytest.mark.parametrize(
    "grammar",
    [
        pytest.param(xml(rule("a"), attributes="root='other'"), id="4.7 a root that is not there"),
        pytest.param(xml(rule("a") + rule("b")), id="3.1 two rules of one name"),
        pytest.param(xml("<rule>a</rule>"), id="3.1 a rule without a name"),
        pytest.param(xml(rule("a") + rule("b", "VOID")), id="3.1 a special rule redefined"),
        pytest.param(xml(rule("a", attributes="scope='shared'")), id="3.2 a scope that is none"),
        pytest.param(xml(rule("<ruleref/>")), id="2.2 a reference to nothing"),
        pytest.param(xml(rule("<ruleref uri='#r' special='NULL'/>")), id="2.2 a reference to two things"),
        pytest.param(xml(rule("<ruleref special='null'/>")), id="2.2.3 special names are in capitals"),
        pytest.param(xml(rule("<one-of/>")), id="2.4 no alternatives"),
        pytest.param(xml(rule("<one-of>a<item>b</item></one-of>")), id="2.4 text among the alternatives"),
        pytest.param(xml(rule("<one-of><item weight='-1'>a</item></one-of>")), id="2.4.1 a negative weight"),
        pytest.param(xml(rule("<one-of><item weight='1e3'>a</item></one-of>")), id="2.4.1 a weight with an exponent"),
        pytest.param(xml(rule("<item repeat='2-1'>a</item>")), id="2.5 a repeat that goes down"),
        pytest.param(xml(rule("<item repeat='-1'>a</item>")), id="2.5 a negative repeat"),
        pytest.param(xml(rule("<item repeat='few'>a</item>")), id="2.5 a repeat that is none"),
        pytest.param(xml(rule("<item repeat='1-2' repeat-prob='2'>a</item>")), id="2.5.1 a probability above one"),
        pytest.param(xml(rule("<p>a</p>")), id="an element that is none of SRGS"),
        pytest.param(xml(rule("1")).replace("voice", "fax"), id="4.6 a mode that is none"),
        pytest.param(xml(rule("one"), "dtmf"), id="E a word as a key"),
        pytest.param("<vxml/>", id="no grammar at all"),
        pytest.param("<grammar", id="not well-formed"),
        pytest.param(abnf("$r = a; $r = b;"), id="ABNF 3.1 two rules of one name"),
        pytest.param(abnf("$r = a; $GARBAGE = b;"), id="ABNF 3.1 a special rule redefined"),
        pytest.param(abnf("$r = a", header=""), id="ABNF a rule without its end"),
        pytest.param(abnf("$r = (a;"), id="ABNF an open group"),
        pytest.param(abnf("$r = /1.2.3/ a;"), id="ABNF 2.4.1 a weight that is no number"),
        pytest.param(abnf("$r = a<3-2>;"), id="ABNF 2.5 a repeat that goes down"),
        pytest.param(abnf("$s = a;"), id="ABNF 4.7 a root that is not there"),
        pytest.param(abnf("$r = 1;", "fax"), id="ABNF 4.6 a mode that is none"),
        pytest.param(abnf("colour red; $r = a;"), id="ABNF 4 a declaration that is none"),
        pytest.param("#ABNF 2.0;\n$r = a;", id="ABNF 4.1 another version"),
    ],
)
def test_grammars_that_are_none(grammar: str) -> None:
    with pytest.raises(VoiceXmlEvent, match=r"error\.badfetch"):
        load(grammar)


@pytest.mark.parametrize(
    ("rules", "keys", "states"),
    [
        pytest.param("12", "12", "PARTIAL FINAL", id="one way only"),
        pytest.param("12", "13", "PARTIAL NO_MATCH", id="off the way"),
        pytest.param("12", "123", "PARTIAL FINAL NO_MATCH", id="beyond the end"),
        pytest.param("1<item repeat='0-1'>2</item>", "12", "CAN_GROW FINAL", id="an optional end"),
        pytest.param("<item repeat='2-3'>7</item>", "777", "PARTIAL CAN_GROW FINAL", id="a range"),
        pytest.param("<item repeat='1-'>7</item>", "777", "CAN_GROW CAN_GROW CAN_GROW", id="without end"),
        pytest.param("<one-of><item>1</item><item>1 2 3</item></one-of>", "123", "CAN_GROW PARTIAL FINAL",
                     id="a match, then between matches"),
        pytest.param("<one-of><item>1 2</item><item>1 <ruleref special='VOID'/></item></one-of>", "1", "PARTIAL",
                     id="VOID is no match"),
        pytest.param("1<tag>out=1</tag>", "1", "FINAL", id="a tag does not let it grow"),
    ],
)  # fmt: skip
def test_states(rules: str, keys: str, states: str) -> None:
    automaton = load(xml(rule(rules), "dtmf")).automaton
    assert automaton is not None
    match = Matcher([automaton]).start()
    assert [match.feed(key) for key in keys] == [MatchState[name] for name in states.split()]


@pytest.mark.parametrize(
    ("grammars", "keys", "states"),
    [
        pytest.param(["12", "1"], "1", "CAN_GROW", id="one is whole, another may grow"),
        pytest.param(["12", "1"], "12", "CAN_GROW FINAL", id="one is left behind"),
        pytest.param(["12", "34"], "15", "PARTIAL NO_MATCH", id="none is left"),
        pytest.param([], "1", "NO_MATCH", id="no grammars"),
    ],
)
def test_states_of_several_grammars(grammars: list[str], keys: str, states: str) -> None:
    automata = [load(xml(rule(one), "dtmf")).automaton for one in grammars]
    match = Matcher([one for one in automata if one is not None]).start()
    assert [match.feed(key) for key in keys] == [MatchState[name] for name in states.split()]


def test_before_any_key() -> None:
    for rules, state in (("1", MatchState.PARTIAL), ("<item repeat='0-1'>1</item>", MatchState.CAN_GROW)):
        automaton = load(xml(rule(rules), "dtmf")).automaton
        assert automaton is not None
        assert Matcher([automaton]).start().state is state


def test_a_matcher_serves_many_inputs() -> None:
    automaton = load(xml(rule("12"), "dtmf")).automaton
    assert automaton is not None
    matcher = Matcher([automaton])
    first, second = matcher.start(), matcher.start()
    first.feed("1")
    assert second.state is MatchState.PARTIAL
    assert (first.text, second.text) == ("1", "")


def test_mode_and_language_of_both_forms() -> None:
    for main in (xml(rule("1"), "dtmf"), abnf("$r = 1;", "dtmf")):
        assert load(main).mode == "dtmf"
    for main in (xml(rule("a")).replace("mode='voice'", ""), "#ABNF 1.0;\nlanguage en-US;\n$r = a;"):
        assert load(main).mode == "voice"  # §4.6: the default


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param("application/srgs+xml", None, id="XML"),
        pytest.param("application/srgs+xml; charset=utf-8", None, id="XML with a parameter"),
        pytest.param("application/x-jsgf", "error.unsupported.format", id="another format"),
    ],
)
def test_media_types(kind: str, error: str | None) -> None:
    """VoiceXML 2.0 §3.1.1.4, §5.2.6."""
    body = f"<form><field name='f'><grammar src='g' type='{kind}'/></field></form>"
    caller = Caller({"http://app/start": document(body), "http://app/g": xml(rule("1"), "dtmf")})
    assert (caller.ended.error if caller.ended else None) == error


@pytest.mark.parametrize(
    "content", [pytest.param(xml(rule("4 2"), "dtmf"), id="XML"),
                pytest.param(f"<grammar type='application/srgs'>{abnf('$r = 4 2;', 'dtmf')}</grammar>", id="ABNF by its type"),
                pytest.param(f"<grammar>{abnf('$r = 4 2;', 'dtmf')}</grammar>", id="ABNF by its header"),
                pytest.param(f"<grammar><![CDATA[{abnf('$r = 4 2;', 'dtmf')}]]></grammar>", id="ABNF as CDATA")],
)  # fmt: skip
def test_inline(content: str) -> None:
    """VoiceXML 2.0 §3.1.1."""
    body = f"<form><field name='f'>{content}<filled><value expr='f'/></filled></field></form>"
    Caller({"http://app/start": document(body)}).keys("42").hears("42").is_done()


def test_an_inline_grammar_refers_from_the_documents_base() -> None:
    def get(url: str) -> Generator[Action, Event, Fetched]:
        yield from ()
        assert url == "http://app/dir/other"
        return Fetched(url, 200, HERE["XML"]["other"].encode())

    element = etree.fromstring(xml(rule("<ruleref uri='other#shown'/> <ruleref uri='#s'/>") + rule("x", "s")))
    assert takes(_finished(load_inline(element, "http://app/dir/start", get)), "b x")


@pytest.mark.parametrize(
    "said", [pytest.param("Call, HOME.", id="case and punctuation"), pytest.param("call  home", id="blanks")]
)
def test_what_was_said_is_matched_by_its_words(said: str) -> None:
    body = f"<form><field name='f'>{xml(rule('call home'))}<filled><value expr='f'/></filled></field></form>"
    Caller({"http://app/start": document(body)}, speech=True).says(said).hears("call home").is_done()
