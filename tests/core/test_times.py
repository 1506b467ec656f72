"""Natural-language times, as PHP's strtotime clients write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.times import TimeError, parse_time

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # Tuesday, 10:30 in New York


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("now", "2026-11-24 10:30"), ("+3 days", "2026-11-27 10:30"), ("3 days", "2026-11-27 10:30"),
        ("oct 14th, 2011 11:05PM EST", "2011-10-15 00:05"), ("tomorrow noon", "2026-11-25 12:00"),
        ("9am tomorrow", "2026-11-25 09:00"), ("tomorrow 9am", "2026-11-25 09:00"), ("next monday", "2026-11-30 00:00"),
        ("monday", "2026-11-30 00:00"), ("saturday 10:00", "2026-11-28 10:00"), ("tuesday 10:00", "2026-12-01 10:00"),
        ("first day of next month", "2026-12-01 10:30"), ("monday next week", "2026-11-30 00:00"),
        ("last friday of this month", "2026-11-27 00:00"), ("@1323248400", "2011-12-07 04:00"),
        ("20240301T150000", "2024-03-01 15:00"), ("09:00 America/Los_Angeles", "2026-11-24 12:00"),
        ("03-04-2024", "2024-04-03 00:00"), ("2011-10-14 23:05", "2011-10-14 23:05"),
        ("2011-10-14T23:05:00Z", "2011-10-14 19:05"), ("2011-10-14 23:05+02:00", "2011-10-14 17:05"),
        ("in 5 minutes", "2026-11-24 10:35"), ("+1 week 2 days", "2026-12-03 10:30"), ("12/25/2026 08:00", "2026-12-25 08:00"),
        ("dec 25", "2026-12-25 00:00"), ("14 octobre 2027 10:00", "2027-10-14 10:00"),
    ],
)  # fmt: skip
def test_what_must_be_right(text: str, local: str) -> None:
    assert parse_time(text, NOW, ZONE).astimezone(ZONE).strftime("%Y-%m-%d %H:%M") == local


@pytest.mark.parametrize(
    "text", ["", "5", "may", "garbage", "25:00", "32 december 2026", "2026-02-30", "sunday 3", "13pm", "x" * 65, "a\nb",
             "09:00 Mars/Olympus", "1e9"],
)  # fmt: skip
def test_what_is_not_certain_is_refused(text: str) -> None:
    with pytest.raises(TimeError):
        parse_time(text, NOW, ZONE)


def test_days_keep_the_wall_clock_over_a_change_of_summer_time() -> None:
    before = datetime(2026, 10, 30, 13, 0, tzinfo=UTC)  # 09:00 in New York, summer time
    assert parse_time("+3 days", before, ZONE).astimezone(ZONE).hour == 9
