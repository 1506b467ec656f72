"""The form that a result_url is posted, in the contract's names and order."""

from __future__ import annotations

from gateway.core.model import Call, CalleeType, CallState, Millis

Form = tuple[tuple[str, str], ...]


def result_form(call: Call) -> list[tuple[str, str]]:
    """``call`` has ended. Numbers are never empty: clients parse them as integers."""
    last = call.last_attempt_at if call.attempts > 0 else None
    return [
        ("phone_number", call.destination),
        ("message_reference", call.plan.message_reference or ""),
        ("call_id", str(call.id)),
        ("result", "completed" if call.state is CallState.COMPLETED else "failed"),
        ("callee_type", str(call.callee_type or CalleeType.UNKNOWN)),
        ("attempts", str(call.attempts)),
        ("last_attempt_timestamp", str(0 if last is None else last // 1000)),
        ("duration", str(call.duration)),
    ]


def example_form(now: Millis) -> Form:
    """What an address is tried with: made up, with a call_id that no call has."""
    return (
        ("phone_number", "tel:+16175550100"),
        ("message_reference", "test"),
        ("call_id", "0"),
        ("result", "completed"),
        ("callee_type", "voice"),
        ("attempts", "1"),
        ("last_attempt_timestamp", str(now // 1000)),
        ("duration", "12"),
    )
