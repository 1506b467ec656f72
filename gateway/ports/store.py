"""The queue, as services ask it of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.access import Receipt
from gateway.core.admission import Hold
from gateway.core.caps import Used
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
    account_id: AccountId
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
    async def next_due(self, now: Millis, opens: Mapping[str, Millis] | None = None) -> Millis | None:
        """When the next call may be claimed, as far as due times and caps tell.

        ``opens`` says from when on each trunk takes a call; None: all do now. One that is not in it takes none.
        """
        ...

    async def capped(self, accounts: Collection[AccountId | None], now: Millis) -> dict[AccountId | None, Hold]:
        """By what their caps, or the gateway's ceilings, hold the calls of each of ``accounts``: the claim's rule.

        None asks for the gateway's ceilings alone.
        """
        ...

    async def used(self, account: AccountId | None, now: Millis) -> Used:
        """What an account, or everybody, has used of its day."""
        ...

    async def lift(self, account: AccountId | None, now: Millis) -> None:
        """Let an account, or everybody, spend beyond the ceiling until its day ends."""
        ...

    async def mark_ringing(self, attempt: AttemptId, at: Millis) -> None: ...
    async def mark_answered(self, attempt: AttemptId, at: Millis) -> None: ...
    async def mark_leg(
        self, attempt: AttemptId, number: int, dialed: str, answered_at: Millis | None, seconds: int | None
    ) -> None:
        """Note the party that an open attempt's callee is transferred to; ``seconds`` once it has ended."""
        ...

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
