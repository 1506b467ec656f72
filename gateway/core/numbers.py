"""Reads destinations in every form that the Plum contract knows, and nothing that could reach further than a number."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException

MAX_LENGTH = 128
MAX_POSTD = 64


class DestinationKind(StrEnum):
    PHONE = "phone"
    SIP = "sip"
    EXTENSION = "extension"


class NumberError(ValueError):
    """A text that is no destination; the message names the rule."""


class Destination(NamedTuple):
    """``dialed`` is E.164 with ``+``, ``sip:user@host`` or an extension's digits; ``original`` is the text as given."""

    kind: DestinationKind
    dialed: str
    original: str
    ani: str | None = None
    postd: str | None = None


VISUAL = str.maketrans("", "", " -.()/")
DIGITS = re.compile(r"\+?[0-9]+\Z")
_SIP = re.compile(
    r"sips?:([A-Za-z0-9_.+~-]{1,64})@([A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?)(?::([0-9]{1,5}))?\Z"
)
_POSTD = re.compile(r"[0-9*#A-Da-dwW,pP]+\Z")
_ANI = re.compile(r"\+?[0-9]{2,20}\Z")
#: North American numbers: area code and exchange begin with 2-9 and are no N11 code (NANPA).
_NANP = re.compile(r"(?:\+?1)?([2-9](?!11)[0-9]{2}[2-9](?!11)[0-9]{2}[0-9]{4})\Z")
EXTENSION_DIGITS = 6


def parse_destination(text: str, country: str) -> Destination:
    """Read ``text``; numbers without a country code are taken to be of ``country`` (ISO 3166, as ``US``).

    Raises :class:`NumberError`. Up to six digits are an extension of the PBX.
    """
    if len(text) > MAX_LENGTH:
        raise NumberError(f"is longer than {MAX_LENGTH} characters")
    if not text.isascii() or not text.isprintable():
        raise NumberError("holds characters that no telephone number has")
    target, parameters = _split(text.strip())
    if not target:
        raise NumberError("is empty")
    ani = _parameter(parameters, "ani", _ANI, "must be 2 to 20 digits, with or without +")
    postd = _parameter(parameters, "postd", _POSTD, "may hold digits, *, #, A-D, and w, p or a comma for a pause")
    if postd is not None and len(postd) > MAX_POSTD:
        raise NumberError(f"postd is longer than {MAX_POSTD} characters")
    if target[:4].lower() == "sip:" or target[:5].lower() == "sips:":
        return Destination(DestinationKind.SIP, _sip(target), text, ani, postd)
    if target[:4].lower() == "tel:":
        target = target[4:]
    digits = target.translate(VISUAL)
    if not DIGITS.match(digits):
        raise NumberError("is neither a telephone number, a sip: address nor an extension")
    if len(digits) <= EXTENSION_DIGITS and not digits.startswith("+"):
        return Destination(DestinationKind.EXTENSION, digits, text, ani, postd)
    return Destination(DestinationKind.PHONE, e164(digits, country), text, ani, postd)


def e164(digits: str, country: str) -> str:
    """``digits`` (with or without ``+``) as E.164. Raises :class:`NumberError`."""
    if country == "US" and (match := _NANP.match(digits)):
        return f"+1{match[1]}"
    return e164_by_library(digits, country)


def e164_by_library(digits: str, country: str) -> str:
    """The same through phonenumbers: what :func:`e164`'s short cut for North America is held to."""
    try:
        number = phonenumbers.parse(digits, country)
    except NumberParseException as error:
        raise NumberError(f"is no telephone number: {error}".rstrip(".")) from None
    # A number without its area code is "possible locally": nobody could dial it as E.164.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberError(f"is not a possible number of country {country} (write others with + and country code)")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _split(text: str) -> tuple[str, dict[str, str]]:
    target, *rest = text.split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        name, equals, value = part.strip().partition("=")
        name = name.strip().lower()
        if not name and not value:
            continue
        if name not in ("ani", "postd") or not equals:
            raise NumberError(f"has a parameter other than ani and postd: {part.strip()[:30]!r}")
        if name in parameters:
            raise NumberError(f"gives {name} twice")
        parameters[name] = value.strip()
    return target.strip(), parameters


def _parameter(parameters: dict[str, str], name: str, form: re.Pattern[str], rule: str) -> str | None:
    value = parameters.get(name)
    if value is None:
        return None
    if name == "ani":
        value = value.translate(VISUAL)
    if not form.match(value):
        raise NumberError(f"{name} {rule}")
    return value


def _sip(target: str) -> str:
    match = _SIP.match(target)
    if match is None or ".." in match[2]:
        raise NumberError("is no sip: address of the form sip:user@host or sip:user@host:port")
    if match[3] is not None and not 0 < int(match[3]) < 65536:
        raise NumberError("names a port outside 1-65535")
    port = "" if match[3] is None else f":{match[3]}"
    return f"sip:{match[1]}@{match[2].lower()}{port}"
