"""The builtin grammars boolean, date, digits, currency, number, phone and time (VoiceXML 2.0 Appendix P).

By keys each is an automaton; by voice (English) a function of the words. The results have the forms of Appendix P.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from vxml.errors import VoiceXmlEvent, badfetch
from vxml.grammar.expression import Chain, Choice, Expression, Repeat, Token
from vxml.grammar.spoken import digits_of, integer_of, number_of

Value = bool | str
#: The value of the words, or None where they do not match.
Spoken = Callable[[Sequence[str]], Value | None]

_DIGIT = Choice(tuple(Token(digit) for digit in "0123456789"))
_STAR = Token("*")
MAX_DIGITS = 10_000
NAMES = ("boolean", "date", "digits", "currency", "number", "phone", "time")
_MONTHS = (
    "january february march april may june july august september october november december".split()
)  # fmt: skip
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        1,
    )
} | {"thirtieth": 30}


def split(text: str) -> tuple[str, dict[str, str]]:
    """``digits?minlength=3;maxlength=5`` as name and parameters."""
    name, _, query = text.partition("?")
    parameters = {}
    for part in query.replace("&", ";").split(";"):
        key, _, value = part.partition("=")
        if key.strip():
            parameters[key.strip()] = unquote(value.strip())
    if name.strip() not in NAMES:
        raise VoiceXmlEvent("error.unsupported.builtin", f"there is no builtin grammar {name.strip()!r}")
    return name.strip(), parameters


def keys(name: str, parameters: dict[str, str]) -> Expression:
    """What may be keyed. Raises error.badfetch for parameters that make no sense."""
    digits = Repeat(_DIGIT, 1, None)
    fraction = Repeat(Chain((_STAR, Repeat(_DIGIT, 0, None))), 0, 1)
    cents = Chain((_STAR, Repeat(_DIGIT, 2, 2)))
    shapes: dict[str, Callable[[], Expression]] = {
        "boolean": lambda: Choice(tuple(Token(key) for key in _yes_no(parameters))),
        "digits": lambda: _lengths(parameters),
        "number": lambda: Chain((Repeat(_DIGIT, 0, None), fraction)),
        "currency": lambda: Choice((Chain((digits, Repeat(cents, 0, 1))), cents)),
        "date": lambda: Repeat(_DIGIT, 8, 8),
        "time": lambda: Repeat(_DIGIT, 4, 4),
        "phone": lambda: Chain((digits, Repeat(Chain((_STAR, digits)), 0, 1))),
    }
    return shapes[name]()


def keyed_value(name: str, parameters: dict[str, str], digits: str) -> Value | None:
    """The value of keys that fit the shape; None where they mean nothing (the thirteenth month)."""
    match name:
        case "boolean":
            return digits == _yes_no(parameters)[0]
        case "number":
            text = digits.replace("*", ".").removesuffix(".")
            return text or None
        case "currency":  # mm.nn; the keys name no currency
            whole, _, part = digits.partition("*")
            return f"{whole or 0}.{part or '00'}"
        case "date":
            return digits if 1 <= int(digits[4:6]) <= 12 and 1 <= int(digits[6:]) <= 31 else None
        case "time":
            hour, minute = int(digits[:2]), int(digits[2:])
            if hour > 23 or minute > 59:
                return None
            return digits + ("?" if 1 <= hour <= 12 else "h")
        case "phone":
            return digits.replace("*", "x")
    return digits


def spoken(name: str, parameters: dict[str, str]) -> Spoken:
    """What may be said."""
    match name:
        case "boolean":
            return _say_boolean
        case "digits":
            low, high = _bounds(parameters)
            return lambda words: _bounded(digits_of(words), low, high)
        case "number":
            return number_of
        case "currency":
            return _say_currency
        case "date":
            return _say_date
        case "time":
            return _say_time
    return _say_phone


def _yes_no(parameters: dict[str, str]) -> tuple[str, str]:
    yes, no = parameters.get("y", "1"), parameters.get("n", "2")
    if yes == no or not all(len(key) == 1 and key in "0123456789*#" for key in (yes, no)):
        raise badfetch("boolean: y and n must be two different keys")
    return yes, no


def _bounds(parameters: dict[str, str]) -> tuple[int, int | None]:
    try:
        given = {key: int(parameters[key]) for key in ("length", "minlength", "maxlength") if key in parameters}
    except ValueError:
        raise badfetch("digits: lengths must be integers") from None
    if any(not 0 <= value <= MAX_DIGITS for value in given.values()):
        raise badfetch(f"digits: lengths are from 0 to {MAX_DIGITS}")
    length, high = given.get("length"), given.get("maxlength")
    low = given.get("minlength", 1 if length is None else 0)
    if length is not None:
        if not low <= length <= (length if high is None else high):
            raise badfetch("digits: length contradicts minlength or maxlength")
        return length, length
    if high is not None and high < low:
        raise badfetch("digits: minlength exceeds maxlength")
    return low, high


def _lengths(parameters: dict[str, str]) -> Expression:
    return Repeat(_DIGIT, *_bounds(parameters))


def _bounded(digits: str | None, low: int, high: int | None) -> str | None:
    return digits if digits is not None and low <= len(digits) and (high is None or len(digits) <= high) else None


def _say_boolean(words: Sequence[str]) -> Value | None:
    said = " ".join(words)
    if said in ("yes", "yeah", "yep", "yes please", "correct", "right", "true", "sure"):
        return True
    return False if said in ("no", "nope", "no thanks", "wrong", "false") else None


def _say_phone(words: Sequence[str]) -> str | None:
    said = list(words)
    if "extension" in said:
        at = said.index("extension")
        number, extension = digits_of(said[:at]), digits_of(said[at + 1 :])
        return None if number is None or extension is None else f"{number}x{extension}"
    return digits_of(said)


def _say_currency(words: Sequence[str]) -> str | None:
    """UUUmm.nn, with the three letters of ISO 4217 where a currency was named."""
    units = {"dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "pound": "GBP", "pounds": "GBP"}
    said = [word for word in words if word != "and"]
    at = next((index for index, word in enumerate(said) if word in units), None)
    if at is None:
        return None
    whole = integer_of(said[:at])
    rest = [word for word in said[at + 1 :] if word not in ("cent", "cents", "pence", "penny")]
    part = integer_of(rest) if rest else 0
    return None if whole is None or part is None or part > 99 else f"{units[said[at]]}{whole}.{part:02d}"


def _say_date(words: Sequence[str]) -> str | None:
    """yyyymmdd, with question marks for a year that was not said."""
    said = [word for word in words if word not in ("the", "of")]
    at = next((index for index, word in enumerate(said) if word in _MONTHS), None)
    if at is None:
        return None
    month = _MONTHS.index(said[at]) + 1
    rest = said[:at] + said[at + 1 :]
    for length in (2, 1):
        day = _day(rest[:length])
        if day is not None and len(rest) >= length:
            year = _year(rest[length:])
            return None if year is None else f"{year}{month:02d}{day:02d}"
    return None


def _day(words: Sequence[str]) -> int | None:
    if not words:
        return None
    if words[-1] in _ORDINALS:
        tens = {"twenty": 20, "thirty": 30}.get(words[0], 0) if len(words) == 2 else 0
        value: int | None = tens + _ORDINALS[words[-1]] if len(words) == 1 or tens else None
    else:
        value = integer_of(words)
    return value if value is not None and 1 <= value <= 31 else None


def _year(words: Sequence[str]) -> str | None:
    if not words:
        return "????"
    whole = integer_of(words)
    if whole is not None and 1000 <= whole <= 9999:
        return str(whole)
    for cut in range(1, len(words)):  # nineteen ninety nine
        high, low = integer_of(words[:cut]), integer_of(words[cut:])
        if high is not None and low is not None and 10 <= high <= 99 and low <= 99:
            return f"{high}{low:02d}"
    return None


def _say_time(words: Sequence[str]) -> str | None:
    """hhmmx: x is h for 24 hours, a or p, or ? where it was not said."""
    said = re.sub(r"\b([ap])[. ]+m\b", r"\1m", " ".join(words)).replace("o'clock", "").split()
    half = {"am": "a", "pm": "p"}.get(said[-1]) if said else None
    if half:
        said = said[:-1]
    if said in (["noon"], ["midnight"]):
        return "1200p" if said == ["noon"] else "1200a"
    for cut in range(len(said), 0, -1):
        hour = integer_of(said[:cut])
        rest = ["zero" if word == "oh" else word for word in said[cut:]]
        minute = integer_of([word for word in rest if word != "zero"] or ["zero"]) if rest else 0
        if hour is not None and minute is not None and hour <= 23 and minute <= 59:
            if half and not 1 <= hour <= 12:
                return None
            return f"{hour:02d}{minute:02d}{half or ('?' if 1 <= hour <= 12 else 'h')}"
    return None
