"""Times and causes in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.core.model import Millis
from gateway.core.saying import cause_words, clock, distance, moment, short_clock, span, talk

ZONE = ZoneInfo("America/New_York")
NINE = Millis(1_795_528_800_000)  # 2026-11-24 14:00 UTC


def test_a_moment_names_day_zone_and_distance() -> None:
    assert moment(NINE, ZONE, Millis(NINE - 14 * 3600_000)) == "Tue 24 Nov 2026 09:00 America/New_York (in 14 h)"
    assert clock(Millis(NINE + 5000), ZONE) == "Tue 24 Nov 2026 09:00:05"


def test_a_short_clock_leaves_out_what_is_known() -> None:
    assert short_clock(NINE, ZONE, Millis(NINE + 60_000)) == "09:00:00"
    assert short_clock(NINE, ZONE, Millis(NINE + 86_400_000)) == "24 Nov 09:00"
    assert short_clock(NINE, ZONE, Millis(NINE + 365 * 86_400_000)) == "24 Nov 2026"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.8, "0.8 s"), (59, "59 s"), (60, "1 min"), (100, "1 min 40 s"), (600, "10 min"),
     (34_200, "9 h 30 min"), (50_400, "14 h"), (90_000, "1 d 1 h"), (10 * 86_400 + 7200, "10 d")],
)  # fmt: skip
def test_a_span_has_one_unit_or_two(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_distance_looks_both_ways() -> None:
    assert [distance(Millis(at), Millis(100_000)) for at in (100_400, 160_000, 40_000)] == [
        "now",
        "in 1 min",
        "1 min ago",
    ]


def test_talk_and_causes() -> None:
    assert (talk(7), talk(67), talk(3727)) == ("0:07", "1:07", "1:02:07")
    assert cause_words(17, 486) == "SIP 486; Q.850 17, user busy"
    assert cause_words(0, None) == cause_words(None, None) == ""
    assert cause_words(99, None) == "Q.850 99, not in the table"
