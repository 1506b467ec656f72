"""The Plum contract's variables and replies: validation of what a client sends, and the XML that it reads back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from gateway.core.limits import DEFAULT_RETRY_INTERVAL, MAX_RETRIES, MAX_TIMESTAMP, RETRY_INTERVAL
from gateway.core.model import CallPlan, DetectionMode, MachineHandling, Millis
from gateway.core.times import TimeError, parse_time

Fields = Sequence[tuple[str, str]]
E = TypeVar("E", bound=StrEnum)

QUEUECALL, QUEUECALLS = "queuecall", "queuecalls"
LIMITS = {
    "login": 128,
    "pin": 16,
    "phone_number": 128,
    "campaign_name": 128,
    "start_url": 255,
    "result_url": 255,
    "message_reference": 255,
    "call_parameters": 255,
    "max_retries": 16,
    "retry_interval": 16,
    "scheduled_timestamp": 16,
    "scheduled_time": 64,
    "expiration_timestamp": 16,
    "expiration_time": 64,
    "detection": 16,
    "machine": 16,
}
REQUIRED = {
    QUEUECALL: ("login", "pin", "phone_number", "start_url"),
    QUEUECALLS: ("login", "pin", "campaign_name", "phone_list", "start_url"),
}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class FieldError(ValueError):
    """A variable that breaks a rule. The message names both."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.field = field
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Submission:
    """The variables of one request, each at most once, within its length and free of control characters."""

    endpoint: str
    values: dict[str, str]

    def get(self, name: str) -> str | None:
        """The variable's value; None where it is absent or empty."""
        return self.values.get(name) or None


def read_submission(endpoint: str, fields: Fields) -> Submission:
    """Check what can be checked without knowing the account. Raises :class:`FieldError`."""
    values: dict[str, str] = {}
    for given, value in fields:
        name = "max_retries" if given == "max_retry" else given
        if name in values and (name in LIMITS or name == "phone_list"):
            raise FieldError(name, "is given more than once")
        values[name] = value
    for name in REQUIRED[endpoint]:
        if name not in values:
            raise FieldError(name, "is required")
        if not values[name].strip():
            raise FieldError(name, "is required, and is empty")
    for name, limit in LIMITS.items():
        text = values.get(name, "")
        if len(text) > limit:
            raise FieldError(name, f"is longer than {limit} characters")
        if _CONTROL.search(text):
            raise FieldError(name, "holds control characters")
    return Submission(endpoint, values)


