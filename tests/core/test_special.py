"""Whom machines do not call unless the operator says so, in every way of writing it; and what alone may be dialed."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.numbers import NumberError, parse_destination
from gateway.core.routes import (
    Dialable,
    NumberFormat,
    NumberPolicy,
    Refused,
    Route,
    Router,
    Trunk,
    Unrouted,
    check_entry,
)
from gateway.core.special import is_emergency, is_plain, refusal

#: A country each for most of the world's emergency numbers.
COUNTRIES = ("US", "GB", "DE", "FR", "AU", "JP", "IN", "BR", "CN", "ZA", "MX", "CH", "NL", "HK", "NG")
HOSTS = frozenset({"pbx.example", "10.0.0.9"})
TRUNKS = {
    "e164": Trunk("e164", "PJSIP/{number}@e164"),
    "bare": Trunk("bare", "PJSIP/{number}@bare", format=NumberFormat.E164_NO_PLUS),
    "national": Trunk("national", "PJSIP/{number}@national", format=NumberFormat.NATIONAL, prefix="9"),
    "pbx": Trunk("pbx", "Local/{number}@from-internal"),
    "sip": Trunk("sip", "PJSIP/out/{number}"),
}
OPEN = NumberPolicy()


def router(phones: str = "e164", prefix: str = "", **policy: object) -> Router:
    trunks = {**TRUNKS, "pbx": Trunk("pbx", TRUNKS["pbx"].dial, prefix=prefix)}
    routes = [Route("", phones), Route("", "pbx", extensions=True), Route("", "sip", sip=True)]
    return Router(trunks, routes, NumberPolicy(sip_hosts=HOSTS, **policy))  # type: ignore[arg-type]


def dial(text: str, country: str = "US", account: NumberPolicy = OPEN, house: Router | None = None) -> Dialable:
    """Raises :class:`NumberError`, :class:`Refused`."""
    found = parse_destination(text, country)
    return (house or router()).resolve(found.kind, found.dialed, account, country)


def emergencies(country: str) -> list[str]:
    short = (f"{number:0{digits}d}" for digits in (2, 3) for number in range(10**digits))
    return [one for one in short if phonenumbers.is_emergency_number(one, country)]


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_way_of_writing_an_emergency_number_is_dialed(country: str) -> None:
    numbers, code = emergencies(country), phonenumbers.country_code_for_region(country)
    assert numbers, country
    for number in {*numbers, "112", "911", "999"}:
        ways = [
            number, f"tel:{number}", f" {number[0]}-{number[1:]} ", f"+{code}{number}", f"+{code} {number}",
            f"sip:{number}@pbx.example", f"sip:+{code}{number}@10.0.0.9", f"sip:{number[0]}.{number[1:]}@pbx.example",
        ]  # fmt: skip
        if len(number) >= 3:
            ways += [f"{outside}{number}" for outside in ("0", "9", "00", "99", "09")]
        for text in ways:
            for phones in ("e164", "bare", "national"):
                with pytest.raises((NumberError, Refused)):
                    dial(text, country, house=router(phones))
        assert dial(number, country, house=router(emergency=True)).dial_string == f"Local/{number}@from-internal"


@pytest.mark.parametrize(("prefix", "text"), [("9", "11"), ("1", "12"), ("", "112"), ("9", "112"), ("99", "9")])
def test_a_trunks_prefix_makes_no_emergency_number(prefix: str, text: str) -> None:
    with pytest.raises(Refused, match="emergency"):
        dial(text, house=router(prefix=prefix))


@pytest.mark.parametrize("text", ["1001", "901", "1120", "9100", "21", "555", "0", "110", "911911"])
def test_extensions_that_only_look_like_it_are_dialed(text: str) -> None:
    assert dial(text).dial_string == f"Local/{text}@from-internal"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("+19005551234", "premium"), ("9005551234", "premium"), ("+15005550100", "personal"),
        ("+447012345678", "personal"), ("+443301234567", "UAN"), ("+449098765432", "premium"),
        ("+4918012345678", "shared-cost"), ("+499001234567", "premium"), ("+80812345678", "shared-cost"),
        ("+97912345678", "premium|possible"), ("+881612345678", "satellite"), ("+870773111632", "satellite"),
        ("+4911833", "short code"), ("sip:+19005551234@pbx.example", "premium"),
        ("sip:1-900-555-1234@pbx.example", "premium"),
    ],
)  # fmt: skip
def test_what_costs_more_is_refused_unless_it_is_allowed(text: str, word: str) -> None:
    with pytest.raises((Refused, NumberError), match=word):
        dial(text)
    if "possible" not in word:
        assert dial(text, house=router(premium=True))


def test_single_prefixes_of_costly_numbers_may_be_opened() -> None:
    house = router(premium_prefixes=("+4433",))
    assert dial("+443301234567", house=house)
    with pytest.raises(Refused, match="premium"):
        dial("+449098765432", house=house)


@given(st.from_regex(r"\A\+1[2-9][0-9]{9}\Z"))
def test_the_short_cut_for_north_america_passes_nothing_that_the_library_knows_to_be_special(number: str) -> None:
    if not is_plain(number):
        return
    parsed = phonenumbers.parse(number)
    kind = phonenumbers.number_type(parsed)
    assert kind not in (
        phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.UAN, phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
        phonenumbers.PhoneNumberType.PAGER,
    )  # fmt: skip


def test_ordinary_numbers_of_many_countries_are_dialed() -> None:
    for country in COUNTRIES:
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(country, kind)
            assert number is not None
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert refusal(text, country, emergency=False, premium=False) is None, text
            assert dial(text, country)


def test_lists_reach_the_number_inside_a_sip_address() -> None:
    for blocked in ("+1617", "sip:+1617"):
        with pytest.raises(Refused, match="blocked"):
            dial("sip:+16175550000@pbx.example", account=NumberPolicy(blocked=(blocked,)))
    with pytest.raises(Refused, match="blocked"):
        dial("sip:617-555-0000@pbx.example", account=NumberPolicy(blocked=("+1617",)))
    with pytest.raises(Refused, match="allowed"):
        dial("sip:+16175550000@pbx.example", account=NumberPolicy(allowed=("+1617",)))  # a host may be anywhere
    assert dial("sip:bob@pbx.example", account=NumberPolicy(allowed=("+1", "sip:")))


@pytest.mark.parametrize(
    "host", ["evil.example", "pbx.example.evil.example", "xpbx.example", "10.0.0.90", "PBX.EXAMPLE.", "127.0.0.1"]
)
def test_a_host_that_is_not_listed_is_refused(host: str) -> None:
    with pytest.raises((Refused, NumberError)):
        dial(f"sip:bob@{host}")
    assert dial("sip:bob@PBX.example:5070").dial_string == "PJSIP/out/sip:bob@pbx.example:5070"


def test_without_a_route_for_sip_addresses_that_is_what_is_told() -> None:
    house = Router(TRUNKS, [Route("", "e164")], NumberPolicy(sip_hosts=HOSTS))
    with pytest.raises(Unrouted, match="no route takes this sip"):
        dial("sip:bob@evil.example", house=house)


@pytest.mark.parametrize("entry", ["1617", "+1 617", "+1617*", "1234567", "SIP:", "", "+49\n", "a"])
def test_an_entry_that_could_match_nothing_is_refused(entry: str) -> None:
    if entry == "1617":  # the beginning of extensions
        check_entry(entry)
        return
    with pytest.raises(ValueError, match="beginning"):
        check_entry(entry)


DESTINATIONS = st.one_of(
    st.text(max_size=60),
    st.text("0123456789+*#;=@&,|/()-.: \r\nsipteloand", max_size=40),
    st.from_regex(r"(sips?:|tel:)?\+?[0-9a-z&;,@.:-]{1,40}", fullmatch=True),
    st.builds("sip:{}@{}".format, st.text("0123456789abc+-._~&;,\n", max_size=12), st.sampled_from([*HOSTS, "evil"])),
)


@given(
    DESTINATIONS, st.sampled_from(COUNTRIES), st.sampled_from(["e164", "bare", "national"]),
    st.lists(st.from_regex(r"\+[0-9]{1,4}", fullmatch=True), max_size=2), st.sampled_from(["", "9", "0"]),
)  # fmt: skip
@example("sip:bob@pbx.example&PJSIP/x", "US", "e164", [], "")
@example("500&PJSIP/evil", "US", "e164", [], "")
def test_nothing_but_checked_digits_and_listed_hosts_ever_reaches_a_dial_string(
    text: str, country: str, phones: str, blocked: list[str], prefix: str
) -> None:
    account = NumberPolicy(blocked=tuple(blocked))
    try:
        way = dial(text, country, account, router(phones, prefix))
    except (NumberError, Refused):
        return
    before, after = way.trunk.dial.split("{number}")
    assert way.dial_string.startswith(before) and way.dial_string.endswith(after)
    number = way.dial_string[len(before) : len(way.dial_string) - len(after)]
    if number.startswith("sip:"):
        match = re.fullmatch(r"sip:[A-Za-z0-9_.+~-]{1,64}@([a-z0-9.-]+)(:[0-9]{1,5})?", number)
        assert match is not None and match[1] in HOSTS
    else:
        assert re.fullmatch(r"\+?[0-9]{1,20}", number)
        assert not is_emergency(number, country)
        assert not any(number.startswith(entry) for entry in blocked)
