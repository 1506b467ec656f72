"""Reads natural-language times as PHP's strtotime clients write them; what is not certain is refused, never guessed."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_LENGTH = 64

_DAYS = {name: index for index, name in enumerate(calendar.day_name)}
_DAY = {name[:length].lower(): index for name, index in _DAYS.items() for length in (3, len(name))}
_DAY |= {"tues": 1, "wednes": 2, "thur": 3, "thurs": 3}
_MONTH = {
    name[:length].lower(): index for index, name in enumerate(calendar.month_name) if index for length in (3, len(name))
} | {"sept": 9}
_UNITS = ("second", "sec", "minute", "min", "hour", "day", "weekday", "week", "fortnight", "month", "year")
_UNIT = rf"(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?"
_WORDS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
          "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}  # fmt: skip

#: Offsets of the abbreviations that clients write; daylight and standard time are named apart, as in RFC 2822.
_ABBREVIATIONS = {
    "utc": 0, "gmt": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10, "bst": 1, "wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3,
}  # fmt: skip

_CLOCK = re.compile(
    r"(?P<hour>[01]?\d|2[0-4])(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?)?\s*(?P<half>[ap]\.?m\.?)?(?=\s|,|$)"
)


class TimeError(ValueError):
    """A text that is no certain time; the message says what is understood instead."""


_HELP = (
    'write it like "2026-11-24 09:00", "tomorrow 9am", "next monday 10:00", "+3 days" or "oct 14th, 2026 11:05PM EST"'
)


def parse_time(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant that ``text`` names, in UTC; text without a zone is local time in ``zone``.

    A local time that a change to summer time skips is moved on by the gap; one that occurs twice is the first.
    Raises :class:`TimeError`. Takes up to 10 ms where dateparser is asked: keep it off the event loop.
    """
    cleaned = " ".join(text.strip().lower().replace(",", " ").split())
    if not cleaned:
        raise TimeError("is empty")
    if len(text) > MAX_LENGTH:
        raise TimeError(f"is longer than {MAX_LENGTH} characters")
    if not text.isprintable():
        raise TimeError("holds control characters")
    if match := re.fullmatch(r"@(-?\d{1,11})", cleaned):
        return datetime.fromtimestamp(int(match[1]), UTC)
    rest, offset = _zone(cleaned, text)
    where = offset if offset is not None else zone
    local_now = now.astimezone(where) if isinstance(where, ZoneInfo) else now.astimezone(UTC) + where
    naive = _naive(rest, local_now.replace(tzinfo=None))
    if isinstance(where, timedelta):
        return (naive - where).replace(tzinfo=UTC)
    return naive.replace(tzinfo=where).astimezone(UTC)


def _zone(text: str, original: str) -> tuple[str, ZoneInfo | timedelta | None]:
    """``text`` without its zone, and that zone."""
    if match := re.search(r"(?:^|\s)([a-z_]+/[a-z_+-]+(?:/[a-z_]+)?)$", text):
        spelled = re.search(r"\S+$", original.strip())
        assert spelled is not None
        for name in (spelled[0], spelled[0].title()):
            try:
                return text[: match.start()].strip(), ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
        raise TimeError(f"names an unknown time zone {spelled[0]!r}")
    match = re.search(r"(?<=[\d:\s])\s*(?:utc|gmt)?([+-])(\d{2}):?(\d{2})$", text)
    # "2011-10-14" ends like an offset, but no clock stands before it.
    if match and re.search(r"\d:\d\d|t\d{4}|[ap]m", text[: match.start()]):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return text[: match.start()].strip(), offset if match[1] == "+" else -offset
    if match := re.search(r"(?:(?<=\d)|\s|(?<=m))(" + "|".join(_ABBREVIATIONS) + r")$", text):
        return text[: match.start()].strip(), timedelta(hours=_ABBREVIATIONS[match[1]])
    return text, None


