"""What a campaign's charts show, from tallies by hour that the store keeps: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.core.model import CalleeType, CallState

HOUR = 3600
#: A chart over time has at most so many bars; hours are joined to stay within it.
MAX_BARS = 48


@dataclass(frozen=True, slots=True)
class Tally:
    """Attempts that ended in one hour with one result. ``hour`` is Unix time / 3600.

    ``state`` is what the call then was: completed, failed, or retrying. ``attempt`` counts from 1; 0 is an attempt
    that rang nobody, or a call that expired while it waited.
    """

    hour: int
    state: CallState
    callee_type: CalleeType
    attempt: int
    calls: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, and its parts' sizes in the chart's order of series."""

    label: str
    parts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Chart:
    """``note`` are words beside each bar, or none. Parts of a bar are counted; a rate's parts are per cent."""

    title: str
    axis: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    unit: str = ""

    @property
    def highest(self) -> int:
        return max((bar.total for bar in self.bars), default=0)


def charts(tallies: Sequence[Tally], zone: ZoneInfo) -> list[Chart]:
    """The four charts, or none where nothing was dialed yet."""
    if not tallies:
        return []
    return [over_time(tallies, zone), callee_types(tallies), until_answer(tallies), answer_rate(tallies, zone)]


def over_time(tallies: Sequence[Tally], zone: ZoneInfo) -> Chart:
    first, last = tallies[0].hour, tallies[-1].hour
    step = next(hours for hours in (1, 2, 3, 6, 12, 24, 168, 720, 8760) if (last - first) // hours < MAX_BARS)
    completed: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    for one in tallies:
        place = (one.hour - first) // step
        completed[place] += one.calls * (one.state is CallState.COMPLETED)
        failed[place] += one.calls * (one.state is CallState.FAILED)
    bars = tuple(
        Bar(_hour_name(first + place * step, zone, step), (completed[place], failed[place]))
        for place in range((last - first) // step + 1)
    )
    return Chart("Results over time", "ended in", ("Completed", "Failed"), bars)


def _hour_name(hour: int, zone: ZoneInfo, step: int) -> str:
    moment = datetime.fromtimestamp(hour * HOUR, zone)
    return f"{moment:%d %b}" if step >= 24 else f"{moment:%d %b %H:00}"


def callee_types(tallies: Sequence[Tally]) -> Chart:
    found: Counter[CalleeType] = Counter()
    for one in tallies:
        if one.state is not CallState.RETRYING:
            found[one.callee_type] += one.calls
    bars = tuple(Bar(kind, (count,)) for kind, count in found.most_common() if count)
    return Chart("Callee types", "callee type", ("Calls",), bars)


def until_answer(tallies: Sequence[Tally]) -> Chart:
    found: Counter[int] = Counter()
    for one in tallies:
        if one.state is CallState.COMPLETED:
            found[one.attempt] += one.calls
    bars = tuple(Bar(str(number), (found[number],)) for number in range(1, max(found, default=0) + 1))
    return Chart("Attempts until answer", "attempt", ("Completed",), bars)


def answer_rate(tallies: Sequence[Tally], zone: ZoneInfo) -> Chart:
    dialed: Counter[int] = Counter()
    answered: Counter[int] = Counter()
    for one in tallies:
        if one.attempt == 0:
            continue
        hour = datetime.fromtimestamp(one.hour * HOUR, zone).hour
        dialed[hour] += one.calls
        answered[hour] += one.calls * one.callee_type.reached
    bars = tuple(Bar(f"{hour:02d}:00", (round(100 * answered[hour] / dialed[hour]),)) for hour in sorted(dialed))
    return Chart("Answer rate by hour of day", "hour", ("Answered",), bars, unit="%")
