"""The words of the house: ids, states and the records that services, stores and adapters exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, NewType

from msgspec import Meta

AccountId = NewType("AccountId", int)
CampaignId = NewType("CampaignId", int)
#: Fits a signed 32-bit integer and is never used again: Plum clients parse it with ``Convert.ToInt32``.
CallId = NewType("CallId", int)
#: ``vg-<installation>-<hex token>``: the AMI ChannelId of one attempt, and the secret its FastAGI session shows.
AttemptId = NewType("AttemptId", str)
#: Unix time in milliseconds, UTC.
Millis = NewType("Millis", int)

MAX_CALL_ID = 2**31 - 1
_ATTEMPT_ID = re.compile(r"vg-[a-z0-9]{1,16}-[0-9a-f]{24}\Z")


def is_attempt_id(channel: str) -> bool:
    """Whether a channel's id has the form of an attempt's: the doctor's own calls have another."""
    return _ATTEMPT_ID.match(channel) is not None


class CalleeType(StrEnum):
    """Who or what answered, in the words of the Plum contract."""

    VOICE = "voice"
    ANSWERINGMACHINE = "answeringmachine"
    FAX = "fax"
    BUSY = "busy"
    NOANSWER = "noanswer"
    OPERATOR = "operator"
    INFORMATIONTONE = "informationtone"
    UNKNOWN = "unknown"

    @property
    def reached(self) -> bool:
        """Whether a session is held with this callee (``completed``), or the attempt failed."""
        return self in (CalleeType.VOICE, CalleeType.ANSWERINGMACHINE)


class CallState(StrEnum):
    PENDING = "pending"
    DIALING = "dialing"
    IN_CALL = "in_call"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class CampaignState(StrEnum):
    """``loading`` cannot be claimed; what a crash left in it is removed at the next start."""

    LOADING = "loading"
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class EndKind(StrEnum):
    """How an attempt ended, as far as the retry decision cares."""

    REACHED = "reached"
    """Answered by a voice or a machine, and the VoiceXML session began: never dialed again."""
    NOT_REACHED = "not_reached"
    """The attempt failed with a callee type: retried while retries are left."""
    TRUNK_FAULT = "trunk_fault"
    """Certainly rang nobody, through our own side: consumes no attempt."""
    LOST_BEFORE_ANSWER = "lost_before_answer"
    """Outcome unknown (crash, lost link), last seen before answer: retried like a failure."""
    LOST_AFTER_ANSWER = "lost_after_answer"
    """Outcome unknown, the callee had answered or may have: not dialed again unless a setting says so."""


class DetectionMode(StrEnum):
    """When it is told who answered: before the session begins, while it goes on, or not at all."""

    BEFORE = "before"
    DURING = "during"
    OFF = "off"


class MachineHandling(StrEnum):
    """What is done with an answering machine: the session begins at once, after its beep, or it is hung up on."""

    START = "start"
    AFTER_BEEP = "after_beep"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What one account may set; ``None`` leaves the gateway's default in force."""

    time_zone: str
    country: str
    caller_id: str | None = None
    allowed_caller_ids: tuple[str, ...] = ()
    allowed_prefixes: tuple[str, ...] = ()
    blocked_prefixes: tuple[str, ...] = ()
    ring_timeout: int | None = None
    max_call_seconds: int | None = None
    keep_duplicates: bool = False
    retry_unknown_outcome: bool = False
    operator: bool = False  # sees and changes every account
    detection: DetectionMode | None = None
    machine: MachineHandling | None = None
    machine_silence: Annotated[float, Meta(ge=1, le=60)] | None = None  # seconds that stand for a missing beep
    machine_hangup_failed: bool = False  # a machine that was hung up on is posted as failed, and retried
    evidence_audio: bool = False  # the first seconds of what the callee said are kept
    evidence_days: Annotated[int, Meta(ge=1, le=3650)] = 7
    cps: Annotated[float, Meta(gt=0, le=500)] | None = None  # calls started a second
    max_calls: Annotated[int, Meta(ge=1)] | None = None  # calls at once
    daily_calls: Annotated[int, Meta(ge=1)] | None = None  # attempts a day, in the account's zone; so the next two
    daily_minutes: Annotated[float, Meta(gt=0, le=1e9)] | None = None  # answered
    daily_cost: Annotated[float, Meta(gt=0, le=1e9)] | None = None  # by the rates, in their currency


@dataclass(frozen=True, slots=True)
class Account:
    id: AccountId
    login: str
    pin_hash: str
    settings: AccountSettings
    pin_set_at: Millis | None = None
    old_pin_hash: str | None = None  # the PIN before, which counts until then
    old_pin_until: Millis | None = None


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What a submission asks for every one of its calls. Times are in force once the intake has defaulted them."""

    start_url: str
    result_url: str | None
    message_reference: str | None
    call_parameters: str | None
    max_retries: int
    retry_interval: int  # seconds
    scheduled_at: Millis
    expires_at: Millis | None
    ring_timeout: int | None = None  # seconds; None: the account's, else the gateway's
    max_call_seconds: int | None = None
    detection: DetectionMode | None = None
    machine: MachineHandling | None = None


class NewCall(NamedTuple):
    """One number of a submission, validated and routed. A tuple: a list makes a million of them.

    ``destination`` is the text as submitted (posted back as ``phone_number``); ``dialed`` is the normalised number
    (E.164 with ``+``, ``sip:user@host``, or an extension) from which routes make the dial string.
    """

    destination: str
    dialed: str
    trunk: str
    ani: str | None = None
    postd: str | None = None
    message_reference: str | None = None
    call_parameters: str | None = None
    campaign_parameters: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its plan resolved (its own values, else its campaign's)."""

    id: CallId
    account_id: AccountId
    campaign_id: CampaignId
    state: CallState
    destination: str
    dialed: str
    trunk: str
    ani: str | None
    postd: str | None
    campaign_parameters: str | None
    plan: CallPlan  # message_reference and call_parameters already overridden by the call's own
    attempts: int  # those that count: trunk faults do not
    due_at: Millis | None  # None once no attempt is owed
    created_at: Millis
    callee_type: CalleeType | None
    last_attempt_at: Millis | None
    duration: int  # seconds from answer to hang-up of the last attempt
    fault_since: Millis | None
    fault_count: int
    reason: str | None  # why it ended or waits, in words
    application_error: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    id: AttemptId
    call_id: CallId
    number: int  # 1 is the first row of this call, trunk faults included
    trunk: str
    state: AttemptState
    started_at: Millis
    ringing_at: Millis | None = None
    answered_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call whose attempt row is committed: it may be dialed now, once."""

    call: Call
    attempt: Attempt
    account: Account


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """The evidence with which an attempt closes. Causes are Q.850; ``tech_cause`` is the SIP code."""

    attempt_id: AttemptId
    kind: EndKind
    callee_type: CalleeType
    ended_at: Millis
    answered_at: Millis | None = None
    ringing_at: Millis | None = None
    cause: int | None = None
    tech_cause: int | None = None
    reason: str | None = None
    application_error: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)  # what was heard, as docs/classification.md tells
    talked: int | None = None  # seconds from answer to end by a clock that nobody sets; None: what the times tell
    legs: tuple[tuple[str, int], ...] = ()  # to whom it was transferred, and for how many seconds: they cost, too
