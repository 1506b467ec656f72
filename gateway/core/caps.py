"""What an account's caps and the ceilings on minutes and cost let start: the claim's own rule, pure.

A capped call waits; nothing of it is lost. A live call is never cut for a cap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.core.admission import Hold, Reason
from gateway.core.model import AccountSettings, Millis
from gateway.core.pacing import Pace

#: Costs are kept in millionths of the currency that the rates are written in.
MICRO = 1_000_000
#: Seconds that a live call counts at least, as carriers charge for the first minute.
RESERVED = 60


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of a minute in millionths, by prefix of what is dialed; ``default`` is any other phone number's."""

    default: int = 0
    prefixes: Mapping[str, int] = field(default_factory=dict)

    def cost(self, dialed: str, seconds: int) -> int:
        """In millionths, rounded up, by the longest prefix. Extensions and sip: addresses cost what a prefix says."""
        for length in range(len(dialed), 0, -1):
            if (price := self.prefixes.get(dialed[:length])) is not None:
                return -(-price * seconds // 60)
        return -(-self.default * seconds // 60) if dialed.startswith("+") else 0


@dataclass(frozen=True, slots=True)
class Spending:
    """The whole gateway's ceilings for a day, in minutes and in the rates' currency, and the rates."""

    daily_minutes: float | None = None
    daily_cost: float | None = None
    rates: Rates = field(default_factory=Rates)


@dataclass(slots=True)
class Used:
    """What was used of a day, live calls included; ``lifted``: an operator lets more be spent until its end."""

    live: int = 0
    attempts: int = 0
    seconds: int = 0
    cost: int = 0
    lifted: bool = False

    def reserve(self, rates: Rates, dialed: str, seconds: int = RESERVED) -> None:
        """One more live call, which has been talking for so long."""
        self.live += 1
        self.spend(rates, dialed, max(RESERVED, seconds))

    def spend(self, rates: Rates, dialed: str, seconds: int) -> None:
        self.seconds += seconds
        self.cost += rates.cost(dialed, seconds)


def day_of(now: Millis, zone: str | None) -> str:
    """The date, as ``2026-11-27``; without a zone it is this machine's."""
    return _local(now, zone).date().isoformat()


def next_day(now: Millis, zone: str | None) -> Millis:
    """When the next day begins there."""
    at = _local(now, zone)
    begin = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), at.tzinfo if zone else None)
    return Millis(math.ceil(begin.timestamp() * 1000))


def _local(now: Millis, zone: str | None) -> datetime:
    return datetime.fromtimestamp(now / 1000, None if zone is None else ZoneInfo(zone))


def overspent(spending: Spending, used: Used, now: Millis) -> Hold | None:
    """What the whole gateway's ceilings hold everybody's calls by."""
    told = _spent(spending.daily_minutes, spending.daily_cost, used)
    if told is None:
        return None
    lift = "the next day; an operator lifts it by `voxgate account lift --everybody`, or raises [spend] daily_{}"
    return Hold(Reason.GATEWAY_SPENT, f"the gateway has used {told[1]}", lift.format(told[0]), next_day(now, None))


def capped(settings: AccountSettings, used: Used, now: Millis) -> Hold | None:
    """What an account's own ceilings and caps hold its calls by, but for its pace."""
    if (told := _spent(settings.daily_minutes, settings.daily_cost, used)) is not None:
        lift = f"the next day; an operator lifts it by `voxgate account lift`, or raises the account's daily_{told[0]}"
        return Hold(
            Reason.ACCOUNT_SPENT, f"the account has used {told[1]}", lift, next_day(now, settings.time_zone)
        )  # fmt: skip
    if settings.daily_calls is not None and used.attempts >= settings.daily_calls:
        text = f"the account has dialed {used.attempts} of {settings.daily_calls} calls of this day"
        lift = "the next day; daily_calls of the account is the limit, which an operator sets"
        return Hold(Reason.ACCOUNT_DAILY, text, lift, next_day(now, settings.time_zone))
    if settings.max_calls is not None and used.live >= settings.max_calls:
        text = f"the account has {used.live} of {settings.max_calls} calls up"
        return Hold(
            Reason.ACCOUNT_FULL, text, "the end of a call makes room; max_calls of the account is the limit"
        )  # fmt: skip
    return None


def paced(pace: Pace, now: Millis) -> Hold | None:
    """What the pace of an account holds its next call by; ``pace`` is as of ``now``."""
    if pace.tokens + 1e-9 >= 1.0:
        return None
    return Hold(
        Reason.ACCOUNT_PACE, f"the account starts {pace.limit.cps:g} calls a second",
        "its turn comes at that pace; cps of the account is the limit", Millis(math.ceil(now + pace.wait_ms())),
    )  # fmt: skip


def _spent(minutes: float | None, cost: float | None, used: Used) -> tuple[str, str] | None:
    """Which ceiling is reached, and in words."""
    if used.lifted:
        return None
    if minutes is not None and used.seconds >= minutes * 60:
        return "minutes", f"{used.seconds / 60:.0f} of {minutes:g} minutes of this day, live calls included"
    if cost is not None and used.cost >= cost * MICRO:
        return "cost", f"{used.cost / MICRO:.2f} of {cost:g} that a day may cost, live calls included"
    return None
