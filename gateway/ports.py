"""The true seams: what services ask of the database, Asterisk, the network, speech and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.core.access import Receipt
from gateway.core.lists import CallQuery, DeliveryQuery, DeliveryState, Position
from gateway.core.model import (
    Account,
    AccountId,
    AccountSettings,
    Attempt,
    AttemptEnd,
    AttemptId,
    Call,
    CalleeType,
    CallId,
    CallPlan,
    CallState,
    CampaignId,
    CampaignState,
    Claimed,
    Millis,
    NewCall,
)

# --- clock ---


class Clock(Protocol):
    def now(self) -> Millis: ...


# --- store ---


class StoreError(Exception):
    """The store could not do what was asked; nothing of it was written."""


class StoreRefused(StoreError):
    """A change that the state of what is to be changed does not allow."""


class NameTaken(StoreError):
    """A login or a campaign name that is in use already."""


@dataclass(frozen=True, slots=True)
class Campaign:
    id: CampaignId
    account_id: AccountId
    name: str
    state: CampaignState
    single: bool  # the account's default campaign, which holds what queuecall queues
    created_at: Millis
    plan: CallPlan | None  # None for the default campaign: its calls bring their own
    counts: Mapping[CallState, int]
    rejected: int


@dataclass(frozen=True, slots=True)
class Lane:
    """Calls of one campaign over one trunk. The dialer names those that may dial now, by trunk."""

    trunk: str
    slots: int  # how many may start now


@dataclass(frozen=True, slots=True)
class Backlog:
    """Calls of one campaign that wait for one trunk; ``due_at`` is the first one's."""

    campaign_id: CampaignId
    trunk: str
    waiting: int
    due_at: Millis


@dataclass(frozen=True, slots=True)
class Delivery:
    """A result post that is owed. ``id`` is the webhook-id, the same on every try."""

    id: str
    call_id: CallId
    account_id: AccountId
    url: str
    host: str
    form: tuple[tuple[str, str], ...]
    tries: int
    since: Millis  # when it was first owed, or asked for again


@dataclass(frozen=True, slots=True)
class DeliveryTry:
    id: str
    at: Millis
    accepted: bool
    status: int | None  # HTTP status, None where no answer came
    error: str | None
    next_at: Millis | None  # None: accepted, or given up
    took: int = 0  # milliseconds
    response: str | None = None  # the beginning of the answer's body


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A result post as it is shown: what is posted, and what became of it."""

    id: str
    call_id: CallId
    account_id: AccountId
    state: DeliveryState
    url: str
    form: tuple[tuple[str, str], ...]
    tries: int
    created_at: Millis
    next_at: Millis | None
    accepted_at: Millis | None
    given_up_at: Millis | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """``next`` is where the next page goes on; None on the last one."""

    deliveries: tuple[DeliveryRecord, ...]
    next: CallId | None


@dataclass(frozen=True, slots=True)
class CallHistory:
    """A call with all that is kept of it, as of one moment."""

    call: Call
    attempts: tuple[tuple[Attempt, AttemptEnd | None], ...]
    delivery: DeliveryRecord | None


@dataclass(frozen=True, slots=True)
class CallPage:
    """``next`` is where the next page goes on; None on the last one. A search's page may be short and have a next."""

    calls: tuple[Call, ...]
    next: Position | None


@dataclass(frozen=True, slots=True)
class Vitals:
    """The store's own measures: what waits in it, and how large it is."""

    calls: Mapping[CallState, int]
    results_waiting: int
    results_given_up: int
    oldest_result: Millis | None  # when the oldest result that still waits was owed
    database_bytes: int
    wal_bytes: int


