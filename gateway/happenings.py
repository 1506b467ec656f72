"""What happens in the gateway, as values told to whoever watches: metrics and traces stand on this one seam.

A happening is told when it ended; ``seconds`` is how long it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars

from gateway.core.model import AttemptEnd, AttemptId, Call, CalleeType, CallId, Claimed
from gateway.ports import Delivery, DeliveryTry, FetchPurpose, Placed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CallAccepted:
    """A single call was queued, durably; ``seconds`` count from its request."""

    call_id: CallId
    seconds: float


@dataclass(frozen=True, slots=True)
class CallsClaimed:
    claimed: tuple[Claimed, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class OriginateAnswered:
    claimed: Claimed
    placed: Placed
    seconds: float


@dataclass(frozen=True, slots=True)
class ChannelOpened:
    """Asterisk made the attempt's channel; ``seconds`` count from the claim."""

    claimed: Claimed
    seconds: float


@dataclass(frozen=True, slots=True)
class CalleeJudged:
    """Who answered; ``seconds`` count from the moment at which the dialog took the channel."""

    call_id: CallId
    attempt_id: AttemptId
    callee_type: CalleeType
    confidence: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """One action of a VoiceXML session was carried out; ``action`` is its name in the interpreter, in lower case."""

    call_id: CallId
    action: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """``error`` is the VoiceXML event that ended it, None where the application did."""

    call_id: CallId
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class AttemptClosed:
    claimed: Claimed
    end: AttemptEnd
    call: Call  # as it is afterwards


@dataclass(frozen=True, slots=True)
class ResultPosted:
    delivery: Delivery
    tried: DeliveryTry
    seconds: float


class HostClass(StrEnum):
    """Where a fetched host is, by its address."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    UNKNOWN = "unknown"
    """No address was reached: the name is unknown, or the guard refused."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """``outcome`` is the class of the status (``2xx``), ``cached``, or why no answer came (FetchErrorKind)."""

    call_id: CallId | None
    purpose: FetchPurpose
    host: str
    host_class: HostClass
    method: str
    outcome: str
    seconds: float


class SpeechSource(StrEnum):
    CACHE = "cache"
    RENDERED = "rendered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SpeechAsked:
    source: SpeechSource
    seconds: float


@dataclass(frozen=True, slots=True)
class AmiPinged:
    """The round trip of an AMI Ping: how far Asterisk's manager lags behind."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AmiLinkChanged:
    up: bool


Happening = (
    CallAccepted | CallsClaimed | OriginateAnswered | ChannelOpened | CalleeJudged | TurnTaken | SessionEnded
    | AttemptClosed | ResultPosted | Fetched | SpeechAsked | AmiPinged | AmiLinkChanged
)  # fmt: skip

#: Called on the event loop: it must neither wait nor raise.
Observe = Callable[[Happening], None]


def unobserved(happening: Happening) -> None:
    """Nobody watches."""


def told_to(*observers: Observe) -> Observe:
    """Tells each happening to all of them. A fault of who only watches is logged, and costs no call."""

    def observe(happening: Happening) -> None:
        for one in observers:
            try:
                one(happening)
            except Exception:
                log.exception("observer.failed", happening=type(happening).__name__)

    return observe


class Stopwatch:
    """Seconds since it was made, on the monotonic clock."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


# --- whose call it is ---


def of_call(call_id: CallId, attempt_id: AttemptId | None = None) -> AbstractContextManager[None]:
    """While it is entered, every log line and every fetch of this task, and of tasks begun in it, is the call's."""
    named: dict[str, Any] = {"call_id": call_id}
    if attempt_id is not None:
        named["attempt_id"] = attempt_id
    return bound_contextvars(**named)


def current_call() -> CallId | None:
    found: CallId | None = get_contextvars().get("call_id")
    return found


def current_attempt() -> AttemptId | None:
    found: AttemptId | None = get_contextvars().get("attempt_id")
    return found
