"""What the API takes and gives: the gateway validates and describes itself by these models, and clients read them.

Times are RFC 3339 in UTC. A field that is null is not known, not yet, or not set.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from gateway.core.access import Scope
from gateway.core.limits import DEFAULT_RETRY_INTERVAL, MAX_RETRIES, MAX_TIMESTAMP, RETRY_INTERVAL
from gateway.core.lists import CallOrder, DeliveryState
from gateway.core.model import (
    AccountSettings,
    AttemptState,
    CalleeType,
    CallState,
    CampaignState,
    DetectionMode,
    EndKind,
    MachineHandling,
)

T = TypeVar("T")

#: RFC 3339 with its zone; answers are in UTC.
Moment = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(max_length=255)]
Url = Annotated[str, Meta(min_length=1, max_length=255, description="An absolute http or https URL.")]
Login = Annotated[str, Meta(min_length=1, max_length=128, description="An account's login.")]
Pin = Annotated[str, Meta(min_length=4, max_length=16, description="4 to 16 printable characters.")]
Ident = Annotated[int, Meta(ge=0, le=2**53)]
ResultId = Annotated[str, Meta(pattern="^msg_[0-9a-f]+$", examples=["msg_0f3a"])]
Cursor = Annotated[str, Meta(max_length=512, pattern="^[A-Za-z0-9_-]*$", description="The `next` of the page before.")]
Retries = Annotated[int, Meta(ge=0, le=MAX_RETRIES, description="Attempts after the first one.")]
RetryGap = Annotated[int, Meta(ge=RETRY_INTERVAL[0], le=RETRY_INTERVAL[1], description="Seconds between attempts.")]
Timestamp = Annotated[int, Meta(ge=0, le=MAX_TIMESTAMP, description="Unix seconds; 0 is the default.")]
Words = Annotated[
    str,
    Meta(max_length=64, description="A time in words or RFC 3339, in the account's zone.", examples=["tomorrow 9am"]),
]
#: May break the form of a number in ways that no schema tells: those are refused with the rule in words.
Number = Annotated[
    str,
    Meta(min_length=1, max_length=128, description="As queuecall takes it.", examples=["+16175551234", "tel:+1617…"]),
]


class In(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A request; a field that it does not know is refused."""


class Out(msgspec.Struct, kw_only=True):
    """An answer; fields may be added to it in later versions."""


class Page(Out, Generic[T]):
    """``next`` is the cursor of the page that follows, null on the last. A search's page may be short and have one."""

    items: list[T]
    next: str | None


# --- calls ---


class Plan(In):
    """How calls are made: of one call, or of all calls of a campaign."""

    start_url: Url
    result_url: Url | None = None
    message_reference: Text | None = None
    call_parameters: Text | None = None
    max_retries: Retries = 0
    retry_interval: RetryGap = DEFAULT_RETRY_INTERVAL
    scheduled_time: Words | None = None
    scheduled_timestamp: Timestamp = 0
    expiration_time: Words | None = None
    expiration_timestamp: Timestamp = 0
    detection: DetectionMode | None = None
    machine: MachineHandling | None = None


class NewCall(Plan, kw_only=True):
    """``account`` is needed where an operator queues for one."""

    phone_number: Number
    account: Login | None = None


class Queued(Out):
    """The call is durable."""

    id: int


class LineDone(Out):
    """What became of one line of a stream: its call's ``id``, or the ``field`` and ``rule`` that refused it."""

    line: int
    id: int | None = None
    field: str | None = None
    rule: str | None = None


class Call(Out):
    """``phone_number`` is the text as it was submitted, ``dialed`` the number that routes see."""

    id: int
    account: str
    campaign_id: int
    state: CallState
    shown: str
    phone_number: str
    dialed: str
    trunk: str
    caller_id: str | None
    start_url: str
    result_url: str | None
    message_reference: str | None
    call_parameters: str | None
    campaign_parameters: str | None
    max_retries: int
    retry_interval: int
    expires_at: Moment | None
    created_at: Moment
    due_at: Moment | None
    attempts: int
    callee_type: CalleeType | None
    last_attempt_at: Moment | None
    duration: int
    reason: str | None
    application_error: str | None