class Store(Protocol):
    """The queue.

    Every method returns once its work is durable; a call's state and its campaign's counters change together.
    """

    async def add_account(
        self, login: str, pin_hash: str, settings: AccountSettings, now: Millis | None = None
    ) -> Account: ...
    async def accounts(self) -> list[Account]: ...
    async def account_by_login(self, login: str) -> Account | None: ...

    async def queue_call(
        self, account: AccountId, call: NewCall, plan: CallPlan, now: Millis,
        receipt: Callable[[CallId], Receipt] | None = None,
    ) -> CallId: ...  # fmt: skip
    async def open_campaign(self, account: AccountId, name: str, plan: CallPlan, now: Millis) -> CampaignId: ...
    async def load_calls(self, campaign: CampaignId, calls: Sequence[NewCall], now: Millis) -> None: ...
    async def publish_campaign(
        self, campaign: CampaignId, rejected: int, receipt: Receipt | None = None, *, paused: bool = False
    ) -> None: ...
    async def add_calls(
        self, campaign: CampaignId, calls: Sequence[NewCall], now: Millis, receipt: Receipt | None = None
    ) -> None:
        """Let calls join a campaign that runs or is paused, all at once. Raises :class:`StoreRefused`."""
        ...

    async def dialed_in(self, campaign: CampaignId, numbers: Sequence[str]) -> set[str]:
        """Which of the numbers the campaign holds already."""
        ...

    async def discard_campaign(self, campaign: CampaignId) -> None: ...
    async def discard_unpublished(self) -> int: ...

    async def claim(self, lanes: Sequence[Lane], now: Millis, limit: int) -> list[Claimed]: ...
    async def next_due(self, now: Millis) -> Millis | None: ...
    async def mark_ringing(self, attempt: AttemptId, at: Millis) -> None: ...
    async def mark_answered(self, attempt: AttemptId, at: Millis) -> None: ...
    async def close_attempt(self, end: AttemptEnd) -> Call: ...
    async def open_attempts(self) -> list[Claimed]: ...
    async def claimed(self, attempt: AttemptId) -> Claimed | None: ...
    async def expire(self, now: Millis, limit: int) -> list[Call]:
        """Fail waiting calls whose expiration has come, at most ``limit``; those calls as they are now."""
        ...

    async def other_lanes(self, trunks: Collection[str]) -> list[tuple[CampaignId, str]]:
        """Campaigns and trunks, none of them among ``trunks``, of which calls wait."""
        ...

    async def waiting(
        self, campaign: CampaignId, trunk: str, after: tuple[Millis, CallId] | None, limit: int
    ) -> list[Call]:
        """Calls that wait for ``trunk``, by due time and id, from beyond ``after`` on."""
        ...

    async def backlogs(self, campaign: CampaignId | None) -> list[Backlog]:
        """What waits of one campaign, or of all active ones, by campaign and trunk."""
        ...

    async def ahead_of(self, call: Call, limit: int) -> int:
        """How many calls of its campaign and trunk fall due before a waiting call; counted up to ``limit``."""
        ...

    async def mean_attempt_seconds(self) -> float | None:
        """How long the newest thousand attempts held a channel, on average; None where none has ended."""
        ...

    async def move_calls(self, moves: Mapping[CallId, str]) -> None:
        """Let each call that still waits wait for another trunk."""
        ...

    async def cancel_call(self, account: AccountId | None, call: CallId) -> CallState | None: ...
    async def relabel(self, account: AccountId | None, call: CallId, callee: CalleeType) -> Call | None:
        """Correct who answered an ended call; None where there is none. Raises :class:`StoreRefused`."""
        ...

    async def set_campaign_state(self, campaign: CampaignId, state: CampaignState) -> Campaign: ...
    async def hold(self, account: AccountId | None) -> None:
        """Let no call of ``account`` (None: of anybody) be claimed until :meth:`release`."""
        ...

    async def release(self, account: AccountId | None) -> None: ...
    async def held(self) -> frozenset[AccountId | None]:
        """The accounts that are held; None among them where everybody is."""
        ...

    async def campaign(self, campaign: CampaignId) -> Campaign | None: ...
    async def campaign_by_name(self, account: AccountId, name: str) -> Campaign | None: ...
    async def campaigns(
        self, account: AccountId | None, after: CampaignId | None = None, limit: int | None = None
    ) -> list[Campaign]:
        """In the order they were made, from beyond ``after`` on; None for all."""
        ...

    async def call(self, call: CallId) -> Call | None: ...
    async def history(self, call: CallId) -> CallHistory | None: ...
    async def attempts(self, call: CallId) -> list[tuple[Attempt, AttemptEnd | None]]: ...
    async def calls(self, query: CallQuery, after: Position | None, limit: int) -> CallPage: ...

    async def due_deliveries(self, now: Millis, per_host: int, limit: int) -> list[Delivery]:
        """The oldest posts that are due, at most ``per_host`` to one host: a host's backlog hides no other's post."""
        ...

    async def record_try(self, tried: DeliveryTry) -> None: ...
    async def next_delivery(self) -> Millis | None: ...
    async def delivery(self, delivery: str) -> DeliveryRecord | None: ...
    async def delivery_of(self, call: CallId) -> DeliveryRecord | None: ...
    async def delivery_tries(self, delivery: str) -> list[DeliveryTry]: ...
    async def deliveries(self, query: DeliveryQuery, after: CallId | None, limit: int) -> DeliveryPage: ...
    async def redeliver(self, delivery: str, now: Millis) -> bool:
        """Owe a post again, from now on and as if for the first time; False where there is none."""
        ...

    async def vitals(self) -> Vitals: ...


