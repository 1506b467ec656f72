"""The live feed: what happens to calls, as it happens, for pages and API clients that listen.

A listener is no more than a place in one ring of fixed size: a slow one holds no memory, and is told what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from gateway.core.model import AccountId, Attempt, Call, Millis
from gateway.ports import Campaign, Clock

Value = str | int | float | bool | None
Data = Mapping[str, Value]

KEPT = 20_000
#: Events that one look goes through, so that a listener far behind does not hold the others up.
LOOK = 1000


class EventKind(StrEnum):
    """What an event tells. A new kind may be added at any time: listeners pass over those they do not know."""

    CALL_QUEUED = "call.queued"
    CALL_CHANGED = "call.changed"
    """The call has another state: ``state``, ``callee_type``, ``attempts``, ``due_at``, ``duration``, ``reason``."""
    ATTEMPT_STARTED = "attempt.started"
    ATTEMPT_RINGING = "attempt.ringing"
    ATTEMPT_ANSWERED = "attempt.answered"
    ATTEMPT_ENDED = "attempt.ended"
    SESSION_STEP = "session.step"
    """The application did something or was told something: ``at`` in seconds from the answer, ``kind``, ``text``."""
    CAMPAIGN_LOADING = "campaign.loading"
    CAMPAIGN_CHANGED = "campaign.changed"
    DELIVERY_TRIED = "delivery.tried"
    DIALING_CHANGED = "dialing.changed"
    """A ceiling on minutes or cost was reached, or let go: ``suspended``, ``reason``, ``until``."""
    TRUNK_CHANGED = "trunk.changed"
    """A trunk was suspended or works again. For operators."""
    LINK_CHANGED = "link.changed"
    """The AMI link came up or was lost. For operators."""
    MISSED = "missed"
    """Events between ``after`` and this one are no longer kept: read what you show anew."""


@dataclass(frozen=True, slots=True)
class Event:
    """``id`` is greater than that of every earlier event, those before a restart included; it fits in 53 bits."""

    id: int
    kind: str
    at: Millis
    account: AccountId | None  # None: for operators only
    data: Data


class Publish(Protocol):
    def __call__(self, kind: EventKind, account: AccountId | None, data: Data) -> None: ...


def unheard(kind: EventKind, account: AccountId | None, data: Data) -> None:
    """Publishes to nobody."""


class Feed:
    """``publish`` costs its caller no more than a slot in the ring."""

    def __init__(self, clock: Clock, kept: int = KEPT) -> None:
        self._clock = clock
        self._kept = kept
        # In microseconds, so that a thousand events a millisecond would be needed for the next process to begin lower.
        self._next = self._first = clock.now() * 1000
        self._ring: list[Event | None] = [None] * kept
        self._more: asyncio.Future[None] | None = None

    @property
    def last_id(self) -> int:
        """The id of the newest event: to listen after it is to hear only what is new."""
        return self._next - 1

    @property
    def oldest_id(self) -> int:
        return max(self._first, self._next - self._kept)

    def publish(self, kind: EventKind, account: AccountId | None, data: Data) -> None:
        """Tell of a change. ``data`` must not be changed afterwards."""
        self._ring[self._next % self._kept] = Event(self._next, kind, self._clock.now(), account, data)
        self._next += 1
        if self._more is not None:
            self._more.set_result(None)
            self._more = None

    def listen(self, after: int | None = None, account: AccountId | None = None) -> Listener:
        """Hear the events after the id ``after`` (None: only new ones); those of one account, or, with None, all."""
        if after is None:
            after = self.last_id
        elif after > self.last_id:  # no event of ours: the clock was put back before a restart
            after = -1
        return Listener(self, after, account)

    def _get(self, ident: int) -> Event:
        event = self._ring[ident % self._kept]
        assert event is not None
        return event

    async def _news(self) -> None:
        if self._more is None:
            self._more = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._more)


class Listener:
    """One listener's place in the feed. ``async for`` yields single events; :meth:`some` takes what is there."""

    def __init__(self, feed: Feed, after: int, account: AccountId | None) -> None:
        self._feed = feed
        self._account = account
        self._pending: list[Event] = []
        self.after = after  # all up to this id was heard, or was not for this listener

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._pending:
            self._pending = (await self.some())[::-1]
        return self._pending.pop()

    async def some(self, timeout: float | None = None) -> list[Event]:
        """The events that are there, oldest first; waits for the first. Empty after ``timeout`` seconds of nothing."""
        try:
            async with asyncio.timeout(timeout):
                while not (found := self._take()):
                    if self.after == self._feed.last_id:
                        await self._feed._news()
                    else:
                        await asyncio.sleep(0)
                return found
        except TimeoutError:
            return []

    def _take(self) -> list[Event]:
        feed, found = self._feed, []
        if self.after + 1 < feed.oldest_id:
            lost, self.after = self.after, feed.oldest_id - 1
            found.append(Event(self.after, EventKind.MISSED, feed._clock.now(), self._account, {"after": lost}))
        for ident in range(self.after + 1, min(feed.last_id, self.after + LOOK) + 1):
            event = feed._get(ident)
            if self._account is None or event.account == self._account:
                found.append(event)
            self.after = ident
        return found


# --- what events tell ---


def call_data(call: Call) -> Data:
    return {
        "call_id": call.id,
        "campaign_id": call.campaign_id,
        "state": call.state,
        "destination": call.destination,
        "callee_type": call.callee_type,
        "attempts": call.attempts,
        "due_at": call.due_at,
        "duration": call.duration,
        "reason": call.reason,
    }


def attempt_data(call: Call, attempt: Attempt, **more: Value) -> Data:
    """An attempt is named by its number: its id is the key to its FastAGI session while it lives."""
    return {
        "call_id": call.id,
        "campaign_id": call.campaign_id,
        "attempt": attempt.number,
        "trunk": attempt.trunk,
        **more,
    }


def campaign_data(campaign: Campaign) -> Data:
    return {
        "campaign_id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "rejected": campaign.rejected,
        **{str(state): calls for state, calls in campaign.counts.items()},
    }
