"""Days, rates and the rules of caps, pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.admission import Reason
from gateway.core.caps import MICRO, Rates, Spending, Used, capped, day_of, next_day, overspent, paced
from gateway.core.model import AccountSettings, Millis
from gateway.core.pacing import Limit, Pace

ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Africa/Cairo")


@given(st.integers(1_500_000_000_000, 2_000_000_000_000), st.sampled_from(ZONES))
def test_the_next_day_begins_when_the_date_changes_and_not_before(now: int, zone: str) -> None:
    begin = next_day(Millis(now), zone)
    assert begin > now
    assert day_of(Millis(begin), zone) > day_of(Millis(now), zone) == day_of(Millis(begin - 1), zone)


def test_a_day_is_the_accounts_own_also_when_the_clocks_change() -> None:
    begin = datetime(2026, 11, 1, 0, 0, tzinfo=ZoneInfo("America/New_York"))  # a day of 25 hours
    at = Millis(int(begin.timestamp() * 1000))
    assert day_of(at, "America/New_York") == "2026-11-01"
    assert next_day(at, "America/New_York") - at == 25 * 3_600_000
    assert day_of(at, "UTC") == "2026-11-01" and day_of(Millis(at - 1), "America/New_York") == "2026-10-31"


RATES = Rates(20_000, {"+1": 10_000, "+1900": 5_000_000, "90": 1_000, "sip:": 0})


@pytest.mark.parametrize(
    ("dialed", "seconds", "cost"),
    [
        ("+16175550000", 60, 10_000), ("+16175550000", 1, 167), ("+19005550000", 30, 2_500_000),
        ("+4930123456", 60, 20_000), ("9012", 60, 1_000), ("8012", 60, 0), ("sip:a@b", 600, 0), ("+1", 0, 0),
    ],
)  # fmt: skip
def test_a_call_costs_by_its_longest_prefix(dialed: str, seconds: int, cost: int) -> None:
    assert RATES.cost(dialed, seconds) == cost


def test_each_cap_holds_at_its_limit_and_not_before() -> None:
    def reason(used: Used, **caps: float) -> Reason | None:
        hold = capped(AccountSettings("UTC", "US", **caps), used, Millis(0))  # type: ignore[arg-type]
        assert hold is None or (hold.text and hold.change)
        return None if hold is None else hold.reason

    assert reason(Used(live=9, attempts=999, seconds=99_999, cost=99 * MICRO)) is None
    assert reason(Used(live=1), max_calls=2) is None
    assert reason(Used(live=2), max_calls=2) is Reason.ACCOUNT_FULL
    assert reason(Used(attempts=4), daily_calls=5) is None
    assert reason(Used(attempts=5), daily_calls=5) is Reason.ACCOUNT_DAILY
    assert reason(Used(seconds=599), daily_minutes=10) is None
    assert reason(Used(seconds=600), daily_minutes=10) is Reason.ACCOUNT_SPENT
    assert reason(Used(cost=1_499_999), daily_cost=1.5) is None
    assert reason(Used(cost=1_500_000), daily_cost=1.5) is Reason.ACCOUNT_SPENT
    assert reason(Used(cost=1_500_000, lifted=True), daily_cost=1.5) is None
    assert reason(Used(attempts=5, lifted=True), daily_calls=5) is Reason.ACCOUNT_DAILY  # no ceiling on what is spent


def test_the_gateways_own_ceiling() -> None:
    hold = overspent(Spending(daily_minutes=1), Used(seconds=60), Millis(0))
    assert hold is not None and hold.reason is Reason.GATEWAY_SPENT and hold.until == next_day(Millis(0), None)
    assert overspent(Spending(daily_minutes=1), Used(seconds=59), Millis(0)) is None
    assert overspent(Spending(), Used(seconds=10**9), Millis(0)) is None


def test_a_live_call_counts_a_minute_at_least() -> None:
    used = Used()
    used.reserve(RATES, "+16175550000")
    used.reserve(RATES, "+16175550000", 90)
    assert (used.live, used.seconds, used.cost) == (2, 150, 10_000 + 15_000)


def test_the_pace_of_an_account_tells_when_its_turn_comes() -> None:
    pace = Pace(Limit(0.5, 1 << 30))
    pace.refill(Millis(0))
    assert paced(pace, Millis(0)) is None
    pace.tokens -= 1
    hold = paced(pace, Millis(0))
    assert hold is not None and (hold.reason, hold.until) == (Reason.ACCOUNT_PACE, 2000)
    pace.refill(Millis(2000))
    assert paced(pace, Millis(2000)) is None
