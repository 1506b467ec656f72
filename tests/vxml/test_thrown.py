"""Events of the host's own: caught by handlers that name them, while input is waited for, and never the end."""

from __future__ import annotations

import pytest

from tests.vxml.caller import Caller, document
from vxml import Thrown

NEWS = "com.voxgate.callee_type"
FIELD = '<field name="n" type="digits?length=1"><prompt>Say a number</prompt>{}</field>'
CONNECTION = {"connection": {"callee_type": "processing"}}


def calling(body: str, **pages: str) -> Caller:
    return Caller(
        {"http://app/start": document(body), **{f"http://app/{name}": document(page) for name, page in pages.items()}},
        variables=dict(CONNECTION),
    )


def tells(caller: Caller, value: str) -> None:
    caller.session.inform({"connection": {"callee_type": value}})


@pytest.mark.parametrize("caught", [NEWS, "com.voxgate", "noinput com.voxgate.callee_type", "com"])
def test_a_handler_that_names_it_is_run(caught: str) -> None:
    handler = f'<catch event="{caught}"><prompt><value expr="session.connection.callee_type"/></prompt><exit/></catch>'
    caller = calling(f"<form>{handler}{FIELD.format('')}</form>").hears("Say a number")
    assert caller.session.catches(NEWS)
    tells(caller, "answeringmachine")
    caller.answers(Thrown(NEWS, "a beep")).hears("answeringmachine").is_done()


@pytest.mark.parametrize(
    "handler",
    ["", "<catch><exit/></catch>", '<catch event="."><exit/></catch>', '<catch event="com.other"><exit/></catch>'],
)
def test_what_takes_everything_does_not_take_it(handler: str) -> None:
    caller = calling(f"<form>{handler}{FIELD.format('')}</form>")
    assert not caller.session.catches(NEWS)


def test_after_the_handler_the_same_input_is_waited_for_without_its_prompt() -> None:
    handler = f'<catch event="{NEWS}"><log expr="_event + \':\' + _message"/></catch>'
    caller = calling(f"<form>{FIELD.format(handler + '<filled>Thank you</filled>')}</form>").hears("Say a number")
    assert not caller.waiting.again
    caller.answers(Thrown(NEWS, "beep")).hears()
    assert caller.waiting.again
    assert caller.logged[-1][1] == f"{NEWS}:beep"
    caller.keys("4").hears("Thank you").is_done()


def test_a_reprompt_says_it_again() -> None:
    handler = f'<catch event="{NEWS}"><reprompt/></catch>'
    caller = calling(f"<form>{FIELD.format(handler)}</form>").hears("Say a number")
    caller.answers(Thrown(NEWS)).hears("Say a number")
    assert not caller.waiting.again


@pytest.mark.parametrize("unfit", ['cond="false"', 'count="2"'])
def test_where_the_handler_does_not_apply_after_all_the_dialog_goes_on(unfit: str) -> None:
    caller = calling(f'<form><catch event="{NEWS}" {unfit}><exit/></catch>{FIELD.format("")}</form>')
    assert caller.session.catches(NEWS)
    caller.hears("Say a number").answers(Thrown(NEWS)).hears()
    assert caller.waiting.again
    caller.keys("4").is_done()


def test_handlers_of_the_document_its_root_and_a_subdialogs_own_count_while_they_are_in_force() -> None:
    root = f'<catch event="{NEWS}"><prompt>Root</prompt></catch>'
    leaf = f'<form><subdialog name="s" src="sub"/>{FIELD.format("")}</form>'
    caller = Caller(
        {
            "http://app/start": document(leaf).replace("<vxml ", '<vxml application="root" ', 1),
            "http://app/root": document(root),
            "http://app/sub": document(f"<form>{FIELD.format('')}<block><return/></block></form>"),
        },
        variables=dict(CONNECTION),
    )
    assert not caller.session.catches(NEWS)  # the subdialog's context has no such handler
    tells(caller, "voice")
    caller.keys("1")
    assert caller.session.catches(NEWS)
    caller.hears("Say a number", "Say a number").answers(Thrown(NEWS)).hears("Root")


def test_what_is_told_holds_everywhere_and_from_then_on() -> None:
    said = '<block><prompt><value expr="session.connection.callee_type"/></prompt></block>'
    caller = calling(
        f'<form>{FIELD.format("")}<block><goto next="second"/></block></form>', second=f"<form>{said}</form>"
    )
    tells(caller, "voice")
    caller.hears("Say a number").keys("1").hears("voice").is_done()


def test_it_stays_read_only_to_the_application() -> None:
    caller = calling(
        f'<form>{FIELD.format("")}<block><assign name="session.connection.callee_type" expr="\'x\'"/></block></form>'
    )
    tells(caller, "voice")
    caller.keys("1").is_done("error.semantic")


def test_nothing_catches_while_no_input_is_waited_for() -> None:
    caller = calling(f'<form><catch event="{NEWS}"/><record name="r"/></form>')
    assert not caller.session.catches(NEWS)


def test_an_input_that_something_else_is_waited_for_after_is_another_one() -> None:
    handler = f'<catch event="{NEWS}"><assign name="n" expr="\'5\'"/></catch>'
    second = '<field name="m" type="digits?length=1"><prompt>And one more</prompt></field>'
    caller = calling(f"<form>{handler}{FIELD.format('')}{second}</form>").hears("Say a number")
    caller.answers(Thrown(NEWS)).hears()
    assert not caller.waiting.again
