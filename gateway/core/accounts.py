"""The rules of an account: its login, its PIN and its settings."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any
from zoneinfo import available_timezones

import msgspec
import phonenumbers

from gateway.core.model import AccountSettings
from gateway.core.numbers import VISUAL
from gateway.core.plum import FieldError
from gateway.core.routes import check_entry

_NAMED = re.compile(r"[^<>]*<([^<>]*)>\Z")


def check_login(login: str) -> str:
    """Raises :class:`FieldError`."""
    if not 1 <= len(login) <= 128 or not login.isprintable():
        raise FieldError("login", "must be 1 to 128 printable characters")
    if ":" in login:
        raise FieldError("login", "must hold no colon: HTTP Basic ends the login there")
    return login


def check_pin(pin: str) -> str:
    """Raises :class:`FieldError`; the message never holds the PIN."""
    if not 4 <= len(pin) <= 16 or not pin.isprintable():
        raise FieldError("pin", "must be 4 to 16 printable characters")
    return pin


def check_settings(settings: AccountSettings) -> AccountSettings:
    """Raises :class:`FieldError`."""
    if settings.time_zone not in available_timezones():
        raise FieldError("time_zone", f"{settings.time_zone!r} is no time zone like America/New_York")
    if settings.country not in phonenumbers.SUPPORTED_REGIONS:
        raise FieldError("country", f"{settings.country!r} is no ISO 3166 country like US")
    for name, low, high in (("ring_timeout", 10, 120), ("max_call_seconds", 10, 86_400)):
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise FieldError(name, f"must be from {low} to {high} seconds")
    for name in ("allowed_prefixes", "blocked_prefixes"):
        for entry in getattr(settings, name):
            try:
                check_entry(entry)
            except ValueError as error:
                raise FieldError(name, f"is refused: {error}") from None
    if settings.caller_id is not None and not (settings.caller_id.isprintable() and len(settings.caller_id) <= 80):
        raise FieldError("caller_id", "must be at most 80 printable characters")  # it becomes a header of AMI
    if not may_show(settings, settings.caller_id):
        listed = ", ".join(settings.allowed_caller_ids)
        raise FieldError("caller_id", f"must be one of the account's allowed caller IDs, which are {listed}")
    return settings


def may_show(settings: AccountSettings, caller_id: str | None) -> bool:
    """Whether an account may show a caller ID of its own: any where its operator lists none."""
    return caller_id is None or not settings.allowed_caller_ids or is_listed(settings, caller_id)


def is_listed(settings: AccountSettings, caller_id: str) -> bool:
    """Whether the operator lists a caller ID, ``5551234`` or ``Name <5551234>``, among the account's."""
    number = match[1] if (match := _NAMED.match(caller_id)) else caller_id
    return number.translate(VISUAL) in {one.translate(VISUAL) for one in settings.allowed_caller_ids}


def changed(settings: AccountSettings, changes: dict[str, Any]) -> AccountSettings:
    """``settings`` with some of them changed; null goes back to the default. Raises :class:`FieldError`."""
    known = {one.name for one in fields(AccountSettings)}
    for name in changes:
        if name not in known:
            raise FieldError(name, f"is no setting of an account: there are {', '.join(sorted(known))}")
    merged = {**msgspec.to_builtins(settings), **changes}
    optional = {name: value for name, value in merged.items() if value is not None}
    try:
        return check_settings(msgspec.convert(optional, AccountSettings))
    except msgspec.ValidationError as error:
        raise at_fault(error) from None


def at_fault(error: msgspec.ValidationError) -> FieldError:
    """msgspec's message, as `Expected `int`, got `str` - at `$.max_retries``, as a field and a rule."""
    rule, _, place = str(error).partition(" - at `$")
    field = place.strip("`.").partition("[")[0]
    if not field and (named := re.search(r"`(\w+)`$", rule)):  # a field that is missing, or unknown
        field = named[1]
    return FieldError(field or "body", f"is refused: {rule}")