# --- PBX: AMI ---


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


# --- a live channel: FastAGI ---


class ChannelGone(Exception):
    """The callee hung up, or the AGI link is lost: no command reaches the channel any more."""


class PlaybackFailed(Exception):
    """Asterisk could not play the file (missing, or a format it does not read)."""


class AgiChannel(Protocol):
    """One answered channel, as a FastAGI session. Every method raises :class:`ChannelGone` after the hang-up."""

    @property
    def path(self) -> str: ...
    @property
    def hung_up(self) -> bool: ...
    async def stream_file(self, file: str, escape_digits: str = "") -> str:
        """Play ``file`` (no extension); the digit that cut it short, or ``""``. Raises :class:`PlaybackFailed`."""
        ...

    async def until_hung_up(self) -> None:
        """Wait for the callee's hang-up, while no command is given. Nothing is lost where it is cancelled."""
        ...

    async def wait_for_digit(self, timeout_ms: int) -> str: ...
    async def record_file(
        self, file: str, fmt: str, escape_digits: str, timeout_ms: int, *, beep: bool, silence: int = 0
    ) -> str:
        """Record into ``file``; the digit that ended it, or ``""``. ``silence`` in whole seconds ends it too, 0 never.

        Raises :class:`PlaybackFailed` where it cannot be written.
        """
        ...

    async def execute(self, application: str, arguments: str = "", timeout: float = 600.0) -> str: ...
    async def get_variable(self, name: str) -> str | None: ...
    async def set_variable(self, name: str, value: str) -> None: ...
    async def hangup(self) -> None: ...


# --- the media tap: AudioSocket ---


class Ear(Protocol):
    """Takes in what one tap hears: signed 16-bit little-endian mono at 8 kHz, in pieces of any size."""

    def began(self) -> None: ...
    def audio(self, pcm: bytes) -> None: ...
    def ended(self, why: str) -> None:
        """Nothing more comes, or nothing ever came. Called once."""
        ...


class Taps(Protocol):
    """Where Asterisk brings the audio of calls."""

    def expect(self, ear: Ear) -> str:
        """Expect one tap; where Asterisk is to bring it: ``HOST:PORT/UUID``, good for one connection within seconds."""
        ...

    def close(self, ear: Ear) -> None:
        """Hear no more of it; ``ear`` is told nothing more."""
        ...


# --- who answered ---


