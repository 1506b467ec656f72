"""Documents, data, grammars and scripts of a hostile application: bounded, and blind to files, network and other calls."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from tests.vxml.caller import Caller, document
from tests.vxml.cases import form
from vxml import Limits, scopes

START = "http://app/start"
QUICK = Limits(script_seconds=0.2)
SRGS = 'xmlns="http://www.w3.org/2001/06/grammar" version="1.0" mode="dtmf" root="r"'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12))
#: Peak memory of this process that one hostile document may add, in bytes.
ROOM = 256 * 1024 * 1024


def grown(before: int) -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU time of one script: that it is stopped does not depend on how long it may run."""
    monkeypatch.setattr(scopes, "CPU_SECONDS", 0.1)


# --- XML, wherever it comes from ---


def as_document(root: str, inside: str) -> dict[str, str | bytes]:
    return {
        START: root
        + f'<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block>{inside}</block></form></vxml>'
    }


def as_data(root: str, inside: str) -> dict[str, str | bytes]:
    page = form(
        "<block><data name='d' src='/d'/><prompt><value expr='d.documentElement.textContent'/></prompt></block>"
    )
    return {START: document(page), "http://app/d": f"{root}<d>{inside}</d>"}


def as_grammar(root: str, inside: str) -> dict[str, str | bytes]:
    page = form("<field name='f'><grammar src='/g' type='application/srgs+xml'/></field>")
    return {
        START: document(page),
        "http://app/g": f'{root}<grammar {SRGS}><rule id="r"><item>{inside}</item></rule></grammar>',
    }


WAYS = [as_document, as_data, as_grammar]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("doctype", "inside"),
    [
        pytest.param(f"<!DOCTYPE x [{LAUGHS}]>", "&l11;", id="laughs"),
        pytest.param(f"<!DOCTYPE x [{LAUGHS}]>", '<x a="&l11;"/>', id="laughs in an attribute"),
        pytest.param(f'<!DOCTYPE x [<!ENTITY q "{"x" * 100_000}">]>', "&q;" * 20_000, id="quadratic"),
        pytest.param(f'<!DOCTYPE x [<!ENTITY q "{"x" * 100_000}">]>', f'<x a="{"&q;" * 20_000}"/>', id="quadratic attribute"),
        pytest.param(f'<!DOCTYPE x [<!ENTITY % p "{"x" * 1000}"><!ENTITY % q "%p;%p;"> %q;]>', "", id="parameter entities"),
        pytest.param("<!DOCTYPE x [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>", "&a;", id="round"),
        pytest.param("<!DOCTYPE x [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>", "<x a='&a;'/>", id="round in an attribute"),
        pytest.param("", "<x " + " ".join(f'a{n}="b"' for n in range(200_000)) + "/>", id="200,000 attributes"),
        pytest.param("", "<x " + " ".join(f'xmlns:a{n}="b{n}"' for n in range(20_000)) + ">" + "<x/>" * 50_000 + "</x>", id="20,000 namespaces"),
        pytest.param("", f'<x a="{"y" * 20_000_000}"/>', id="20 MB of attribute"),
        pytest.param("", f"<{'n' * 200_000}/>", id="a name of 200,000"),
        pytest.param("", "<x>" * 300_000 + "</x>" * 300_000, id="300,000 deep"),
    ],
)  # fmt: skip
def test_what_grows_is_refused_before_it_has_grown(way: object, doctype: str, inside: str) -> None:
    before = peak()
    caller = Caller(way(doctype, inside), limits=QUICK)  # type: ignore[operator]
    assert grown(before) < ROOM
    if caller.ended is None:
        assert way is as_grammar  # read, and it matches nothing
    else:
        assert caller.ended.error in (None, "error.badfetch", "error.semantic")
    assert len("".join(caller.heard)) < 100_000


