"""What follows an attempt's end: done, dialed again, or given up. A pure function of the call, the end and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from gateway.core.model import AttemptEnd, Call, CalleeType, EndKind, Millis
from gateway.core.states import CallEvent


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Times in seconds. ``gap_scale`` shortens retry gaps in the lab only; it is 1 everywhere else."""

    fault_backoff: float = 5.0
    fault_backoff_limit: float = 300.0
    fault_give_up_after: float = 3600.0
    gap_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the store writes of the call when its attempt closes."""

    event: CallEvent
    attempts: int
    callee_type: CalleeType
    due_at: Millis | None
    fault_since: Millis | None
    fault_count: int
    reason: str


def settle(call: Call, end: AttemptEnd, policy: RetryPolicy, *, retry_unknown_outcome: bool) -> Settlement:
    """Decide what ``end`` means for ``call``.

    ``call.attempts`` is the count before this attempt. The retry gap counts from the attempt's end; where the next
    attempt would fall at or after the expiration the call fails at once, with this attempt's callee type.
    """
    match end.kind:
        case EndKind.REACHED:
            return _ended(call, end, CallEvent.REACHED, end.reason or f"answered by {end.callee_type}")
        case EndKind.TRUNK_FAULT:
            return _after_fault(call, end, policy)
        case EndKind.LOST_AFTER_ANSWER if not retry_unknown_outcome:
            return _ended(call, end, CallEvent.GAVE_UP, end.reason or "outcome unknown")
        case EndKind.NOT_REACHED | EndKind.LOST_BEFORE_ANSWER | EndKind.LOST_AFTER_ANSWER:
            return _after_failure(call, end, policy)
        case _:
            assert_never(end.kind)


def _after_failure(call: Call, end: AttemptEnd, policy: RetryPolicy) -> Settlement:
    why = end.reason or str(end.callee_type)
    if call.attempts >= call.plan.max_retries:
        return _ended(call, end, CallEvent.GAVE_UP, f"{why}; no retry left")
    gap = max(1, round(call.plan.retry_interval * 1000 * policy.gap_scale))
    due = Millis(end.ended_at + gap)
    if call.plan.expires_at is not None and due >= call.plan.expires_at:
        return _ended(call, end, CallEvent.GAVE_UP, f"{why}; the next attempt would fall after the expiration")
    return Settlement(CallEvent.RETRY, call.attempts + 1, end.callee_type, due, None, 0, why)


def _after_fault(call: Call, end: AttemptEnd, policy: RetryPolicy) -> Settlement:
    """A trunk fault consumes no attempt; it is tried again with back-off until expiration or the setting's limit."""
    since = call.fault_since if call.fault_since is not None else end.ended_at
    count = call.fault_count + 1
    gap = min(policy.fault_backoff * 2 ** min(call.fault_count, 30), policy.fault_backoff_limit)
    due = Millis(end.ended_at + round(gap * 1000))
    why = end.reason or "trunk fault"
    give_up = None
    if due - since > policy.fault_give_up_after * 1000:
        give_up = f"{why}; trunk faults for over {policy.fault_give_up_after:.0f} s"
    elif call.plan.expires_at is not None and due >= call.plan.expires_at:
        give_up = f"{why}; the next attempt would fall after the expiration"
    if give_up is not None:
        return Settlement(CallEvent.GAVE_UP, call.attempts, end.callee_type, None, since, count, give_up)
    return Settlement(CallEvent.RETRY, call.attempts, end.callee_type, due, since, count, why)


def _ended(call: Call, end: AttemptEnd, event: CallEvent, reason: str) -> Settlement:
    return Settlement(event, call.attempts + 1, end.callee_type, None, None, 0, reason)
