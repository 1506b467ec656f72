"""The life of a call and of an attempt, each one table: the SQL CHECKs and the README diagram are tested against it."""

from __future__ import annotations

from enum import StrEnum

from gateway.core.model import AttemptState, CallState


class CallEvent(StrEnum):
    CLAIMED = "claimed"
    ANSWERED = "answered"
    REACHED = "reached"
    RETRY = "retry"
    GAVE_UP = "gave_up"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class AttemptEvent(StrEnum):
    RANG = "rang"
    ANSWERED = "answered"
    ENDED = "ended"


CALL_TRANSITIONS: dict[tuple[CallState, CallEvent], CallState] = {
    (CallState.PENDING, CallEvent.CLAIMED): CallState.DIALING,
    (CallState.RETRYING, CallEvent.CLAIMED): CallState.DIALING,
    (CallState.DIALING, CallEvent.ANSWERED): CallState.IN_CALL,
    (CallState.IN_CALL, CallEvent.REACHED): CallState.COMPLETED,
    # An answer and its hang-up can arrive together, and their order is not stable.
    (CallState.DIALING, CallEvent.REACHED): CallState.COMPLETED,
    (CallState.DIALING, CallEvent.RETRY): CallState.RETRYING,
    (CallState.IN_CALL, CallEvent.RETRY): CallState.RETRYING,
    (CallState.DIALING, CallEvent.GAVE_UP): CallState.FAILED,
    (CallState.IN_CALL, CallEvent.GAVE_UP): CallState.FAILED,
    (CallState.PENDING, CallEvent.EXPIRED): CallState.FAILED,
    (CallState.RETRYING, CallEvent.EXPIRED): CallState.FAILED,
    (CallState.PENDING, CallEvent.CANCELLED): CallState.CANCELLED,
    (CallState.RETRYING, CallEvent.CANCELLED): CallState.CANCELLED,
}

ATTEMPT_TRANSITIONS: dict[tuple[AttemptState, AttemptEvent], AttemptState] = {
    (AttemptState.DIALING, AttemptEvent.RANG): AttemptState.RINGING,
    (AttemptState.DIALING, AttemptEvent.ANSWERED): AttemptState.ANSWERED,
    (AttemptState.RINGING, AttemptEvent.ANSWERED): AttemptState.ANSWERED,
    (AttemptState.DIALING, AttemptEvent.ENDED): AttemptState.ENDED,
    (AttemptState.RINGING, AttemptEvent.ENDED): AttemptState.ENDED,
    (AttemptState.ANSWERED, AttemptEvent.ENDED): AttemptState.ENDED,
}

#: A call in one of these owes an attempt and can be claimed, cancelled or expire.
WAITING = frozenset({CallState.PENDING, CallState.RETRYING})
#: A call in one of these has an open attempt.
LIVE = frozenset({CallState.DIALING, CallState.IN_CALL})
ENDED = frozenset({CallState.COMPLETED, CallState.FAILED, CallState.CANCELLED})

#: The words people see.
CALL_WORDS: dict[CallState, str] = {
    CallState.PENDING: "Pending",
    CallState.DIALING: "Dialing",
    CallState.IN_CALL: "In call",
    CallState.RETRYING: "Retrying",
    CallState.COMPLETED: "Completed",
    CallState.FAILED: "Failed",
    CallState.CANCELLED: "Cancelled",
}


class IllegalTransition(Exception):
    """A state machine was told of an event that its state does not know."""


def advance_call(state: CallState, event: CallEvent) -> CallState:
    """The state after ``event``. Raises :class:`IllegalTransition` where the table has no row."""
    try:
        return CALL_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"a call that is {state} cannot be told {event}") from None


def advance_attempt(state: AttemptState, event: AttemptEvent) -> AttemptState:
    """The state after ``event``. Raises :class:`IllegalTransition` where the table has no row."""
    try:
        return ATTEMPT_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"an attempt that is {state} cannot be told {event}") from None
