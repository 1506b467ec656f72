"""Documents checked without running them: each rule with its line, and no false alarm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from vxml.checking import RULES, Missing, check
from vxml.document import parse_document

HEAD = '<?xml version="1.0"?>\n<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">\n'
URL = "file:///app/app.vxml"
GRAMMAR = '<grammar version="1.0" mode="dtmf" root="r" xmlns="http://www.w3.org/2001/06/grammar">'
FILES = {
    "there.vxml": HEAD + '<form id="one"/></vxml>',
    "bad.js": "var fine;\nvar = 2;\n",
    "latin.js": b"// \xe9\n",
    "good.grxml": GRAMMAR + '<rule id="r" scope="public">1 2</rule></grammar>',
    "bad.grxml": GRAMMAR + '\n<rule id="r"><item\n repeat="many">1</item></rule></grammar>',
    "lost.grxml": GRAMMAR + '<rule id="r"><ruleref uri="nowhere.grxml"/></rule></grammar>',
}


def read(url: str) -> bytes | None:
    if not url.startswith("file:///app/"):
        return None
    name = url.removeprefix("file:///app/")
    if name not in FILES:
        raise Missing(f"there is no file {name}")
    body = FILES[name]
    return body if isinstance(body, bytes) else body.encode()


def lines(body: str) -> list[tuple[int, str]]:
    """Line and rule of what is found in a document whose third line is the first of ``body``."""
    return [(one.line, one.rule) for one in check(URL, (HEAD + body + "</vxml>").encode(), read)]


def item(body: str) -> list[tuple[int, str]]:
    return lines(f"<form>\n{body}\n</form>")


BROKEN = [
    ("<form>\n<block></form>", [(4, "well-formed")]),
    ("<form>\n<blok/></form>", [(4, "unknown-element")]),
    ("<form>\n<block nam='x'/></form>", [(4, "unknown-attribute")]),
    ("<form>\n<prompt>Hi</prompt></form>", [(4, "misplaced-element")]),
    ("<form><block>\n<field name='a' type='digits'/></block></form>", [(4, "misplaced-element")]),
    ("<form><block><goto next='#f'>\n<log/></goto></block></form><form id='f'/>", [(4, "misplaced-element")]),
    ("<form>\n<block/> Hello</form>", [(4, "misplaced-text")]),
    ("<form><block>\n<var expr='1'/></block></form>", [(4, "missing-attribute")]),
    ("<form><block>\n<goto next='#f' expr='1'/></block></form><form id='f'/>", [(4, "exactly-one")]),
    ("<form><block>\n<exit expr='1' namelist='a'/></block></form>", [(4, "at-most-one")]),
    ("<form><block>\n<assign name='1x' expr='1'/></block></form>", [(4, "assignment")]),
    ("<form>\n<field name='class' type='digits'/></form>", [(4, "bad-name")]),
    ("<form><block>\n<submit next='http://a/' namelist='a b-c'/></block></form>", [(4, "bad-name")]),
    ("<form>\n<block><prompt count='first'>a</prompt></block></form>", [(4, "bad-number")]),
    ("<property name='confidencelevel' value='high'/>", [(3, "bad-number")]),
    ("<form>\n<record name='r' maxtime='5 minutes'/></form>", [(4, "bad-time")]),
    ("<property name='timeout' value='soon'/>", [(3, "bad-time")]),
    ("<form>\n<record name='r' maxtime='5'/></form>", [(4, "no-unit")]),
    ("<form>\n<record name='r' beep='yes'/></form>", [(4, "bad-value")]),
    ("<form scope='global'/>", [(3, "bad-value")]),
    ("<property name='inputmodes' value='dtmf speech'/>", [(3, "bad-value")]),
    ("<property name='termchar' value='##'/>", [(3, "bad-value")]),
    ("<property name='tiemout' value='5s'/>", [(3, "unknown-property")]),
    ("<property name='com.example.thing' value='5s'/>", []),
    ("<form id='f'/>\n<menu id='f'/>", [(4, "duplicate-id")]),
    ("<form><var name='a'/>\n<field name='a' type='digits'/></form>", [(4, "duplicate-name")]),
    ("<form>\n<block cond='a =='/></form>", [(4, "script")]),
    ("<form>\n<var name='a' expr=''/></form>", [(4, "script")]),
    ("<form><block><foreach item='a'\narray='[1,'/></block></form>", [(4, "script")]),
    ("<script>\nvar a = 1;\nvar b = ;\n</script>", [(5, "script")]),
    ("<script><![CDATA[\nfunction f(a) { return a < 1; }\nvar window = f();]]></script>", []),
    ("<script src='bad.js'/>", [(2, "script")]),
    ("<script src='latin.js'/>", [(3, "encoding")]),
    ("<script src='nowhere.js'/>", [(3, "missing-file")]),
    ("<script src='http://elsewhere/a.js'/>", []),
    ("<form><block>\n<goto next='#there'/></block></form>", [(4, "missing-target")]),
    ("<form><block>\n<goto next='there.vxml#two'/></block></form>", [(4, "missing-target")]),
    ("<form><block>\n<goto next='there.vxml#one'/></block></form>", []),
    ("<form><block>\n<goto next='http://['/></block></form>", [(4, "missing-file")]),
    ("<form><block>\n<goto nextitem='b'/></block></form>", [(4, "missing-target")]),
    ("<form><field name='a' type='digits'/>\n<filled namelist='a b'/></form>", [(4, "missing-target")]),
    ("<form>\n<subdialog name='s' src='nowhere.vxml'/></form>", [(4, "missing-file")]),
    ("<form><block>\n<audio src='nowhere.wav'/></block></form>", [(4, "missing-file")]),
    ("<form><block>\n<audio src='nowhere.wav'>Hello</audio></block></form>", []),
    ("<form>\n<field name='a'/></form>", [(4, "no-grammar")]),
    ("<form>\n<field name='a' type='digit'/></form>", [(4, "grammar")]),
    ("<menu>\n<choice dtmf='X' next='#f'>x</choice></menu><form id='f'/>", [(4, "grammar")]),
    ("<menu dtmf='true'><choice dtmf='1' next='#f'>x</choice></menu><form id='f'/>", [(3, "grammar")]),
    (f"<form><field name='a'>{GRAMMAR}<rule id='r'>\n<item repeat='9-1'>1</item></rule></grammar></field></form>",
     [(4, "grammar")]),
    (f"<form><field name='a'>{GRAMMAR}<rule id='r'>1\n<tag>out = ;</tag></rule></grammar></field></form>",
     [(4, "script")]),
    ("<form><field name='a'>\n<grammar>#ABNF 1.0; $r = ;;</grammar></field></form>", [(4, "grammar")]),
    ("<form><field name='a'>\n<grammar src='good.grxml#r'/></field></form>", []),
    ("<form><field name='a'>\n<grammar src='good.grxml#s'/></field></form>", [(4, "grammar")]),
    ("<form><field name='a'>\n<grammar src='bad.grxml'/></field></form>", [(3, "grammar")]),
    ("<form><field name='a'>\n<grammar src='lost.grxml'/></field></form>", [(4, "grammar")]),
    ("<form><field name='a'>\n<grammar src='builtin:dtmf/nothing'/></field></form>", [(4, "grammar")]),
    ("<metadata><rdf:RDF xmlns:rdf='r'><rdf:anything/></rdf:RDF></metadata><other:thing xmlns:other='o' a='1'/>", []),
    ("<form>" + "<x:y xmlns:x='o'>" * 130 + "</x:y>" * 130 + "</form>", [(3, "too-deep")]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), BROKEN)
def test_rules(body: str, expected: list[tuple[int, str]]) -> None:
    assert lines(body) == expected


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ("<html/>", "root"),
        ('<vxml version="1.0"/>', "version"),
        ('<!DOCTYPE vxml [<!ENTITY a "b">]><vxml version="2.1"/>', "entities"),
        (HEAD + " " * 5_000_000 + "</vxml>", "too-large"),
        ("", "well-formed"),
        ("#ABNF 1.0; $a = (;", "grammar"),
        (GRAMMAR + "<rule id='r'>X</rule></grammar>", "grammar"),
        (GRAMMAR.replace("root=", "rot=") + "<rule id='r'>1</rule></grammar>", "unknown-attribute"),
    ],
)
def test_whole_documents(document: str, rule: str) -> None:
    assert [one.rule for one in check(URL, document.encode(), read)] == [rule]


def test_every_rule_is_tested_and_every_finding_has_a_rule() -> None:
    tested = {rule for body, expected in BROKEN for _, rule in expected}
    assert tested | {"root", "version", "entities", "too-large", "well-formed"} == set(RULES)


def test_several_faults_are_told_in_order_and_named_with_a_guess() -> None:
    body = "<form id='main'>\n<block cnd='1'>\n<goto next='#mian'/></block></form>"
    found = check(URL, (HEAD + body + "</vxml>").encode(), read)
    assert [(one.line, one.message) for one in found] == [
        (4, "<block> has no attribute 'cnd'; did you mean 'cond'?"),
        (5, "this document has no dialog 'mian'; did you mean 'main'?"),
    ]


def test_no_code_of_a_document_runs() -> None:
    body = "<script>for (;;) {} function eval() {}</script><form><block cond='(function(){ for(;;); })()'/></form>"
    assert lines(body) == []


@pytest.mark.parametrize("body", [body for body, expected in BROKEN if not expected])
def test_what_has_no_errors_is_loaded(body: str) -> None:
    assert parse_document((HEAD + body + "</vxml>").encode(), URL).url == URL


# --- the command ---


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.vxml").write_text(HEAD + '<form id="a"><block>Hello.</block></form></vxml>')
    (tmp_path / "bad.vxml").write_text(
        HEAD + '<property name="tiemout" value="5s"/>\n<form><block><goto next="good.vxml#b"/></block>\n'
        '<field name="f"><grammar src="sub/g.grxml"/></field></form></vxml>'
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/g.grxml").write_text(str(FILES["bad.grxml"]))
    return tmp_path


def voxgate(*words: str) -> Result:
    return CliRunner().invoke(app, ["vxml", "check", *words])


def test_findings_are_one_a_line_with_a_summary(desk: Path) -> None:
    done = voxgate("good.vxml", "bad.vxml", "sub/g.grxml")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "bad.vxml:3: unknown-property: warning: nothing reads the property 'tiemout'; did you mean 'timeout'? "
        "(VoiceXML 2.0 §6.3)",
        "bad.vxml:4: missing-target: good.vxml has no dialog 'b' (VoiceXML 2.0 §5.3.7)",
        "sub/g.grxml:3: grammar: the repeat 'many' is malformed",
        "2 errors, 1 warning in 3 files",
    ]


def test_the_status_is_0_without_errors(desk: Path) -> None:
    (desk / "warned.vxml").write_text(HEAD + '<property name="tiemout" value="5s"/></vxml>')
    done = voxgate("good.vxml", "warned.vxml")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "0 errors, 1 warning in 2 files"


def test_json(desk: Path) -> None:
    told = json.loads(voxgate("bad.vxml", "--json").stdout)
    assert {key: told[key] for key in ("errors", "warnings", "files")} == {"errors": 2, "warnings": 1, "files": 1}
    assert told["findings"][1] == {
        "file": "bad.vxml", "line": 4, "rule": "missing-target", "severity": "error",
        "message": "good.vxml has no dialog 'b' (VoiceXML 2.0 §5.3.7)",
    }  # fmt: skip


def test_rules_are_listed(desk: Path) -> None:
    listed = voxgate("--rules").stdout.splitlines()
    assert [line.split()[0] for line in listed] == sorted({*RULES, "not-fetched"})


def test_what_cannot_be_had(desk: Path) -> None:
    assert voxgate("nowhere.vxml").exit_code == 2
    assert voxgate().exit_code == 2
    done = voxgate("http://127.0.0.1:2/app.vxml")
    assert done.exit_code == 1
    assert done.stdout.startswith("http://127.0.0.1:2/app.vxml:1: not-fetched: cannot connect")
