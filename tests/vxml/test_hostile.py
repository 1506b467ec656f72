"""Documents and grammars made to hurt are refused in bounded time and memory, never by anything but error.badfetch."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tests.vxml.caller import HEAD, Caller, document
from tests.vxml.cases import form

SRGS = 'xmlns="http://www.w3.org/2001/06/grammar"'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))


def served(body: bytes) -> Caller:
    return Caller({"http://app/start": body})


def field(rules: str, attributes: str = 'root="r"') -> str:
    grammar = f'<grammar mode="dtmf" version="1.0" {attributes} {SRGS}>{rules}</grammar>'
    return form(f"<field name='a'>{grammar}</field>")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"<!DOCTYPE vxml [{LAUGHS}]>{HEAD}&l9;</vxml>".replace('<?xml version="1.0"?>', ""), id="laughs"),
        pytest.param(
            f'<!DOCTYPE vxml [<!ENTITY q "{"x" * 1000}">]>{HEAD}{"&q;" * 1000}</vxml>'.replace(
                '<?xml version="1.0"?>', ""
            ),
            id="quadratic blow-up",
        ),
        pytest.param(document("<form>" + "<prompt>" * 10_000 + "</prompt>" * 10_000 + "</form>"), id="10,000 deep"),
        pytest.param(document(form() + " " * 50_000_000), id="50 MB"),
        pytest.param(document(form("<block/>" * 300_000)), id="300,000 elements"),
        pytest.param(document(form(f"<block><log expr='{'(' * 100_000}'/></block>")), id="100,000 parentheses"),
        pytest.param("<vxml", id="cut off"),
        pytest.param("\x00\x01\x02", id="no text"),
        pytest.param("", id="empty"),
    ],
)
def test_documents(body: str) -> None:
    data = body.encode()
    tracemalloc.start()
    try:
        caller = served(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caller.ended is not None
    assert caller.ended.error in ("error.badfetch", "error.semantic")
    assert peak < 64 * 1024 * 1024


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    body = f'<!DOCTYPE vxml [<!ENTITY e SYSTEM "{secret.as_uri()}">]>' + document(form("<block>&e;</block>"))[21:]
    caller = served(body.encode()).is_done("error.badfetch")
    assert not caller.heard


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ('<rule id="r"><item repeat="1000000000">1</item></rule>', "error.badfetch"),
        ('<rule id="r"><item repeat="1000"><item repeat="1000"><item repeat="1000">1</item></item></item></rule>',
         "error.badfetch"),
        ('<rule id="r"><ruleref uri="#nowhere"/></rule>', "error.badfetch"),
        ('<rule id="r"><ruleref uri="#r"/></rule>', None),
        ('<rule id="r">1<ruleref uri="#r"/></rule>', None),
        ('<rule id="r"><item repeat="0-"><item repeat="0-">1</item></item></rule>', None),
        ("<rule id='r'>" + "<item>" * 110 + "1" + "</item>" * 110 + "</rule>", "error.badfetch"),
    ],
)  # fmt: skip
def test_grammars(rules: str, error: str | None) -> None:
    caller = Caller({"http://app/start": document(field(rules))})
    if error is not None:
        caller.is_done(error)
    else:
        caller.keys("1111")  # matched or not, in bounded time


def test_a_recursion_without_end_matches_nothing_and_ends() -> None:
    caller = Caller({"http://app/start": document(field('<rule id="r"><ruleref uri="#r"/>1</rule>'))})
    caller.keys("1" * 50)
    assert caller.ended is None