def read_plan(submission: Submission, now: Millis, zone: ZoneInfo) -> CallPlan:
    """The plan that a submission asks for. Raises :class:`FieldError`. See :func:`needs_words`."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    scheduled = _when(submission, "scheduled", moment, zone)
    expires = _when(submission, "expiration", moment, zone)
    starts = now if scheduled is None or scheduled < now else scheduled
    if expires is not None and expires <= starts:
        name = "expiration_time" if submission.get("expiration_time") else "expiration_timestamp"
        against = "scheduled_time" if submission.get("scheduled_time") else "scheduled_timestamp"
        raise FieldError(
            name, f"({_shown(expires)}) must be later than {against} ({_shown(starts)}), the time of the first attempt"
        )
    detection = _choice(submission, "detection", DetectionMode)
    machine = _choice(submission, "machine", MachineHandling)
    if detection is DetectionMode.OFF and machine not in (None, MachineHandling.START):
        raise FieldError("machine", f"cannot be {machine} where detection is off: nobody tells a machine then")
    if detection is DetectionMode.DURING and machine is MachineHandling.AFTER_BEEP:
        raise FieldError("machine", "cannot be after_beep where detection is during: the session begins at the answer")
    return CallPlan(
        start_url=read_url("start_url", submission.values["start_url"]),
        result_url=None if (result := submission.get("result_url")) is None else read_url("result_url", result),
        message_reference=submission.get("message_reference"),
        call_parameters=submission.get("call_parameters"),
        max_retries=_integer(submission, "max_retries", 0, 0, MAX_RETRIES),
        retry_interval=_integer(submission, "retry_interval", DEFAULT_RETRY_INTERVAL, *RETRY_INTERVAL),
        scheduled_at=starts,
        expires_at=expires,
        detection=detection,
        machine=machine,
    )


def needs_words(submission: Submission) -> bool:
    """Whether :func:`read_plan` will read natural language, which takes milliseconds."""
    return submission.get("scheduled_time") is not None or submission.get("expiration_time") is not None


def read_url(name: str, text: str) -> str:
    """An absolute http or https URL. Raises :class:`FieldError`."""
    url = text.strip()
    if " " in url or not url.isascii():
        raise FieldError(name, "holds spaces or characters that must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FieldError(name, "is no URL") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise FieldError(name, "must be an absolute URL that begins with http:// or https://")
    if port == 0:
        raise FieldError(name, "names port 0")
    return url


_INTEGER = re.compile(r"[+-]?[0-9]+\Z")


def _integer(submission: Submission, name: str, default: int, low: int, high: int) -> int:
    text = submission.get(name)
    if text is None:
        return default
    if not _INTEGER.match(text.strip()):
        raise FieldError(name, f"must be an integer from {low} to {high}")
    value = int(text)
    if not low <= value <= high:
        raise FieldError(name, f"must be from {low} to {high}, and is {value}")
    return value


def _choice(submission: Submission, name: str, kind: type[E]) -> E | None:
    """A word of Voxgate's own beside Plum's variables; None where it is absent: the account's, else the gateway's."""
    text = submission.get(name)
    if text is None:
        return None
    if text not in list(kind):
        raise FieldError(name, f"must be one of {', '.join(kind)}, and is {text!r}")
    return kind(text)


def _when(submission: Submission, which: str, now: datetime, zone: ZoneInfo) -> Millis | None:
    """The scheduled or expiration time; None for its default (now, and never)."""
    stamp = _integer(submission, f"{which}_timestamp", 0, 0, MAX_TIMESTAMP)
    by_stamp = Millis(stamp * 1000) if stamp else None
    text = submission.get(f"{which}_time")
    if text is None or (which == "expiration" and text.strip() == "0"):
        return by_stamp
    try:
        by_words = Millis(round(parse_time(text, now, zone).timestamp() * 1000))
    except TimeError as error:
        raise FieldError(f"{which}_time", str(error)) from None
    if by_stamp is not None and by_stamp // 1000 != by_words // 1000:
        raise FieldError(
            f"{which}_time", f"({_shown(by_words)}) and {which}_timestamp ({_shown(by_stamp)}) name different times"
        )
    return by_words


def _shown(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# --- replies ---

#: Characters that XML 1.0 cannot hold, even escaped (W3C XML 1.0 §2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ECHOED = (
    "login", "pin", "phone_number", "campaign_name", "start_url", "result_url", "message_reference",
    "call_parameters", "max_retries", "retry_interval", "scheduled_timestamp", "scheduled_time",
    "expiration_timestamp", "expiration_time", "detection", "machine",
)  # fmt: skip


def xml_text(text: str) -> str:
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def _attribute(value: object) -> str:
    return xml_text(str(value)).replace('"', "&quot;")


def _document(
    endpoint: str, attributes: Sequence[tuple[str, object]], values: dict[str, str], echo_pin: bool, *extra: str
) -> bytes:
    head = " ".join(f'{name}="{_attribute(value)}"' for name, value in attributes)
    lines = ['<?xml version="1.0"?>', f"<{endpoint} {head}>", *extra]
    for name in _ECHOED:
        if values.get(name):
            shown = values[name] if name != "pin" or echo_pin else "*" * 8
            lines.append(f"    <{name}>{xml_text(shown[:300])}</{name}>")
    lines.append(f"</{endpoint}>")
    return ("\n".join(lines) + "\n").encode()


def queued_reply(submission: Submission, call_id: int, *, echo_pin: bool = False) -> bytes:
    return _document(submission.endpoint, [("status", "queued"), ("call_id", call_id)], submission.values, echo_pin)


def failed_reply(endpoint: str, message: str, values: dict[str, str] | None = None, *, echo_pin: bool = False) -> bytes:
    error = f"    <error>{xml_text(message)}</error>"
    return _document(endpoint, [("status", "failed")], values or {}, echo_pin, error)


def campaign_reply(
    submission: Submission,
    campaign_id: int,
    queued: int,
    rejected: int,
    lines: Sequence[tuple[int, str, str]],
    *,
    echo_pin: bool = False,
) -> bytes:
    """``lines`` are the first rejected ones: line number, text, reason."""
    listed = [
        f'    <rejected line="{number}" destination="{_attribute(text[:128])}">{xml_text(reason)}</rejected>'
        for number, text, reason in lines
    ]
    attributes = [("status", "queued"), ("campaign_id", campaign_id), ("queued", queued), ("rejected", rejected)]
    return _document(submission.endpoint, attributes, submission.values, echo_pin, *listed)
