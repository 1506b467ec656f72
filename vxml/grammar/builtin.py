"""The builtin DTMF grammars boolean, digits and number (VoiceXML 2.0 Appendix P)."""

from __future__ import annotations

from urllib.parse import unquote

from vxml.errors import VoiceXmlEvent
from vxml.grammar.dtmf import Chain, Choice, DtmfGrammar, Expression, Repeat, Tag, Token

_DIGIT = Choice(tuple(Token(digit) for digit in "0123456789"))


def builtin(text: str) -> DtmfGrammar:
    """``text`` is ``digits``, ``digits?minlength=3;maxlength=5`` and so on. Raises error.unsupported.builtin."""
    name, _, query = text.partition("?")
    parameters = {}
    for part in query.replace("&", ";").split(";"):
        key, _, value = part.partition("=")
        if key.strip():
            parameters[key.strip()] = unquote(value.strip())
    match name.strip():
        case "boolean":
            expression: Expression = _boolean(parameters)
        case "digits":
            expression = _digits(parameters)
        case "number":
            expression = Chain((Repeat(_DIGIT, 0, None), Repeat(Chain((Token("*"), Repeat(_DIGIT, 0, None))), 0, 1)))
        case other:
            raise VoiceXmlEvent("error.unsupported.builtin", f"the builtin grammar {other!r} is not supported")
    return DtmfGrammar(expression)


def _boolean(parameters: dict[str, str]) -> Expression:
    yes, no = parameters.get("y", "1"), parameters.get("n", "2")
    if yes == no or not all(len(key) == 1 and key in "0123456789*#" for key in (yes, no)):
        raise VoiceXmlEvent("error.badfetch", "boolean: y and n must be two different keys")
    return Choice((Chain((Token(yes), Tag("out = true;"))), Chain((Token(no), Tag("out = false;")))))


def _digits(parameters: dict[str, str]) -> Expression:
    try:
        length = parameters.get("length")
        low = int(length or parameters.get("minlength", "1"))
        high = int(length) if length else int(parameters["maxlength"]) if "maxlength" in parameters else None
    except ValueError:
        raise VoiceXmlEvent("error.badfetch", "digits: lengths must be integers") from None
    if low < 0 or (high is not None and (high < low or high > 10_000)) or low > 10_000:
        raise VoiceXmlEvent("error.badfetch", "digits: minlength exceeds maxlength")
    return Repeat(_DIGIT, low, high)


def number_value(digits: str) -> str:
    """The value of the number grammar's input: the star is the decimal point."""
    return digits.replace("*", ".")
