"""Variables, scopes, expressions (VoiceXML 2.0 §5.1) and executable content (§5.3)."""

from __future__ import annotations

import pytest

from tests.vxml.cases import Case, ask, form, params, says

ROOT = '<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">{body}</vxml>'
LEAF = '<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml" application="root">{body}</vxml>'


def leaf(root: str, body: str) -> dict[str, str | int]:
    return {"root": ROOT.format(body=root), "leaf": LEAF.format(body=body)}


TO_LEAF = form("<block><goto next='leaf'/></block>")


@pytest.mark.parametrize(
    "case",
    params(
        Case("5.1.1 var without expr is undefined", form("<var name='x'/>", says("{typeof x}")), "undefined"),
        Case("5.1.1 an inner variable hides the outer", "<var name='x' expr='1'/>" + form("<var name='x' expr='2'/>",
             says("{x} {document.x} {dialog.x}")), "2 1 2"),
        Case("5.1.1 a name that is reserved", form("<block><var name='var' expr='1'/></block>"), "", ends="error.semantic"),
        Case("5.1.1 a name with a dot", form("<block><var name='a.b' expr='1'/></block>"), "", ends="error.semantic"),
        Case("5.1.2 session is read-only", form("<block><assign name='session.id' expr='1'/></block>"), "",
             ends="error.semantic"),
        Case("5.1.2 what is in session is read-only", form("<block><assign name='session.n.a' expr='2'/></block>"), "",
             ends="error.semantic"),
        Case("5.1.2 session variables by their bare name", form(says("{session.id} {id} {n.a}")), "7 7 1"),
        Case("5.1.2 anonymous scope of a block", form("<block><var name='x' expr='1'/></block>", says("{typeof x}")),
             "undefined"),
        Case("5.1.2 anonymous scope of filled",
             form(ask("a", inside="<filled><var name='x' expr='1'/></filled>"), says("{typeof x}")), "A undefined", "1"),
        Case("5.1.2 dialog scope ends with the dialog",
             form("<var name='x' expr='1'/><block><goto next='#z'/></block>") + form(says("{typeof x}"), identifier="z"),
             "undefined"),
        Case("5.1.2 dialog variables are made anew at each visit",
             "<var name='n' expr='0'/>" + form("<var name='x' expr='0'/><block><assign name='x' expr='x+1'/>"
             "<assign name='n' expr='n+1'/><prompt><value expr='x'/></prompt><if cond='n &lt; 2'><goto next='#a'/></if>"
             "</block>", identifier="a"), "1 1"),
        Case("5.1.2 document scope ends with the document", "<var name='x' expr='1'/>"
             + form("<block><goto next='other'/></block>"), "undefined", pages={"other": form(says("{typeof x}"))}),
        Case("5.1.2 application scope is the root's", TO_LEAF, "root's", pages=leaf("<var name='x' expr=\"'root\\'s'\"/>",
             form(says("{application.x}")))),
        Case("5.1.2 in the root document, document and application are one",
             "<var name='x' expr='1'/>" + form(says("{application.x}{document.x}")), "11"),
        Case("1.5.2 the root's variables live on between leaves", TO_LEAF, "2", pages=leaf("<var name='x' expr='1'/>",
             form("<block><assign name='application.x' expr='2'/><goto next='again'/></block>")) | {"again": LEAF.format(
             body=form(says("{x}")))}),
        Case("1.5.2 a leaf of no application has its own", TO_LEAF, "undefined",
             pages=leaf("<var name='x' expr='1'/>", form("<block><goto next='bare'/></block>"))
             | {"bare": form(says("{typeof x}"))}),
        Case("1.5.2 the root's handlers serve its leaves", TO_LEAF, "root",
             pages=leaf("<catch event='com'>root<exit/></catch>", form("<block><throw event='com.x'/></block>"))),
        Case("5.1.3 an undeclared variable read", form("<block><value expr='nowhere'/></block>"), "", ends="error.semantic"),
        Case("5.1.3 an undeclared variable assigned", form("<block><assign name='nowhere' expr='1'/></block>"), "",
             ends="error.semantic"),
        Case("5.1.3 an undeclared variable assigned by a script", form("<block><script>nowhere = 1;</script></block>"), "",
             ends="error.semantic"),
        Case("5.1.3 a syntax error", form("<block><value expr='1 +'/></block>"), "", ends="error.semantic"),
        Case("5.1.3 an exception of a script", form("<block><script>throw 'x';</script></block>"), "", ends="error.semantic"),
        Case("5.1.3 a script without end is stopped", form("<block><script>while (true) {}</script></block>"), "",
             ends="error.semantic"),
        Case("5.1.3 a script that eats memory is stopped",
             form("<block><script>var a = 'x'; while (true) a += a;</script></block>"), "", ends="error.semantic"),
        Case("5.1.3 objects are compared and shared by reference",
             form("<var name='o' expr='({n: 1})'/><var name='p' expr='o'/><block><assign name='p.n' expr='2'/></block>",
                  says("{o.n} {o === p}")), "2 true"),
        Case("5.1.5 lastresult$ after an input",
             form(ask("a"), says("{application.lastresult$.utterance} {application.lastresult$[0].inputmode}"
                                 " {application.lastresult$.length}")), "A 5 dtmf 1", "5"),
        Case("5.1.5 lastresult$ after a nomatch",
             form(ask("a", "boolean", inside="<nomatch><prompt><value expr='application.lastresult$.utterance'/></prompt>"
                      "<exit/></nomatch>")), "A 7", "7"),
        Case("2.3.1 shadow variables", form(ask("a"), says("{a$.utterance} {a$.inputmode} {a$.confidence}")), "A 5 dtmf 1",
             "5"),
        # 5.3
        Case("5.3.1 var in executable content", form("<block><var name='x' expr='1+1'/><prompt><value expr='x'/></prompt>"
             "</block>"), "2"),
        Case("5.3.2 assign an object's property", form("<var name='o' expr='new Object()'/><block><assign name='o.a' expr='3'/>"
             "</block>", says("{o.a}")), "3"),
        Case("5.3.2 assign a form item's variable fills it", form("<block><assign name='a' expr=\"'set'\"/></block>", ask("a"),
             says("{a}")), "set"),
        Case("5.3.2 assign needs expr", form("<block><assign name='x'/></block>"), "", ends="error.badfetch"),
        Case("5.3.4 if, elseif, else", form("<var name='x' expr='2'/><block><if cond='x==1'>a<elseif cond='x==2'/>b<else/>c"
             "</if></block>"), "b"),
        Case("5.3.4 nested ifs", form("<block><if cond='true'><if cond='false'>a<else/>b</if>c<else/>d</if></block>"), "b c"),
        Case("5.3.4 only one branch", form("<block><if cond='true'>a<elseif cond='true'/>b</if></block>"), "a"),
        Case("5.3.4 a condition that fails", form("<block><if cond='nowhere'>a</if></block>"), "", ends="error.semantic"),
        Case("5.3.5 a prompt in executable content is queued", form("<block>a<prompt>b</prompt>c</block>"), "a b c"),
        Case("5.3.12 a script in the document, in the dialog, in a block",
             "<script>var a = 1;</script>" + form("<script>var b = a + 1;</script><block><script>var c = b + 1;</script>"
             "<prompt><value expr='c'/></prompt></block>"), "3"),
        Case("5.3.12 a function is called", "<script>function twice(x) { return 2 * x; }</script>" + form(says("{twice(4)}")),
             "8"),
        Case("5.3.12 a script's source", "<script src='code.js'/>" + form(says("{v}")), "9", pages={"code.js": "var v = 9; // <?xml"}),
        Case("5.3.12 a script that is not there", "<script src='code.js'/>" + form(says("{v}")), "",
             ends="error.badfetch.http.404", pages={"code.js": 404}),
        Case("5.3.13 log joins its content and its expression",
             form("<block><log label='l' expr=\"'e'\">t<value expr='1+1'/></log></block>"), "", logs="t2e"),
        Case("5.3.13 a log that fails", form("<block><log expr='nowhere'/></block>"), "", ends="error.semantic"),
        Case("5.3.9 exit with both expr and namelist", form("<block><exit expr='1' namelist='x'/></block>"), "",
             ends="error.badfetch"),
        Case("5.3.9 exit with an undeclared name", form("<block><exit namelist='nowhere'/></block>"), "", ends="error.semantic"),
    ),
)  # fmt: skip
def test_variables(case: Case) -> None:
    case.run()
