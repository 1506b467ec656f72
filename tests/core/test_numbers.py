"""Destinations, routes and what may reach a dial string."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.numbers import DestinationKind, NumberError, e164, e164_by_library, parse_destination
from gateway.core.routes import NumberPolicy, Refused, Route, Router, Trunk, check_template


@pytest.mark.parametrize(
    ("text", "dialed", "ani", "postd"),
    [
        ("6175551234", "+16175551234", None, None),
        ("16175551234", "+16175551234", None, None),
        ("tel:+16175551234", "+16175551234", None, None),
        ("16175551234;postd=2", "+16175551234", None, "2"),
        ("tel:+16175551234;ani=8009957586;postd=2", "+16175551234", "8009957586", "2"),
        ("(617) 555-1234", "+16175551234", None, None),
        ("+442071838750", "+442071838750", None, None),
        ("sip:bob@10.0.0.1:5060", "sip:bob@10.0.0.1:5060", None, None),
        ("1001", "1001", None, None),
    ],
)
def test_forms(text: str, dialed: str, ani: str | None, postd: str | None) -> None:
    found = parse_destination(text, "US")
    assert (found.dialed, found.ani, found.postd, found.original) == (dialed, ani, postd, text)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "500&PJSIP/evil", "Local/5@x", "1617555123\r\nAction: x", "6175551234\0", "sip:a@b@c", "sip:a b@c",
     "sip:@host", "sip:x@host:99999", "+1", "16175551234;postd=x;y", "16175551234;ani=a", "٦١٧٥٥٥١٢٣٤", "9" * 129,
     "16175551234;foo=1", "16175551234;ani=1234;ani=2345", "1234567"],
)  # fmt: skip
def test_what_is_no_destination(text: str) -> None:
    with pytest.raises(NumberError):
        parse_destination(text, "US")


@given(st.from_regex(r"\A(\+?1)?[2-9][0-9]{9}\Z"))
def test_the_short_cut_for_north_america_equals_the_library(digits: str) -> None:
    try:
        expected = e164_by_library(digits, "US")
    except NumberError:
        return  # the short cut is never stricter: it falls back to the library
    assert e164(digits, "US") == expected


ROUTER = Router(
    {
        "main": Trunk("main", "PJSIP/{number}@main"),
        "uk": Trunk("uk", "PJSIP/{number}@uk", strip="+44", prefix="0"),
        "pbx": Trunk("pbx", "Local/{number}@from-internal"),
        "sip": Trunk("sip", "PJSIP/out/{number}"),
    },
    [Route("", "main"), Route("+44", "uk"), Route("", "pbx", extensions=True), Route("sip:", "sip", sip=True)],
    NumberPolicy(sip_hosts=frozenset({"host"})),
)
NONE = NumberPolicy()


@pytest.mark.parametrize(
    ("text", "dial"),
    [
        ("+16175551234", "PJSIP/+16175551234@main"),
        ("+442071838750", "PJSIP/02071838750@uk"),
        ("1001", "Local/1001@from-internal"),
        ("sip:bob@host", "PJSIP/out/sip:bob@host"),
    ],
)
def test_routes(text: str, dial: str) -> None:
    found = parse_destination(text, "US")
    assert ROUTER.resolve(found.kind, found.dialed, NONE, "US").dial_string == dial


@pytest.mark.parametrize("text", ["911", "112", "+19005551234", "19005551234"])
def test_emergency_and_premium_numbers_are_refused(text: str) -> None:
    found = parse_destination(text, "US")
    with pytest.raises(Refused, match="emergency|premium"):
        ROUTER.resolve(found.kind, found.dialed, NONE, "US")


def test_lists_take_prefixes_and_whole_numbers() -> None:
    for policy in (NumberPolicy(blocked=("+1617",)), NumberPolicy(allowed=("+44", "+12125550000"))):
        with pytest.raises(Refused, match="list"):
            ROUTER.resolve(DestinationKind.PHONE, "+16175551234", policy, "US")
    assert ROUTER.resolve(DestinationKind.PHONE, "+12125550000", NumberPolicy(allowed=("+12125550000",)), "US")


@given(st.text(max_size=60))
def test_only_safe_characters_ever_reach_a_dial_string(text: str) -> None:
    try:
        found = parse_destination(text, "US")
        dial = ROUTER.resolve(found.kind, found.dialed, NONE, "US").dial_string
    except (NumberError, Refused):
        return
    assert re.fullmatch(r"(PJSIP|Local)/[A-Za-z0-9_.+@/:~*#-]+", dial)


@pytest.mark.parametrize(
    "dial", ["{number}", "PJSIP/1&PJSIP/{number}@x", "PJSIP/{number}@x,30,g", "System/{number}", "PJSIP/x"]
)
def test_templates_that_could_dial_more_are_refused(dial: str) -> None:
    with pytest.raises(ValueError, match="dial"):
        check_template(dial)