def _naive(text: str, now: datetime) -> datetime:
    """``text`` as local time, ``now`` being local time too."""
    for reader in (_iso, _relative, _words, _calendar):
        if (found := reader(text, now)) is not None:
            return found
    return _human(text, now)


# --- exact forms ---


def _iso(text: str, now: datetime) -> datetime | None:
    """ISO 8601, its compact form, and the forms with - that put the day or the year first."""
    forms: tuple[tuple[str, str], ...] = (
        (r"\d{8}t\d{6}", "%Y%m%dt%H%M%S"),
        (r"\d{8}t\d{4}", "%Y%m%dt%H%M"),
        (r"\d{14}", "%Y%m%d%H%M%S"),
        (r"\d{4}-\d\d?-\d\d?(?:[t ]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)?", ""),
        (r"\d\d?-\d\d?-\d{4}(?: \d\d?:\d\d(?::\d\d)?)?", "dmy"),
        (r"\d{4}/\d\d?/\d\d?(?: \d\d?:\d\d(?::\d\d)?)?", ""),
        (r"\d\d?/\d\d?/\d{4}(?: \d\d?:\d\d(?::\d\d)?)?", "mdy"),
    )
    for pattern, form in forms:
        if not re.fullmatch(pattern, text):
            continue
        try:
            if "%" in form:
                return datetime.strptime(text, form)
            date, _, clock = text.replace("t", " ").partition(" ")
            first, second, third = (int(part) for part in re.split(r"[-/]", date))
            # PHP: dashes put the day first, slashes the month.
            year, month, day = {"dmy": (third, second, first), "mdy": (third, first, second)}.get(
                form, (first, second, third)
            )
            base = datetime(year, month, day)
            return _at(base, clock.partition(".")[0]) if clock else base
        except ValueError as error:
            raise TimeError(f"is no date: {error}") from None
    return None


def _relative(text: str, now: datetime) -> datetime | None:
    """``+3 days``, ``3 days``, ``2 hours ago``, ``+1 week 2 days``, ``in 5 minutes``: from now, at this wall clock."""
    part = rf"(?P<sign>[+-])?\s*(?P<count>\d{{1,6}}|{'|'.join(_WORDS)})\s*{_UNIT}(?P<ago>\s+ago)?"
    body = re.sub(r"^in\s+", "", text)
    moment, position = now, 0
    while position < len(body):
        match = re.compile(part).match(body, position)
        if match is None:
            break
        count = int(match["count"]) if match["count"].isdigit() else _WORDS[match["count"]]
        if match["sign"] == "-" or match["ago"]:
            count = -count
        moment = _shifted(moment, match["unit"], count)
        position = match.end()
        while position < len(body) and body[position] == " ":
            position += 1
    if position == 0:
        return None
    if position == len(body):
        return moment
    clock = body[position:].removeprefix("at ")
    return _at(moment, clock)