@pytest.mark.parametrize("way", WAYS)
def test_nothing_outside_is_read(way: object, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    part = tmp_path / "part.xml"
    part.write_text("<x>secret words</x>")
    dtd = tmp_path / "x.dtd"
    dtd.write_text('<!ENTITY e "secret words">')
    uri = secret.as_uri()
    for doctype, inside in (
        (f'<!DOCTYPE x [<!ENTITY e SYSTEM "{uri}">]>', "&e;"),
        (f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret}">]>', "&e;"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "http://169.254.169.254/">]>', "&e;"),
        (f'<!DOCTYPE x [<!ENTITY e PUBLIC "-" "{uri}">]>', "&e;"),
        (f'<!DOCTYPE x SYSTEM "{dtd.as_uri()}">', "&e;"),
        (f'<!DOCTYPE x [<!ENTITY % d SYSTEM "{dtd.as_uri()}"> %d;]>', "&e;"),
        ("", f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{uri}" parse="text"/>'),
        ("", f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{part.as_uri()}"/>'),
        (f'<?xml-stylesheet type="text/xsl" href="{part.as_uri()}"?>', ""),
        (f'<?xml-model href="{uri}"?>', ""),
        ("", f'<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {uri}"/>'),
    ):
        caller = Caller(way(doctype, inside), limits=QUICK)  # type: ignore[operator]
        assert "secret" not in "".join(caller.heard) + json.dumps(caller.logged)
        assert {one.url for one in caller.fetched} <= {START, "http://app/d", "http://app/g"}
        if caller.ended is not None:
            assert caller.ended.error in (None, "error.badfetch", "error.semantic"), doctype
            assert "secret" not in caller.ended.message


# --- scripts ---


#: A script was stopped; or, where its handlers' time was up as well, the session.
STOPPED = ("error.semantic", "error.voxgate.loop")
LONG = "{length: 9007199254740991}"
ENDLESS = {
    "a loop": "while (true) {}",
    "a loop that catches": "while (true) { try { throw 1; } catch (e) {} finally {} }",
    "a regex that backtracks": "/^(a+)+$/.test('a'.repeat(60) + '!');",
    "a regex with back references": "/^(a|aa)+\\\\1$/.test('a'.repeat(60) + '!');",
    "a regex by replace": "'a'.repeat(60).replace(/(a*)*b/g, '');",
    "recursion": "function f() { return f() + 1; } f();",
    "a getter": "var o = {get a() { return this.a; }}; o.a;",
    "a sort": "[3, 2, 1].sort(function () { while (true) {} });",
    "toString": "'' + {toString: function () { while (true) {} }};",
    "a proxy": "var p = new Proxy({}, {get: function (t, n, r) { return r[n]; }}); p.a;",
    "a generator": "var g = (function* () { while (true) yield 1; })(); [...g];",
    "eval": "eval('while (true) {}');",
    "new Function": "new Function('while (true) {}')();",
    "promises": "var f = function () { return Promise.resolve().then(f); }; f(); while (true) {}",
    "repeat": "'x'.repeat(1e9);",
    "doubling": "var a = 'x'; while (true) a += a;",
    "an array": "var a = []; while (true) a.push(new Array(1000).fill(0));",
    "a large array": "new Array(1e9).fill(0);",
    "a buffer": "new ArrayBuffer(4e9);",
    "padding": "'a'.padEnd(1073741823, 'b');",
    "JSON's depth": "JSON.parse('['.repeat(5e6));",
    "JSON's width": "var a = {}; var b = a; for (var i = 0; i < 1e6; i++) { b.a = {}; b = b.a; } JSON.stringify(a);",
    "a large integer": "2n ** (2n ** 40n);",
    **{
        f"native {name}": script
        for name, script in {
            "join": "new Array(4e9).join('');", "nested join": "'' + [new Array(4e9)];", "reverse": f"[].reverse.call({LONG});",
            "copyWithin": f"[].copyWithin.call({LONG}, 0, 5);", "splice": f"[].splice.call({LONG}, 0, 1);",
            "shift": f"[].shift.call({LONG});", "sort": "new Array(4e9).sort();", "slice": "new Array(4e9).slice(5);",
            "flat": "[new Array(4e9)].flat();", "flatMap": "[1].flatMap(function () { return new Array(4e9); });",
            "concat": "[].concat(new Array(4e9), new Array(2e8));",
            "spreadable": f"var o = {LONG}; o[Symbol.isConcatSpreadable] = true; [].concat(o);",
            "raw": "String.raw({raw: new Array(4e9)}); while (true) {}", "toLocaleString": f"[].toLocaleString.call({LONG});",
            "a length that changes": "var n = 0; [].reverse.call({get length() { return n++ ? 9007199254740991 : 2e6; }});",
            "indexOf": "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b');",
            "lastIndexOf": "'a'.repeat(4e6).lastIndexOf('a'.repeat(2e6) + 'b');",
            "includes": "'a'.repeat(4e6).includes('a'.repeat(2e6) + 'b');",
            "split": "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b');",
            "replace": "'a'.repeat(4e6).replace({toString: function () { return 'a'.repeat(2e6) + 'b'; }}, '');",
            "upper": "for (;;) 'a'.repeat(4e6).toUpperCase();", "pieces": "var a = 'a'.repeat(4e6); for (;;) a.slice(1).trim();",
            "a global regex": "var a = 'x'.repeat(4e6); for (;;) a.replace(/y/g, '');",
            "replaceAll": "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '');",
        }.items()
    },
    "many properties": "var o = {}; for (var i = 0; ; i++) o['p' + i] = i;",
    "join": "new Array(1e8).join('xxxxxxxxxx');",
    "a date": "for (;;) new Date().toString();",
}  # fmt: skip


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_a_script_without_end_ends_its_session_and_nothing_else(script: str) -> None:
    before = peak()
    caller = Caller({START: document(form(f"<block><script><![CDATA[{script}]]></script></block>"))}, limits=QUICK)
    assert caller.ended is not None
    assert caller.ended.error in STOPPED
    assert grown(before) < ROOM
    other = Caller({START: document(form("<block><prompt><value expr='1 + 1'/></prompt></block>"))})
    assert other.heard == ["2"]


@pytest.mark.parametrize(
    "tag", ["while (true) {}", "/^(a+)+$/.test('a'.repeat(60) + '!');", "var a = 'x'; while (1) a += a;"]
)
def test_a_grammar_s_script_is_bounded_too(tag: str) -> None:
    grammar = f'<grammar {SRGS} tag-format="semantics/1.0"><rule id="r">1<tag><![CDATA[{tag}]]></tag></rule></grammar>'
    caller = Caller({START: document(form(f"<field name='f'>{grammar}<filled><exit/></filled></field>"))}, limits=QUICK)
    caller.keys("1")
    assert caller.ended is not None
    assert caller.ended.error in STOPPED


def test_scripts_see_no_machine() -> None:
    names = ["std", "os", "require", "process", "Deno", "Bun", "fetch", "XMLHttpRequest", "setTimeout", "WebAssembly",
             "Worker", "scriptArgs", "print", "console", "load", "navigator", "importScripts", "SharedArrayBuffer"]  # fmt: skip
    asked = " + ' ' + ".join(f"typeof {name}" for name in names)
    caller = Caller({START: document(form(f'<block><prompt><value expr="{asked}"/></prompt></block>'))})
    kinds = dict(zip(names, caller.heard[0].split(), strict=True))
    assert {name for name, kind in kinds.items() if kind != "undefined"} <= {"SharedArrayBuffer"}
    for script in ("import('fs')", "import('os').then(function (o) { o.exec(['id']); })", "import('/etc/passwd')"):
        Caller({START: document(form(f"<block><script>{script};</script></block>"))}, limits=QUICK)


# --- one call and another ---


POISON = """
  Object.prototype.poisoned = 'yes'; Array.prototype.poisoned = 'yes'; Function.prototype.poisoned = 'yes';
  Object.defineProperty(Object.prototype, 'callerid', {get: function () { return 'stolen'; }});
  String.prototype.trim = function () { return 'stolen'; }; Math.random = function () { return 7; };
  JSON.stringify = function () { return '"stolen"'; }; JSON.parse = function () { return 'stolen'; };
  Array.prototype.map = null; Object.keys = null; globalThis.leak = 'yes';
  application.leak = 'yes'; session.leak = 'yes';
"""
LOOK = form(
    "<block><prompt><value expr=\"'' + ({}).poisoned + ' ' + [].poisoned + ' ' + typeof leak + ' ' + typeof application.leak"
    " + ' ' + typeof session.leak + ' ' + JSON.stringify([1]) + ' ' + ' a '.trim() + ' ' + (Math.random() == 7) + ' '"
    ' + session.callerid"/></prompt></block>'
)


def test_one_call_s_scripts_change_nothing_of_another_s() -> None:
    lines = [f"{line.strip()}" for line in POISON.split(";") if line.strip()]
    poison = "".join(f"try {{ {line}; }} catch (e) {{}}\n" for line in lines)
    poisoned = document(
        form(f"<block><script><![CDATA[{poison}]]></script></block>", "<field name='f' type='digits'/>")
    )
    first = Caller({START: poisoned}, variables={"callerid": "1"})
    second = Caller({START: document(LOOK)}, variables={"callerid": "2"})
    assert second.heard == ["undefined undefined undefined undefined undefined [1] a false 2"]
    third = Caller({START: document(LOOK)}, variables={"callerid": "3"})
    assert third.heard[0].endswith(" 3")
    del first


@pytest.mark.parametrize("broken", [line.strip() for line in POISON.split(";") if line.strip()])
def test_a_call_that_breaks_its_own_engine_ends_by_an_event(broken: str) -> None:
    page = document(
        form(f"<var name='v' expr='1'/><block><script><![CDATA[{broken};]]></script><assign name='v' expr='[1, 2]'/>"
             "<prompt><value expr='v'/></prompt><foreach item='i' array='v'><prompt><value expr='i'/></prompt></foreach>"
             "<submit next='/next' namelist='v'/></block>")
    )  # fmt: skip
    caller = Caller({START: page, "http://app/next": document(form())}, limits=QUICK)
    assert caller.ended is None or caller.ended.error is None or caller.ended.error.startswith("error.")


def test_what_bounds_scripts_changes_nothing_else() -> None:
    cases = {
        "[3, 1, 2].sort().join('-')": "1-2-3", "[1, [2, [3]]].flat().length": "3", "[1, [2, [3, [4]]]].flat(Infinity).join()": "1,2,3,4",
        "[1, 2].flatMap(function (x) { return [x, x]; }).join('')": "1122", "[1].concat([2, 3], 4).length": "4",
        "Array.prototype.slice.call((function () { return arguments; })(1, 2, 3), 1).join()": "2,3",
        "Array.prototype.join.call('abc', '+')": "a+b+c", "[].concat.call('a', 1).length": "2", "'a,b'.split(',').length": "2",
        "'abc'.split('').reverse().join('')": "cba", "'a1b2'.replace(/[0-9]/g, '')": "ab", "'aXbX'.replace('X', '-')": "a-bX",
        "'a.b.c'.replaceAll('.', '')": "abc", "'a-b_c'.split(/[-_]/).join('')": "abc", "'abc'.split().length": "1",
        "'a,b,c'.split(',', 2).length": "2", "'hello'.indexOf('l')": "2", "'hello'.lastIndexOf('l')": "3",
        "'hello'.includes('ell')": "true", "'hello'.indexOf('l', 3)": "3", "'x'.replace('x', function (m) { return m + m; })": "xx",
        "'' + [1, [2, 3]]": "1,2,3", "[5, 6, 7].splice(1, 1)[0]": "6", "String.raw`a${1}b`": "a1b", "[0, 0].fill(7).join('')": "77",
        "[1, 2, 3].shift()": "1", "(12345.5).toString().split('.')[1]": "5", "''.concat('a', 1)": "a1",
    }  # fmt: skip
    for script, expected in cases.items():
        page = document(form(f"<block><prompt><value expr={quoteattr(script)}/></prompt></block>"))
        assert Caller({START: page}).heard == [expected], script
