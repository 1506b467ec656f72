"""Events: throwing, catching, selection by scope, count and condition (VoiceXML 2.0 §5.2), links (§2.5), menus (§2.2)."""

from __future__ import annotations

import pytest

from tests.vxml.cases import Case, ask, form, grammar, params, says

NOINPUTS = "<noinput count='{count}'>{count}<reprompt/></noinput>"


def throws(name: str, inside: str = "", more: str = "") -> str:
    return form(f"<block>{inside}<throw event='{name}' {more}/></block>")


MENU = """<menu><prompt>menu</prompt><choice dtmf="1" next="#one">first</choice>
<choice dtmf="2 3" event="com.x.y" message="m">second</choice><choice dtmf="*" expr="'#' + 'one'">third</choice>
<nomatch>no<reprompt/></nomatch><noinput>hm<reprompt/></noinput></menu>"""
ONE = form(says("one"), identifier="one")
LINK = f"<link next='#one'>{grammar('<item>9</item>')}</link>"
EVENT_LINK = f"<link event='com.x.y' message='why'>{grammar('<item>9</item>')}</link>"
CAUGHT = "<catch event='com.x.y'><prompt>caught <value expr='_event'/> <value expr='_message'/></prompt><exit/></catch>"


@pytest.mark.parametrize(
    "case",
    params(
        # 5.2.1, 5.2.2
        Case("5.2.1 a thrown event is caught", CAUGHT + throws("com.x.y", more="message='m'"), "caught com.x.y m"),
        Case("5.2.1 eventexpr", CAUGHT + form("<block><throw eventexpr=\"'com.x.' + 'y'\"/></block>"),
             "caught com.x.y undefined"),
        Case("5.2.1 messageexpr", CAUGHT + throws("com.x.y", more="messageexpr='1+1'"), "caught com.x.y 2"),
        Case("5.2.1 nobody catches it", throws("com.x.y"), "", ends="com.x.y"),
        Case("5.2.2 a prefix catches, by whole parts", "<catch event='com.x'>yes<exit/></catch>" + throws("com.x.y"), "yes"),
        Case("5.2.2 a prefix of letters does not", "<catch event='com.x.yy com.'>no</catch>" + throws("com.x.y"), "no"),
        Case("5.2.2 several names", "<catch event='a b com.x.y'>yes<exit/></catch>" + throws("com.x.y"), "yes"),
        Case("5.2.2 no name catches all", "<catch>all<exit/></catch>" + throws("com.x.y"), "all"),
        Case("5.2.2 a dot catches all", "<catch event='.'>all<exit/></catch>" + throws("com.x.y"), "all"),
        Case("5.2.2 cond", "<catch event='com' cond='false'>no</catch><catch event='com'>yes<exit/></catch>" + throws("com.x"),
             "yes"),
        Case("5.2.4 the nearest scope is not preferred over count, the document order is",
             "<catch event='com'>document<exit/></catch>" + form("<catch event='com'>form<exit/></catch>",
             "<block><throw event='com.x'/></block>"), "form"),
        Case("5.2.4 the highest count that is not above", form(ask("a", inside="".join(
            NOINPUTS.format(count=count) for count in (1, 3)))), "A 1 A 1 A 3 A 3 A", "_ _ _ _ 1"),
        Case("5.2.4 counts are the form item's", form(ask("a", inside=NOINPUTS.format(count=1) + "<noinput count='2'>2"
             "<reprompt/></noinput>"), ask("b", inside=NOINPUTS.format(count=1))), "A 1 A 2 A B 1 B", "_ _ 1 _ 1"),
        Case("5.2.4 a field's handler over the document's",
             "<noinput>document<reprompt/></noinput>" + form(ask("a", inside="<noinput>field<reprompt/></noinput>")),
             "A field A", "_ 1"),
        Case("5.2.4 a document's handler of a higher count over the field's",
             "<noinput count='2'>document<reprompt/></noinput>"
             + form(ask("a", inside="<noinput>field<reprompt/></noinput>")), "A field A document A", "_ _ 1"),
        Case("5.2.4 a handler is run in the scope of what threw it",
             "<catch event='com'><prompt><value expr='v'/></prompt><exit/></catch>"
             + form("<var name='v' expr=\"'dialog'\"/><block><throw event='com.x'/></block>"), "dialog"),
        Case("5.2.4 relative URLs in a handler", "<catch event='com'><goto next='next'/></catch>" + throws("com.x"),
             "there", pages={"next": form(says("there"))}),
        Case("5.2.2 an event in a handler is not caught by itself",
             "<catch event='com.x'>one<throw event='com.y'/></catch><catch event='com.y'>two<exit/></catch>"
             + throws("com.x"), "one two"),
        Case("5.2.2 what a handler throws again goes to the scope outside",
             "<catch event='com.x'>outer<exit/></catch>"
             + form("<catch event='com.x'>inner<throw event='com.x'/></catch><block><throw event='com.x'/></block>"),
             "inner outer"),
        Case("5.2.2 handlers that throw to each other are stopped",
             "<catch event='com.x'><throw event='com.y'/></catch><catch event='com.y'><throw event='com.x'/></catch>"
             + throws("com.x"), "", ends="error.voxgate.loop"),
        Case("5.2.3 error, help, noinput, nomatch are short for catch",
             "<error>e<exit/></error>" + throws("error.a.b"), "e"),
        Case("5.2.3 help", "<help>h<reprompt/></help>" + form("<property name='universals' value='none'/>", ask("a"))
             + "", "A", "1"),
        Case("5.2.5 the default handler of noinput reprompts", form(ask("a")), "A A", "_ 1"),
        Case("5.2.5 the default handler of errors ends with them", throws("error.a.b", more="message='m'"), "",
             ends="error.a.b"),
        Case("5.2.5 cancel by default ends the session silently", throws("cancel"), ""),
        Case("5.2.5 exit by default ends the session", throws("exit"), ""),
        Case("5.2.2 a caught error's message", "<catch event='error.semantic'><prompt>semantic</prompt><exit/></catch>"
             + form("<block><value expr='nothing.at.all'/></block>"), "semantic"),
        Case("5.2.2 _event is gone outside the handler",
             CAUGHT.replace("<exit/>", "<goto next='#z'/>") + throws("com.x.y", more="message='m'")
             + form(says("{typeof _event}"), identifier="z"), "caught com.x.y m undefined"),
        Case("5.2.6 error.badfetch on a missing page", "<catch event='error.badfetch'><prompt><value expr='_event'/></prompt>"
             "<exit/></catch>" + form("<block><goto next='gone'/></block>"), "error.badfetch.http.404", pages={"gone": 404}),
        Case("5.2.6 an element that is not VoiceXML's", form("<block><shout/></block>"), "", ends="error.badfetch"),
        Case("5.2.6 an object is unsupported", form("<object name='o' classid='builtin://x'/>"), "",
             ends="error.unsupported.objectname"),
        # 2.2 menus
        Case("2.2.1 a choice by its key", MENU + ONE, "menu one", "1"),
        Case("2.2.1 a choice of several keys throws", CAUGHT + MENU + ONE, "menu caught com.x.y m", "23"),
        Case("2.2.2 a choice by expression", MENU + ONE, "menu one", "*"),
        Case("2.2.1 nomatch and noinput in a menu", MENU + ONE, "menu no menu hm menu one", "7 _ 1"),
        Case("2.2.1 dtmf=true numbers the choices without a key",
             "<menu dtmf='true'>m<choice next='#one'>x</choice><choice dtmf='0' event='exit'>y</choice>"
             "<choice next='#two'>z</choice></menu>" + ONE + form(says("two"), identifier="two"), "m two", "2"),
        Case("2.2.2 dtmf=true beside keys other than 0, * and #",
             "<menu dtmf='true'><choice dtmf='5' next='#one'>x</choice></menu>" + ONE, "", ends="error.badfetch"),
        Case("2.2.4 enumerate with a template",
             "<menu dtmf='true'><prompt><enumerate>Press <value expr='_dtmf'/> for <value expr='_prompt'/>.</enumerate>"
             "</prompt><choice next='#one'>x</choice><choice next='#one'>y</choice></menu>" + ONE,
             "Press 1 for x.Press 2 for y. one", "2"),
        # 2.5 links
        Case("2.5 a document's link is active in its dialogs", LINK + form(ask("a", "boolean")) + ONE, "A one", "9"),
        Case("2.5 a form's link ends with the form",
             form(LINK, ask("a", kind="digits?length=2"), "<block><goto next='#two'/></block>")
             + form(ask("b", "boolean", inside="<nomatch>no<reprompt/></nomatch>"), identifier="two") + ONE,
             "A B no B", "12 9 1"),
        Case("2.5 a link's event is thrown at the item",
             EVENT_LINK + form(ask("a", "boolean", inside="<catch event='com.x.y'><prompt>field <value expr='_message'/></prompt>"
             "<reprompt/></catch>")), "A field why A", "9 1"),
        Case("2.5 a link by dtmf attribute", "<link next='#one' dtmf='0 0'/>" + form(ask("a", "digits?length=3")) + ONE,
             "A one", "00"),
        Case("3.1.4 the field's own grammar goes before a link's of the same words",
             LINK + form("<field name='a'><prompt>A</prompt>" + grammar("<item>9</item>") + "</field>", says("{a}")) + ONE,
             "A 9", "9"),
        Case("2.5 a modal field turns links off", LINK + form(ask("a", attributes="modal='true'"), says("{a}"))
             + ONE, "A 9", "9"),
    ),
)  # fmt: skip
def test_events(case: Case) -> None:
    case.run()