def _shifted(moment: datetime, unit: str, count: int) -> datetime:
    try:
        match unit:
            case "second" | "sec":
                return moment + timedelta(seconds=count)
            case "minute" | "min":
                return moment + timedelta(minutes=count)
            case "hour":
                return moment + timedelta(hours=count)
            case "day":
                return moment + timedelta(days=count)
            case "week":
                return moment + timedelta(weeks=count)
            case "fortnight":
                return moment + timedelta(weeks=2 * count)
            case "weekday":
                step = 1 if count > 0 else -1
                while count:
                    moment += timedelta(days=step)
                    if moment.weekday() < 5:
                        count -= step
                return moment
            case "month" | "year":
                months = moment.month - 1 + count * (12 if unit == "year" else 1)
                # As PHP does, the 31st of a short month runs over into the next.
                first = moment.replace(year=moment.year + months // 12, month=months % 12 + 1, day=1)
                return first + timedelta(days=moment.day - 1)
            case _:
                raise TimeError(f"has an unknown unit {unit!r}")
    except (OverflowError, ValueError):
        raise TimeError("lies outside the calendar") from None


# --- words ---

_DAY_NAME = "|".join(sorted(_DAY, key=len, reverse=True))
_MONTH_NAME = "|".join(sorted(_MONTH, key=len, reverse=True))


def _words(text: str, now: datetime) -> datetime | None:
    """Days by name, and first/last days of months, with an optional clock before or after."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    bare: dict[str, Callable[[], datetime]] = {
        "now": lambda: now,
        "today": lambda: midnight,
        "midnight": lambda: midnight,
        "noon": lambda: midnight.replace(hour=12),
        "tomorrow": lambda: midnight + timedelta(days=1),
        "yesterday": lambda: midnight - timedelta(days=1),
    }
    if text in bare:
        return bare[text]()
    day, clock = _day_and_clock(text, now, midnight)
    if day is None:
        if clock is not None and not re.fullmatch(r"\d+", text):
            return _at(midnight, clock)  # a clock alone is today's, as PHP has it
        return None
    return day if clock is None else _at(day, clock)


def _day_and_clock(text: str, now: datetime, midnight: datetime) -> tuple[datetime | None, str | None]:
    body, clock = text, None
    if match := re.search(r"(?:^|\s)(?:at\s+)?(noon|midnight)$", body):
        body, clock = body[: match.start()], match[1]
    elif match := re.match(r"(noon|midnight)\s+", body):
        body, clock = body[match.end() :], match[1]
    elif match := re.search(r"(?:^|\s)(?:at\s+)?(\d\d?(?::\d\d){1,2}\s*(?:[ap]\.?m\.?)?|\d\d?\s*[ap]\.?m\.?)$", body):
        body, clock = body[: match.start()], match[1]
    elif match := re.match(r"(\d\d?(?::\d\d){1,2}\s*(?:[ap]\.?m\.?)?|\d\d?\s*[ap]\.?m\.?)(?:\s+|$)(?:on\s+)?", body):
        body, clock = body[match.end() :], match[1]
    body = body.strip().removesuffix(" at").removeprefix("on ")
    if not body:
        return None, clock
    day = _named_day(body, now, midnight)
    if day is None:
        return None, None
    if clock is not None and body in _DAY and _at(day, clock) < now:
        day += timedelta(days=7)  # "saturday 10:00" is the coming one
    return day, clock


def _named_day(body: str, now: datetime, midnight: datetime) -> datetime | None:
    simple = {"today": 0, "tomorrow": 1, "yesterday": -1, "tonight": 0}
    if body in simple:
        return midnight + timedelta(days=simple[body])
    if match := re.fullmatch(rf"(?:(next|this|last|coming)\s+)?({_DAY_NAME})", body):
        ahead = (_DAY[match[2]] - midnight.weekday()) % 7
        if match[1] == "last":
            return midnight - timedelta(days=7 - ahead if ahead else 7)
        if match[1] == "next" and ahead == 0:
            ahead = 7
        return midnight + timedelta(days=ahead)
    if match := re.fullmatch(rf"({_DAY_NAME})\s+(next|this|last)\s+week", body):
        monday = midnight - timedelta(days=midnight.weekday())
        weeks = {"next": 1, "this": 0, "last": -1}[match[2]]
        return monday + timedelta(weeks=weeks, days=_DAY[match[1]])
    if match := re.fullmatch(r"(next|last)\s+(second|minute|hour|day|week|month|year)", body):
        return _shifted(now, match[2], 1 if match[1] == "next" else -1)
    if match := re.fullmatch(
        rf"(first|last)\s+day\s+of\s+(?:(next|this|last)\s+month|({_MONTH_NAME})(?:\s+(\d{{4}}))?)", body
    ):
        month = _month(match[2], match[3], match[4], midnight)
        # PHP keeps the clock of now for "first day of", unlike for the names of days.
        moment = now.replace(year=month.year, month=month.month, day=1, microsecond=0)
        return moment if match[1] == "first" else moment.replace(day=_days_in(month))
    order = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
    if match := re.fullmatch(
        rf"({'|'.join(order)})\s+({_DAY_NAME})\s+of\s+(?:(next|this|last)\s+month|({_MONTH_NAME})(?:\s+(\d{{4}}))?)",
        body,
    ):
        return _nth(order[match[1]], _DAY[match[2]], _month(match[3], match[4], match[5], midnight))
    return None


def _month(which: str | None, name: str | None, year: str | None, midnight: datetime) -> datetime:
    first = midnight.replace(day=1)
    if name is not None:
        return first.replace(month=_MONTH[name], year=int(year) if year else first.year)
    return _shifted(first, "month", {"next": 1, "this": 0, "last": -1}[which or "this"])


def _nth(count: int, weekday: int, month: datetime) -> datetime:
    if count < 0:
        last = month.replace(day=_days_in(month))
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    day = 1 + (weekday - month.weekday()) % 7 + 7 * (count - 1)
    if day > _days_in(month):
        raise TimeError("that month has no fifth such day")
    return month.replace(day=day)


def _days_in(month: datetime) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def _calendar(text: str, now: datetime) -> datetime | None:
    """``oct 14th 2011 11:05pm``, ``14 october 2011``, ``october 14``; without a year the coming one."""
    for form in (
        rf"(?:(?:{_DAY_NAME})\s+)?(?P<month>{_MONTH_NAME})\.?\s+(?P<day>\d\d?)(?:st|nd|rd|th)?(?:\s+(?P<year>\d{{4}}))?",
        rf"(?:(?:{_DAY_NAME})\s+)?(?P<day>\d\d?)(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH_NAME})\.?(?:\s+(?P<year>\d{{4}}))?",
    ):
        match = re.match(form + r"(?=\s|$)", text)
        if match is None:
            continue
        clock = text[match.end() :].strip().removeprefix("at ").strip()
        try:
            year = int(match["year"]) if match["year"] else now.year
            day = datetime(year, _MONTH[match["month"]], int(match["day"]))
            moment = _at(day, clock) if clock else day
            if match["year"] is None and moment < now:
                moment = moment.replace(year=year + 1)
            return moment
        except ValueError as error:
            raise TimeError(f"is no date: {error}" if not isinstance(error, TimeError) else str(error)) from None
    return None


def _at(day: datetime, clock: str) -> datetime:
    """``day`` at the clock time ``clock``."""
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    clock = clock.strip().removeprefix("at ").strip()
    if clock in ("noon", "midnight"):
        return midnight.replace(hour=12) if clock == "noon" else midnight
    match = _CLOCK.fullmatch(clock)
    if match is None or (match["minute"] is None and match["half"] is None):
        raise TimeError(f"has a time of day that is not understood ({clock!r}); {_HELP}")
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise TimeError(f"has no hour {hour} with am or pm")
        hour = hour % 12 + (12 if match["half"].startswith("p") else 0)
    return midnight + timedelta(hours=hour, minutes=int(match["minute"] or 0), seconds=int(match["second"] or 0))


# --- everything else a person may write ---


def _human(text: str, now: datetime) -> datetime:
    """dateparser, run on local time, for other languages and wordings; only where day and time both are certain."""
    if not re.search(r"[^\W\d_]{3}", text) or not re.search(r"\d", text):
        raise TimeError(f"is not understood; {_HELP}")
    settings = {
        "RELATIVE_BASE": now,
        "TIMEZONE": "UTC",  # not the machine's: the text is local time already
        "PREFER_DATES_FROM": "future",
        "RETURN_AS_TIMEZONE_AWARE": False,
        "STRICT_PARSING": True,  # day, month and year must all be there
        "DATE_ORDER": "DMY",
    }
    import dateparser  # it is slow to import, and most times are understood without it

    found = dateparser.parse(text, settings=settings)
    if found is None:
        raise TimeError(f"is not understood; {_HELP}")
    local: datetime = found.replace(tzinfo=None)
    return local