class Attempt(Out):
    """One time that a call was dialed. ``id`` names its channel in Asterisk's logs, and is known once it has ended:
    until then it is the key to the call's session."""

    number: int
    id: str | None
    state: AttemptState
    trunk: str
    started_at: Moment
    ringing_at: Moment | None
    answered_at: Moment | None
    ended_at: Moment | None
    kind: EndKind | None
    callee_type: CalleeType | None
    cause: int | None
    tech_cause: int | None
    reason: str | None
    application_error: str | None
    evidence: dict[str, Any]


class Delivery(Out):
    """A result post: what is posted where, and what became of it."""

    id: str
    call_id: int
    account: str
    state: DeliveryState
    url: str
    form: dict[str, str]
    tries: int
    created_at: Moment
    next_at: Moment | None
    accepted_at: Moment | None
    given_up_at: Moment | None
    last_status: int | None
    last_error: str | None


class DeliveryTry(Out):
    """``took`` in milliseconds; ``response`` is the beginning of the answer's body."""

    at: Moment
    accepted: bool
    status: int | None
    error: str | None
    took: int
    response: str | None
    next_at: Moment | None


class CallDetail(Call):
    history: list[Attempt]
    delivery: Delivery | None


class DeliveryDetail(Delivery):
    history: list[DeliveryTry]


class HangUp(Out):
    """The channel was told to hang up; the call's end follows."""

    id: int
    attempt: int


class Label(In):
    """Who answered, as somebody knows who heard the call."""

    callee_type: CalleeType


class CallFilter(In):
    """``state`` and ``callee_type`` may name several, with commas. ``number`` may end in ``*``."""

    account: Login | None = None
    campaign: Ident | None = None
    state: Annotated[str, Meta(max_length=100, examples=["failed,cancelled"])] | None = None
    callee_type: Annotated[str, Meta(max_length=100, examples=["voice"])] | None = None
    number: Annotated[str, Meta(min_length=1, max_length=128, examples=["+1617*"])] | None = None
    reference: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    order: CallOrder | None = None
    descending: bool = False
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


# --- campaigns ---


class NewCampaign(Plan, kw_only=True):
    """A campaign without calls yet: they are added by ``POST /campaigns/{id}/calls``."""

    campaign_name: Annotated[str, Meta(min_length=1, max_length=128)]
    account: Login | None = None
    paused: Annotated[bool, Meta(description="Dial nothing until it is resumed.")] = False


class Campaign(Out):
    """``single`` marks the campaign that holds calls queued one by one; it has no plan of its own."""

    id: int
    account: str
    name: str
    state: CampaignState
    single: bool
    created_at: Moment
    start_url: str | None
    result_url: str | None
    scheduled_at: Moment | None
    expires_at: Moment | None
    counts: dict[CallState, int]
    rejected: int


class Rejected(Out):
    line: int
    text: str
    reason: str


class Loaded(Out):
    """``first_rejected`` holds at most twenty lines; ``refusals`` counts all of them by reason."""

    campaign_id: int
    name: str
    queued: int
    rejected: int
    first_rejected: list[Rejected]


class Upload(Out):
    """A list that is being loaded, or was a short while ago."""

    name: str
    account: str
    campaign_id: int | None
    bytes_total: int
    bytes_read: int
    queued: int
    rejected: int
    done: bool


class CampaignFilter(In):
    account: Login | None = None
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


# --- why and preflight ---


class Hold(Out):
    """What holds a call, a campaign or everything now; ``change`` is what would let it go on."""

    reason: str
    text: str
    change: str
    until: Moment | None


class Refusal(Out):
    """``calls`` that are refused for one ``reason``; ``example`` is the first of their numbers."""

    reason: str
    example: str
    calls: int


class TrunkForecast(Out):
    trunk: str
    calls: int
    others: int
    rate: float
    starts_at: Moment
    finishes_at: Moment


class Forecast(Out):
    starts_at: Moment
    finishes_at: Moment
    expiring: int
    trunks: list[TrunkForecast]


class Preflight(Out):
    """What would be dialed when, what is blocked and why. Nothing was queued."""

    dialable: int
    blocked: list[Refusal]
    problems: list[str]
    hold: Hold | None
    forecast: Forecast | None
    expires_at: Moment | None
    call_seconds: float
    call_seconds_measured: bool


