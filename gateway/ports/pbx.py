"""One Asterisk, as services ask it over AMI, and what it tells of channels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.core.model import (
    AttemptId,
)


@dataclass(frozen=True, slots=True)
class Originate:
    attempt_id: AttemptId
    dial_string: str
    caller_id: str | None
    account: str
    ring_timeout: float  # seconds
    max_call_seconds: int


class Placed(StrEnum):
    """What is certain of an Originate once :meth:`Pbx.originate` returns. It is never sent twice."""

    QUEUED = "queued"
    NOT_SENT = "not_sent"
    """Certainly not sent: no link. Nobody's phone rings."""
    REFUSED = "refused"
    """Asterisk answered with an error. Nobody's phone rings."""
    UNSURE = "unsure"
    """Sent, and the link was lost or fell silent before the answer: the phone may ring."""


@dataclass(frozen=True, slots=True)
class Placement:
    placed: Placed
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class Ringing:
    """180 or 183: somebody's network answered for the number."""

    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class Answered:
    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    attempt_id: AttemptId
    digit: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """``cause`` is Q.850, ``tech_cause`` the SIP code where Asterisk tells it; 0 and None are normal."""

    attempt_id: AttemptId
    cause: int
    tech_cause: int | None


@dataclass(frozen=True, slots=True)
class OriginateEnded:
    """OriginateResponse: the only word of an attempt that never had a channel."""

    attempt_id: AttemptId
    answered: bool
    reason: int


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Logged in and FullyBooted. ``boot`` changes when Asterisk itself was restarted."""

    boot: str


@dataclass(frozen=True, slots=True)
class LinkDown:
    reason: str


@dataclass(frozen=True, slots=True)
class LegDialed:
    """Our call is being connected to another party, whose channel has this name."""

    attempt_id: AttemptId
    channel: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    attempt_id: AttemptId


#: Of one attempt's channel.
ChannelEvent = (
    ChannelSeen | Ringing | Answered | DtmfReceived | HungUp | OriginateEnded | LegDialed | LegAnswered
)  # fmt: skip
PbxEvent = ChannelEvent | LinkUp | LinkDown


class PbxError(Exception):
    """The PBX could not be asked. ``retryable`` tells whether waiting may help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class Pbx(Protocol):
    """One Asterisk, spoken to over AMI."""

    @property
    def connected(self) -> bool: ...
    def events(self) -> AsyncIterator[PbxEvent]: ...
    async def answers(self, within: float) -> bool:
        """Whether Asterisk answers now: it did so a moment ago, or does within ``within`` seconds."""
        ...

    async def originate(self, request: Originate) -> Placement: ...
    async def live_channels(self) -> dict[AttemptId, bool]:
        """Channels of ours that exist now; the value tells whether they are answered. Raises :class:`PbxError`."""
        ...

    async def hangup(self, attempt: AttemptId) -> None: ...
    async def hangup_leg(self, channel: str) -> None:
        """End the other party's channel, as :class:`LegDialed` named it."""
        ...

    async def stop_playback(self, attempt: AttemptId) -> None: ...
    async def send_dtmf(self, attempt: AttemptId, digit: str) -> None: ...
    async def open_tap(self, attempt: AttemptId, way: str) -> str | None:
        """Have the attempt's audio brought to ``way``, as :meth:`Taps.expect` named it. Rings nobody.

        Why it cannot be, in words; None where it was asked for.
        """
        ...
