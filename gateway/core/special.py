"""Numbers that no machine calls unless its operator says so: emergency, premium-rate, satellite, short codes."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberType

#: 3GPP TS 22.101 §10.1 has every mobile network connect the first two; the third is that of some thirty countries.
WORLDWIDE = frozenset({"112", "911", "999"})
#: Digits that a PBX takes for an outside line before a number; and an emergency number's digits at most.
OUTSIDE, LONGEST = "09", 6
#: Types that cost more than a call to their country, by the library's data.
PREMIUM = {
    PhoneNumberType.PREMIUM_RATE: "premium-rate",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.UAN: "company-wide (UAN)",
    PhoneNumberType.PERSONAL_NUMBER: "personal-redirect",
    PhoneNumberType.PAGER: "pager",
}
#: Inmarsat, Iridium and others, international networks (ITU-T E.164 Annex D): several times the price of any country.
SATELLITE = frozenset({870, 878, 881, 882, 883})
#: North American numbers without anything special: no area code 900, none of the personal 5XX, 600 and 700, no N11.
_NANP = re.compile(r"\+1(?!900|5(?:00|2[1-9]|33|44|66|77|88)|600|700|710)[2-9](?!11)[0-9]{2}[2-9](?!11)[0-9]{6}\Z")


def is_plain(dialed: str) -> bool:
    """Whether nothing is special about an E.164 number of North America: the library takes 30 µs to say so."""
    return _NANP.match(dialed) is not None


def is_emergency(digits: str, country: str) -> bool:
    """Whether ``digits``, as they are or behind one or two for an outside line, are an emergency number there."""
    inner = (digits[n:] for n in (1, 2) if not digits[:n].strip(OUTSIDE) and len(digits) - n >= 3)
    return any(
        one in WORLDWIDE or phonenumbers.is_emergency_number(one, country)
        for one in (digits, *inner)
        if len(one) <= LONGEST
    )


def refusal(dialed: str, country: str, *, emergency: bool, premium: bool) -> str | None:
    """Why an E.164 number is not called; None where nothing is special about it, or what is special is allowed.

    ``country`` is that of the caller, whose emergency numbers count beside those of the number's own.
    """
    if is_plain(dialed):
        return None
    number = phonenumbers.parse(dialed)
    national = phonenumbers.national_significant_number(number)
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    if not emergency:
        for text, region in ((dialed.lstrip("+"), country), *((national, one) for one in (country, *regions))):
            if text in WORLDWIDE or phonenumbers.is_emergency_number(text, region):
                return "it is an emergency number"
    if premium:
        return None
    if (kind := PREMIUM.get(phonenumbers.number_type(number))) is not None:
        return f"it is a {kind} number"
    if number.country_code in SATELLITE:
        return "it is a satellite or international network's number"
    if any(phonenumbers.is_valid_short_number_for_region(number, region) for region in regions):
        return "it is a short code, which may be premium-rate"
    return None
