"""What the gateway reads from a form's values, told back while they are typed: pure, and slow where words are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.core import saying
from gateway.core.limits import DEFAULT_RETRY_INTERVAL, MAX_RETRIES, MAX_TIMESTAMP, RETRY_INTERVAL
from gateway.core.model import Account, Millis, NewCall
from gateway.core.plum import FieldError, read_url
from gateway.core.times import TimeError, parse_time


@dataclass(frozen=True, slots=True)
class Echo:
    text: str
    good: bool = True


def echoes(
    values: Mapping[str, str], now: Millis, account: Account, number: Callable[[str], NewCall]
) -> dict[str, Echo]:
    """By variable; those that are empty, or of which nothing is to be said, are left out."""
    found: dict[str, Echo] = {}
    zone = ZoneInfo(account.settings.time_zone)
    if text := values.get("phone_number"):
        found["phone_number"] = _number(text, number)
    for name in ("start_url", "result_url"):
        if text := values.get(name):
            try:
                read_url(name, text)
            except FieldError as error:
                found[name] = Echo(error.rule, False)
    times: dict[str, Millis] = {}
    for which in ("scheduled", "expiration"):
        for name, read in ((f"{which}_timestamp", _timestamp), (f"{which}_time", _words)):
            if text := values.get(name):
                try:
                    at = read(text, now, zone)
                except (TimeError, ValueError) as error:
                    found[name] = Echo(str(error), False)
                    continue
                if at is not None:
                    times[which] = at
                    found[name] = Echo(saying.moment(at, zone, now))
    if "expiration" in times and times["expiration"] <= max(times.get("scheduled", now), now):
        name = "expiration_time" if values.get("expiration_time") else "expiration_timestamp"
        found[name] = Echo(f"{found[name].text}: must be later than the first attempt", False)
    if retries := _retries(values):
        found["max_retries"] = retries
    return found


def _number(text: str, number: Callable[[str], NewCall]) -> Echo:
    try:
        call = number(text)
    except FieldError as error:
        return Echo(error.rule, False)
    parts = [call.dialed, f"over trunk {call.trunk}"]
    if call.ani:
        parts.append(f"showing {call.ani}")
    if call.postd:
        parts.append(f"keys {call.postd} after the answer")
    return Echo(", ".join(parts))


def _timestamp(text: str, now: Millis, zone: ZoneInfo) -> Millis | None:
    if not _number_to(text, MAX_TIMESTAMP):
        raise ValueError("must be a Unix time in seconds")
    return Millis(int(text) * 1000) if int(text) else None


def _number_to(text: str, most: int) -> bool:
    """Python refuses to read a number of thousands of digits (CVE-2020-10735)."""
    return text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most


def _words(text: str, now: Millis, zone: ZoneInfo) -> Millis:
    return Millis(round(parse_time(text, datetime.fromtimestamp(now / 1000, UTC), zone).timestamp() * 1000))


def _retries(values: Mapping[str, str]) -> Echo | None:
    text, gap = values.get("max_retries", ""), values.get("retry_interval", "") or str(DEFAULT_RETRY_INTERVAL)
    if not text:
        return None
    if not _number_to(text, MAX_RETRIES):
        return Echo(f"must be an integer from 0 to {MAX_RETRIES}", False)
    low, high = RETRY_INTERVAL
    if not _number_to(gap, high) or int(gap) < low:
        return Echo(f"the retry interval must be from {low} to {high} seconds", False)
    retries = int(text)
    if retries == 0:
        return Echo("one attempt, no retry")
    return Echo(f"up to {retries + 1} attempts, {saying.span(int(gap))} apart")
