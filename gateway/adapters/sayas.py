"""Says in words what <say-as> asks for (SSML 1.0 §3.1.8), because espeak-ng does not.

The kinds and formats are those of the W3C note "SSML 1.0 say-as attribute values", and ``vxml:`` those of the builtin
types (VoiceXML 2.0 Appendix P). What cannot be read as the kind that it is said to be is spoken as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal, InvalidOperation

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from lxml import etree
from num2words import num2words

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_MONEY = re.compile(r"([A-Z]{3}|[$€£¥])?\s*(\d+(?:\.\d+)?)\s*([A-Z]{3}|[€£¥])?\Z")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def worded(ssml: str, language: str) -> str:
    """``ssml`` with every <say-as> replaced by its words in ``language``, and without <desc> and <metadata>."""
    if not re.search(r"<(say-as|desc|metadata)\b", ssml):
        return ssml
    root = etree.fromstring(ssml, _PARSER)
    for element in list(root.iter("{*}say-as", "{*}desc", "{*}metadata")):
        text = ""
        if etree.QName(element).localname == "say-as":
            said = "".join(str(part) for part in element.itertext()).strip()
            kind = element.get("interpret-as") or element.get("type") or ""
            text = words(said, kind.removeprefix("vxml:"), element.get("format") or "", language)
        _replace(element, f" {text} " if text else "")
    return etree.tostring(root, encoding="unicode")


def _replace(element: etree._Element, text: str) -> None:
    parent, before = element.getparent(), element.getprevious()
    assert parent is not None
    text += element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
    parent.remove(element)


def words(text: str, kind: str, form: str, language: str) -> str:
    """``text`` as it is to be spoken; ``form`` is the format attribute."""
    say = _KINDS.get(kind)
    if say is None:
        return text
    try:
        return say(text, form, language)
    except (ValueError, InvalidOperation, NotImplementedError, OverflowError, KeyError):
        return text


def _characters(text: str, form: str, language: str) -> str:
    return " ".join(text.replace(" ", ""))


def _telephone(text: str, form: str, language: str) -> str:
    """Groups as they are written, with a pause between; ten digits of North America where nothing divides them."""
    number, _, extension = text.lower().partition("x")
    plain = re.sub(r"\D", "", number)
    groups = re.findall(r"\d+", number)
    if len(groups) == 1 and re.fullmatch(r"1?\d{10}", plain):
        groups = [plain[:-10], plain[-10:-7], plain[-7:-4], plain[-4:]]
    said = ", ".join(" ".join(group) for group in groups if group)
    if extension := re.sub(r"\D", "", extension):
        said += f", extension {' '.join(extension)}"
    return said or text


def _cardinal(text: str, form: str, language: str) -> str:
    return str(num2words(_exact(text), lang=_short(language)))


def _ordinal(text: str, form: str, language: str) -> str:
    return str(num2words(int(text), to="ordinal", lang=_short(language)))


def _currency(text: str, form: str, language: str) -> str:
    """``USD12.50`` (Appendix P), ``$12.50``, ``12.50 EUR``."""
    match = _MONEY.match(text.replace(",", ""))
    if match is None:
        return text
    unit = match[1] or match[3] or form or "USD"
    amount = float(match[2])
    return str(num2words(amount, to="currency", currency=_SIGNS.get(unit, unit), lang=_short(language)))


def _date(text: str, form: str, language: str) -> str:
    """``yyyymmdd`` with ``?`` for what is unknown (Appendix P), or numbers in the order that ``form`` names."""
    parts = dict.fromkeys("ymd", 0)
    if re.fullmatch(r"[\d?]{8}", text):
        numbers = (text[:4], text[4:6], text[6:])
        order = "ymd"
    else:
        numbers = tuple(re.findall(r"\d+", text))
        order = form or ("ymd" if len(numbers[:1]) == 1 and len(numbers[0]) == 4 else "mdy")
    for letter, number in zip(order, numbers, strict=True):
        parts[letter] = int(number) if number.isdigit() else 0
    year, month, day = parts["y"], parts["m"], parts["d"]
    skeleton = f"{'MMMM' if month else ''}{' d' if day else ''}{', y' if year else ''}".lstrip(", ")
    if not month:
        return str(year or _ordinal(str(day), "", language))
    locale = _locale(language)
    full = year and day
    return str(format_date(date(year or 2000, month, day or 1), "long" if full else skeleton, locale))


def _time(text: str, form: str, language: str) -> str:
    """``hhmm`` and then a, p, h or ? (Appendix P), or ``hh:mm`` and ``hh:mm:ss``."""
    match = re.fullmatch(r"(\d{1,2})[:.]?(\d{2})(?:[:.](\d{2}))?\s*([aphAPH?])?[mM]?\.?", text)
    if match is None:
        return text
    hour, half = int(match[1]), (match[4] or "").lower()
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    return str(format_time(time(hour, int(match[2])), "short", locale=_locale(language))).replace("\u202f", " ")


def _exact(text: str) -> Decimal | int:
    number = Decimal(text.replace(",", ""))
    return int(number) if number == number.to_integral_value() else number


def _short(language: str) -> str:
    return language.partition("-")[0].lower()


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


_KINDS: dict[str, Callable[[str, str, str], str]] = {
    "characters": _characters, "spell-out": _characters, "acronym": _characters, "digits": _characters,
    "telephone": _telephone, "phone": _telephone, "cardinal": _cardinal, "number": _cardinal, "ordinal": _ordinal,
    "currency": _currency, "date": _date, "time": _time,
}  # fmt: skip
