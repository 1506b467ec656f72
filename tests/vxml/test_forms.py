"""Forms and the form interpretation algorithm (VoiceXML 2.0 §2.1, Appendix C)."""

from __future__ import annotations

import pytest

from tests.vxml.cases import Case, ask, form, grammar, params, says, values

REPROMPT = "<noinput><reprompt/></noinput>"
BOTH = grammar("<item>1 2</item><tag>out.a='x'; out.b='y'</tag>")


@pytest.mark.parametrize(
    "case",
    params(
        Case("2.1.1 items in document order", form(says("a"), says("b"), says("c")), "a b c"),
        Case("2.1.2 an item with a value is not visited", form("<block name='x' expr='1'>no</block>"), ""),
        Case("2.1.2 cond false is passed over", form("<block cond='false'>no</block>", says("yes")), "yes"),
        Case(
            "2.1.2 cond is looked at anew each time",
            form(
                "<var name='go' expr='false'/><block cond='go'>late</block>",
                ask("a", inside="<filled><assign name='go' expr='true'/></filled>"),
            ),
            "A late",
            "1",
        ),
        Case("2.1.2 a field with an expr is filled", form(ask("a", attributes="expr='4'"), says("{a}")), "4"),
        Case("2.1.4 variables in order", form("<var name='x' expr='2'/><var name='y' expr='x*3'/>", says("{y}")), "6"),
        Case("2.1.6 no item left: an implicit exit", form(says("a"), identifier="a") + form(says("never")), "a"),
        Case(
            "2.1.6 a goto between dialogs of a document",
            form(says("first"), "<block><goto next='#z'/></block>")
            + form(says("y"), identifier="y")
            + form(says("z"), identifier="z"),
            "first z",
        ),
        Case(
            "5.3.3 clear makes an item eligible again",
            form(
                "<var name='n' expr='0'/><block name='b'>again<assign name='n' expr='n+1'/></block>",
                "<block cond='n &lt; 3' name='c'><clear namelist='b c'/></block>",
            ),
            "again again again",
        ),
        Case(
            "5.3.6 the prompt again after a handler with reprompt only",
            form(
                ask("a", inside="<noinput count='1'>hm</noinput><noinput count='2'>well<reprompt/></noinput>"),
            ),
            "A hm well A",
            "_ _ 1",
        ),
        Case(
            "5.3.7 nextitem visits an item, then the others by order",
            form(
                "<block>one<goto nextitem='c'/></block><block name='b'>b</block><block name='c'>c</block>",
            ),
            "one c b",
        ),
        Case(
            "5.3.7 expritem",
            form("<block><goto expritem=\"'c'\"/></block><block name='b'>b</block><block name='c'>c</block>"),
            "c b",
        ),
        Case(
            "5.3.7 an item that is not there",
            form("<block><goto nextitem='nowhere'/></block>"),
            "",
            ends="error.badfetch",
        ),
        Case(
            "5.3.7 a dialog that is not there",
            form("<block><goto next='#nowhere'/></block>"),
            "",
            ends="error.badfetch",
        ),
        Case(
            "5.3.7 next and nextitem together",
            form("<block><goto next='#a' nextitem='b'/></block>"),
            "",
            ends="error.badfetch",
        ),
        Case(
            "2.4 filled elements run in document order",
            form(ask("a"), "<filled><prompt>1</prompt></filled><filled><prompt>2</prompt></filled>"),
            "A 1 2",
            "5",
        ),
        Case(
            "2.4 mode all waits for every field",
            form(ask("a"), ask("b"), f"<filled><prompt>{values('{a}{b}')}</prompt></filled>"),
            "A B 12",
            "1 2",
        ),
        Case(
            "2.4 mode any",
            form(ask("a"), ask("b"), "<filled mode='any'><prompt>any</prompt></filled>"),
            "A any B any",
            "1 2",
        ),
        Case(
            "2.4 namelist",
            form(ask("a"), ask("b"), ask("c"), f"<filled namelist='a b'><prompt>{values('{a}{b}')}</prompt></filled>"),
            "A B 12 C",
            "1 2 3",
        ),
        Case(
            "2.4 the field's filled and the form's, in document order",
            form(ask("a", inside="<filled><prompt>field</prompt></filled>"), "<filled><prompt>form</prompt></filled>"),
            "A field form",
            "1",
        ),
        Case(
            "2.4 a namelist within an input item",
            form(ask("a", inside="<filled namelist='a'>x</filled>")),
            "",
            ends="error.badfetch",
        ),
        Case(
            "2.1.6.2.3 clear within filled asks again",
            form(ask("a", inside="<filled><if cond='a==9'><clear namelist='a'/></if></filled>"), says("{a}")),
            "A A 3",
            "9 3",
        ),
        Case(
            "5.3.3 clear resets prompt and event counters",
            form(
                "<field name='a' type='digits?length=1'><prompt count='1'>first</prompt><prompt count='2'>second</prompt>"
                "<noinput count='1'>n1<reprompt/></noinput><noinput count='2'>n2<clear/><reprompt/></noinput></field>"
            ),
            "first n1 second n2 first n1 second",
            "_ _ _ 1",
        ),
        Case(
            "2.1.5 initial, then the directed fields",
            form(
                grammar("<item>1 2</item><tag>out.a='x'</tag>"), "<initial>start</initial>", ask("a"), ask("b")
            ).replace("</form>", says("{a}{b}") + "</form>"),
            "start B x4",
            "12 4",
        ),
        Case(
            "2.1.5 initial fills several fields at once",
            form(BOTH, "<initial>start</initial>", ask("a"), ask("b"), says("{a}{b}")),
            "start xy",
            "12",
        ),
        Case(
            "2.3.3 a handler ends initial by assigning it",
            form(
                BOTH,
                "<initial name='i'>start<noinput>hm<assign name='i' expr='true'/><reprompt/></noinput></initial>",
                ask("a"),
                "<block><exit/></block>",
            ),
            "start hm A",
            "_ 1",
        ),
        Case(
            "2.3.1 a modal field turns the form's grammars off",
            form(
                grammar("<item>*</item><tag>out.b='star'</tag>"),
                ask("a", attributes="modal='true'", inside="<nomatch>no<reprompt/></nomatch>"),
                ask("b"),
                says("{a}"),
            ),
            "A no A B 5",
            "* 5 6",
        ),
        Case(
            "2.1.5 a form's grammar fills another field; the item is asked again",
            form(grammar("<item>0 0</item><tag>out.b='zz'</tag>"), ask("a"), ask("b"), says("{a}{b}")),
            "A A 3zz",
            "00 3",
        ),
        Case(
            "C without reprompt the next item is silent, whichever it is",
            form(
                "<field name='a' type='digits?length=1'>a<noinput><assign name='a' expr='1'/></noinput></field>",
                ask("b", inside="<noinput>well<exit/></noinput>"),
            ),
            "a well",
            "_ _",
        ),
        Case(
            "C an endless form is stopped",
            form("<block><goto next='#a'/></block>", identifier="a"),
            "",
            ends="error.voxgate.loop",
        ),
        Case("4.1.6 prompt counters are each item's own", form(ask("a", inside=REPROMPT), ask("b")), "A A B", "_ 1 2"),
        Case(
            "4.1.6 the highest count that is not above the counter",
            form(
                "<field name='a' type='digits?length=1'><prompt count='1'>1</prompt><prompt count='3'>3</prompt>"
                + REPROMPT
                + "</field>"
            ),
            "1 1 3 3",
            "_ _ _ 5",
        ),
        Case(
            "4.1.6 several prompts of one count",
            form("<field name='a' type='digits?length=1'><prompt>x</prompt><prompt>y</prompt></field>"),
            "x y",
            "5",
        ),
        Case(
            "4.1.4 a prompt's cond",
            form("<field name='a' type='digits?length=1'><prompt cond='1==2'>x</prompt><prompt>y</prompt></field>"),
            "y",
            "5",
        ),
        Case("4.1.8 queued prompts come before the field's", form(says("welcome"), ask("a")), "welcome A", "1"),
        Case(
            "2.3.2 a block's variable is true once visited", form("<block name='b'>hi</block>", says("{b}")), "hi true"
        ),
        Case("5.3.9 exit ends everything", form("<block>a<exit/>b</block>"), "a"),
        Case("5.3.10 return outside a subdialog", form("<block><return/></block>"), "", ends="error.semantic"),
        Case(
            "5.3.11 disconnect, then the handler",
            "<catch event='connection.disconnect.hangup'><log>bye</log></catch>"
            + form("<block>a<disconnect/></block>"),
            "a <hangup>",
            logs="bye",
        ),
        Case(
            "1.5.4 after a hang-up nothing is said, and other dialogs still run",
            "<catch event='connection.disconnect'><goto next='#after'/></catch>"
            + form(ask("a"))
            + form("<block><log>after</log>unheard<log>more</log></block>", identifier="after"),
            "A",
            "^",
            logs="after more",
        ),
        Case(
            "1.5.4 a second question after a hang-up ends the session",
            "<catch event='connection.disconnect'><log>one</log><goto next='#again'/></catch>"
            + form(ask("a"))
            + form(ask("b"), "<block><log>never</log></block>", identifier="again"),
            "A",
            "^",
            logs="one",
        ),
        Case("1.5.4 without a handler a hang-up is a regular end", form(ask("a")), "A", "^"),
    ),
)
def test_forms(case: Case) -> None:
    case.run()