# --- results ---


class DeliveryFilter(In):
    account: Login | None = None
    state: Annotated[str, Meta(max_length=60, examples=["waiting,given_up"])] | None = None
    call: Ident | None = None
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class TestPost(In):
    """Post a made-up result to ``url``, once; nothing is kept. ``account`` is for operators: whose secret signs it."""

    url: Url
    account: Login | None = None


class TestPosted(Out):
    accepted: bool
    status: int | None
    error: str | None
    took: int
    form: dict[str, str]
    response: str | None


# --- accounts, tokens, audit ---


if TYPE_CHECKING:

    class SettingsChange(In):
        """Settings of an account by name."""
else:
    SettingsChange = msgspec.defstruct(
        "SettingsChange",
        [
            (name, kind | None | msgspec.UnsetType, msgspec.UNSET)
            for name, kind in get_type_hints(AccountSettings).items()
        ],
        bases=(In,),
        kw_only=True,
        namespace={"__doc__": "What is left out stays as it is; null goes back to the default."},
    )


class NewAccount(In):
    login: Login
    pin: Pin
    settings: AccountSettings


class Account(Out):
    id: int
    login: str
    pin_set_at: Moment | None
    old_pin_until: Moment | None
    settings: AccountSettings


class Usage(Out):
    """Of the account's day; live calls count a minute at least. ``hold`` is the cap by which its calls wait now."""

    calls: int
    live: int
    minutes: float
    cost: float
    lifted: bool
    hold: Hold | None


class NewPin(In):
    """``keep_old_hours``: the old PIN stays valid for so long, for clients that are changed one after another.

    Browsers that are signed in to the pages are signed out, unless ``keep_sessions`` is said.
    """

    pin: Pin
    keep_old_hours: Annotated[int, Meta(ge=0, le=24)] = 0
    keep_sessions: bool = False


class Signing(Out):
    """Whether result posts are signed, since when by this secret, and until when the one before also signs."""

    signed: bool
    set_at: Moment | None
    old_until: Moment | None


class NewSigning(In):
    """``keep_old_hours``: the secret before also signs for so long."""

    keep_old_hours: Annotated[int, Meta(ge=0, le=168)] = 24


class IssuedSigning(Signing):
    """``secret`` is shown this once."""

    secret: str


class NewToken(In):
    """``account`` is for operators; without one their token belongs to no account."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    account: Login | None = None
    expires_at: Moment | None = None


class Token(Out):
    """``issuer`` is the account by which it was issued, null where the gateway's Unix socket was used.

    A token of no account is worth what its issuer is: it counts while that account is an operator.
    """

    id: int
    account: str | None
    name: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    used_at: Moment | None
    revoked_at: Moment | None
    issuer: str | None


class IssuedToken(Token):
    """``token`` is shown this once: only its hash is kept."""

    token: str


class AuditLine(Out):
    """``origin`` is an address, or the user who opened the socket; ``outcome`` is ``done``, or why it was refused."""

    id: int
    at: Moment
    actor: str
    action: str
    subject: str
    account: str | None
    detail: str
    origin: str
    outcome: str


class AuditFilter(In):
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


# --- the gateway, events, problems ---


class TrunkStatus(Out):
    """``live`` calls of ``max_calls``, at most ``cps`` of them started in a second."""

    live: int
    max_calls: int
    cps: float
    faults: int
    suspended: bool
    last_fault: str | None


class Status(Out):
    """``detector`` tells by what it is known who answered."""

    version: str
    pid: int
    ami: bool
    why_not_dialing: str | None
    live: int
    detector: dict[str, Any]
    trunks: dict[str, TrunkStatus]


class EventFilter(In):
    """``kinds`` names kinds of events, with commas; ``call.*`` names all that begin so."""

    after: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    kinds: Annotated[str, Meta(max_length=300, examples=["call.changed,delivery.*"])] | None = None
    campaign: Ident | None = None
    call: Ident | None = None


class Event(Out):
    id: int
    kind: str
    at: Moment
    data: dict[str, Any]


class Problem(Out):
    """RFC 9457. ``code`` names the kind; ``field`` and ``rule`` what to change, where a field is at fault."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    rule: str | None = None
