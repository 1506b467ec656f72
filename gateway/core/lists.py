"""What may be asked of the lists of calls and deliveries, and where a page of them ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.core.model import AccountId, CalleeType, CallId, CallState, CampaignId


class CallOrder(StrEnum):
    """Within each, calls stand as they were queued."""

    QUEUE = "queue"
    STATUS = "status"
    CALLEE_TYPE = "callee_type"
    LAST_ATTEMPT = "last_attempt"
    NUMBER = "number"
    """Only with ``prefix``, which is always in this order."""


#: The ranks by which lists are ordered; calls that nobody answered yet come first.
STATUS_RANK = {state: rank for rank, state in enumerate(CallState)}
CALLEE_RANK: dict[CalleeType | None, int] = {None: 0, **{kind: rank for rank, kind in enumerate(CalleeType, 1)}}


class ListRefused(ValueError):
    """A combination that no index serves; the message says which. ``field`` names what to change."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.field = field
        self.rule = rule


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Which calls, in which order; what is empty or None does not restrict.

    ``number`` is a dialed number in full, ``prefix`` its beginning (both as routes see it: E.164 with ``+``, an
    extension, ``sip:``). Raises :class:`ListRefused`.
    """

    account: AccountId | None = None
    campaign: CampaignId | None = None
    states: frozenset[CallState] = frozenset()
    callee_types: frozenset[CalleeType] = frozenset()
    number: str | None = None
    prefix: str | None = None
    reference: str | None = None
    order: CallOrder = CallOrder.QUEUE
    descending: bool = False

    def __post_init__(self) -> None:
        if self.number is not None and self.prefix is not None:
            raise ListRefused("number", "and a prefix cannot both be given")
        if self.prefix is not None:
            allowed = CallOrder.NUMBER
        elif self.number is not None or self.reference is not None:
            allowed = CallOrder.QUEUE
        elif self.order is CallOrder.NUMBER:
            raise ListRefused("order", "number needs the beginning of a number")
        else:
            return
        if self.order is not allowed:
            what = "prefix" if self.prefix is not None else "number" if self.number is not None else "reference"
            raise ListRefused("order", f"must be {allowed} where calls are sought by {what}")


class Position(NamedTuple):
    """Where a page of calls ended: the sort key of its last call, or of the last one that was looked at."""

    rank: int
    key: int | str
    id: int


class DeliveryState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Result posts, those of the newest calls first."""

    account: AccountId | None = None
    states: frozenset[DeliveryState] = frozenset()
    call: CallId | None = None