@dataclass(frozen=True, slots=True)
class Detection:
    """A verdict on an answered call. ``confidence`` is 0..1; ``evidence`` goes into the attempt's record."""

    callee_type: CalleeType
    confidence: float
    evidence: Mapping[str, object] = field(default_factory=dict)


class Detector(Protocol):
    """Decides an answered call. Raises :class:`ChannelGone` when the callee hangs up first."""

    async def detect(self, channel: AgiChannel) -> Detection: ...


# --- fetching and speaking ---


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart form (RFC 7578)."""

    filename: str
    content_type: str
    body: bytes


class Cookies(Protocol):
    """One session's cookies (RFC 6265)."""

    def header(self, url: str) -> str: ...
    def store(self, url: str, lines: Iterable[str]) -> None: ...


class FetchPurpose(StrEnum):
    APPLICATION = "application"
    """Documents, audio, grammars, scripts and data of a VoiceXML session."""
    RESULT = "result"
    PREFLIGHT = "preflight"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    url: str
    method: str = "GET"
    form: tuple[tuple[str, str | FilePart], ...] | None = None
    multipart: bool = False
    timeout: float = 15.0  # seconds for the whole exchange
    max_bytes: int = 4 * 1024 * 1024
    max_age: float | None = None  # seconds; VoiceXML 2.0 §6.1.2
    max_stale: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep_method: bool = False  # a redirect that would turn a POST into a GET is answered as it is
    cookies: Cookies | None = None  # sent, and added to
    purpose: FetchPurpose = FetchPurpose.APPLICATION


@dataclass(frozen=True, slots=True)
class FetchResponse:
    url: str  # after redirects
    status: int
    content_type: str
    charset: str | None
    body: bytes


class FetchErrorKind(StrEnum):
    REFUSED = "refused"
    """The SSRF guard: the message names the configuration line that would allow it."""
    TIMEOUT = "timeout"
    CONNECT = "connect"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"


class FetchError(Exception):
    """No answer could be had. An HTTP error status is not one: it is a :class:`FetchResponse`."""

    def __init__(self, kind: FetchErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Fetcher(Protocol):
    async def fetch(self, request: FetchRequest) -> FetchResponse: ...


class SpeechError(Exception):
    """The text could not be rendered."""


class Speech(Protocol):
    async def render(self, ssml: str, language: str) -> bytes:
        """A mono 8 kHz 16-bit WAV file of the text. ``ssml`` is a complete ``<speak>`` document."""
        ...


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Audio by content: ``digest`` is the SHA-256 of its WAV bytes; ``asterisk_name`` is what STREAM FILE is given."""

    digest: str
    asterisk_name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordingRef:
    """A callee's recording: ``name`` is ours, ``asterisk_name`` is what RECORD FILE is given."""

    name: str
    asterisk_name: str


class MediaError(Exception):
    """The audio is in no format that can be converted, or could not be kept."""


class Media(Protocol):
    """Audio in the form that Asterisk plays, kept by content."""

    async def keep(self, audio: bytes, content_type: str = "") -> MediaRef:
        """Convert to mono 8 kHz 16-bit WAV, keep, and tell its name. Raises :class:`MediaError`."""
        ...

    def new_recording(self) -> RecordingRef:
        """A name that nothing has yet and nobody can guess."""
        ...

    async def keep_recording(self, name: str, pcm: bytes) -> bytes:
        """Keep what the gateway itself recorded, under a name of :meth:`new_recording`; the WAV file that it became.

        ``pcm`` is signed 16-bit little-endian mono at 8 kHz. Raises :class:`MediaError`.
        """
        ...

    async def recording(self, name: str) -> bytes:
        """The WAV file that was recorded. Raises :class:`MediaError`."""
        ...

    async def converted(self, wav: bytes, content_type: str) -> bytes:
        """A recording as a type of VoiceXML 2.0 Appendix E: WAV as it is, or G.711 without a header."""
        ...

    async def forget(self, name: str) -> None:
        """Remove a recording, if it is there."""
        ...
