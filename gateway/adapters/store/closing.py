"""What happens to calls once they were claimed, expire or are cancelled: states, counters and the outbox together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.rows import ATTEMPT_COLUMNS, SELECT_CALL, attempt_of, call_of
from gateway.adapters.store.usage import legs_left, settings_of, talked, undialed
from gateway.core.caps import Spending
from gateway.core.model import (
    AttemptEnd,
    AttemptId,
    AttemptState,
    Call,
    CalleeType,
    CallId,
    CallState,
    CampaignState,
    EndKind,
    Millis,
)
from gateway.core.result import result_form
from gateway.core.retry import RetryPolicy, settle
from gateway.core.states import (
    ENDED,
    WAITING,
    AttemptEvent,
    CallEvent,
    IllegalTransition,
    advance_attempt,
    advance_call,
)
from gateway.ports import StoreError


def read_call(db: Database, call: int) -> Call | None:
    row = db.conn.execute(f"{SELECT_CALL} WHERE call.id = ?", (call,)).fetchone()
    return None if row is None else call_of(row)


def mark(db: Database, counts: Counts, attempt: AttemptId, event: AttemptEvent, at: Millis) -> None:
    """Note that an attempt rang or was answered. What comes too late, or twice, changes nothing."""
    row = db.conn.execute("SELECT state, call_id FROM attempt WHERE id = ?", (attempt,)).fetchone()
    if row is None:
        raise StoreError(f"no attempt {attempt}")
    try:
        state = advance_attempt(AttemptState(row[0]), event)
    except IllegalTransition:
        return
    column = "ringing_at" if event is AttemptEvent.RANG else "answered_at"
    db.conn.execute(f"UPDATE attempt SET state = ?, {column} = ? WHERE id = ?", (state, at, attempt))
    if event is AttemptEvent.ANSWERED:
        found = db.conn.execute("SELECT state, campaign_id, trunk FROM call WHERE id = ?", (row[1],)).fetchone()
        old = CallState(found[0])
        new = advance_call(old, CallEvent.ANSWERED)
        db.conn.execute("UPDATE call SET state = ? WHERE id = ?", (new, row[1]))
        counts.moved(found[1], found[2], old, new)


def close_attempt(
    db: Database, counts: Counts, end: AttemptEnd, policy: RetryPolicy, retry_unknown: bool, spending: Spending
) -> Call:
    """Close an attempt and settle its call, once; a second closing returns the call as it is."""
    execute = db.conn.execute
    row = execute(f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE id = ?", (end.attempt_id,)).fetchone()
    if row is None:
        raise StoreError(f"no attempt {end.attempt_id}")
    attempt, ended = attempt_of(row)
    call = read_call(db, attempt.call_id)
    assert call is not None
    if ended is not None:
        return call
    state = advance_attempt(attempt.state, AttemptEvent.ENDED)
    answered_at = end.answered_at or attempt.answered_at
    execute(
        "UPDATE attempt SET state = ?, ringing_at = coalesce(?, ringing_at), answered_at = ?, ended_at = ?, kind = ?,"
        " callee_type = ?, cause = ?, tech_cause = ?, reason = ?, application_error = ?, evidence = ?"
        " WHERE id = ? AND state <> 'ended'",
        (state, end.ringing_at, answered_at, end.ended_at, end.kind, end.callee_type, end.cause, end.tech_cause,
         end.reason, end.application_error, msgspec.json.encode(end.evidence).decode(), end.attempt_id),
    )  # fmt: skip
    settings = settings_of(db, call.account_id)
    if end.kind is EndKind.LOST_AFTER_ANSWER:
        retry_unknown = retry_unknown or settings.retry_unknown_outcome
    settled = settle(call, end, policy, retry_unknown_outcome=retry_unknown)
    new_state = advance_call(call.state, settled.event)
    duration = end.talked or 0
    if end.talked is None and answered_at is not None:
        duration = max(0, round((end.ended_at - answered_at) / 1000))
    execute(
        "UPDATE call SET state = ?, attempts = ?, callee_type = ?, due_at = ?, duration = ?, fault_since = ?,"
        " fault_count = ?, reason = ?, application_error = ? WHERE id = ? AND state = ?",
        (new_state, settled.attempts, settled.callee_type, settled.due_at, duration, settled.fault_since,
         settled.fault_count, settled.reason, end.application_error, call.id, call.state),
    )  # fmt: skip
    counts.moved(call.campaign_id, call.trunk, call.state, new_state)
    call = replace(
        call, state=new_state, attempts=settled.attempts, callee_type=settled.callee_type, due_at=settled.due_at,
        duration=duration, fault_since=settled.fault_since, fault_count=settled.fault_count, reason=settled.reason,
        application_error=end.application_error,
    )  # fmt: skip
    if end.kind is EndKind.TRUNK_FAULT:
        undialed(db, call, settings.time_zone, attempt.started_at)
    if answered_at is not None:
        legs = [(call.dialed, duration), *(end.legs or legs_left(db, end.attempt_id, end.ended_at))]
        talked(db, call, settings.time_zone, spending, end.ended_at, legs)
    execute("DELETE FROM leg WHERE attempt_id = ?", (end.attempt_id,))
    _owe_result(db, call, end.ended_at)
    _tally(db, call, end.ended_at, end.callee_type, 0 if end.kind is EndKind.TRUNK_FAULT else call.attempts)
    if call.state in WAITING and _cancelled(db, call):  # nothing would claim its retry any more
        call = replace(call, state=_cancel(db, counts, call, end.ended_at), due_at=None, reason="cancelled")
    return call


def _cancelled(db: Database, call: Call) -> bool:
    row = db.conn.execute("SELECT state FROM campaign WHERE id = ?", (call.campaign_id,)).fetchone()
    return bool(row[0] == CampaignState.CANCELLED)


def _owe_result(db: Database, call: Call, now: Millis) -> None:
    """Where the call has ended, its result is owed from this transaction on."""
    if call.state in ENDED and call.state is not CallState.CANCELLED and call.plan.result_url:
        form = result_form(call)
        db.conn.execute(
            "INSERT INTO delivery (id, call_id, account_id, url, host, form, created_at, next_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _delivery_id(db, call.id),
                call.id,
                call.account_id,
                call.plan.result_url,
                urlsplit(call.plan.result_url).netloc.rpartition("@")[2].lower(),
                msgspec.json.encode(form).decode(),
                now,
                now,
            ),
        )


def _delivery_id(db: Database, call: CallId) -> str:
    """The webhook-id of a call's post: the same also from a backup, so that a post made twice is known by its id."""
    (salt,) = db.conn.execute("SELECT upto FROM mark WHERE name = 'delivery_salt'").fetchone()
    return f"msg_{hashlib.blake2b(f'{salt}:{call}'.encode(), digest_size=12).hexdigest()}"


def _tally(db: Database, call: Call, at: Millis, callee: CalleeType, attempt: int) -> None:
    """Count an end for the charts; ``attempt`` is 0 where nobody was rung."""
    db.conn.execute(
        "INSERT INTO hourly VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1",
        (call.campaign_id, at // 3_600_000, call.state, callee, attempt),
    )


def expire(db: Database, counts: Counts, now: Millis, limit: int) -> list[Call]:
    """Fail waiting calls whose expiration has come, at most ``limit``; those calls as they are now."""
    expired: list[Call] = []
    rows = db.conn.execute(
        "SELECT call.id FROM call INDEXED BY call_expiry JOIN campaign ON campaign.id = call.campaign_id"
        " WHERE expires_at <= ? AND expires_at IS NOT NULL AND call.state IN ('pending', 'retrying')"
        " AND campaign.state <> 'loading' LIMIT ?",
        (now, limit),
    ).fetchall()
    for (call_id,) in rows:
        call = read_call(db, call_id)
        assert call is not None
        state = advance_call(call.state, CallEvent.EXPIRED)
        ended = replace(
            call, state=state, due_at=None, callee_type=call.callee_type or CalleeType.UNKNOWN, reason="expired"
        )
        db.conn.execute(
            "UPDATE call SET state = ?, due_at = NULL, callee_type = ?, reason = ? WHERE id = ? AND state = ?",
            (state, ended.callee_type, ended.reason, call_id, call.state),
        )
        counts.moved(call.campaign_id, call.trunk, call.state, state)
        _owe_result(db, ended, now)
        _tally(db, ended, now, ended.callee_type or CalleeType.UNKNOWN, 0)
        expired.append(ended)
    return expired


def cancel_call(db: Database, counts: Counts, account: int | None, call_id: int, now: Millis) -> CallState | None:
    """Cancel a waiting call; the state it then has (unchanged where it does not wait), None where there is none."""
    call = read_call(db, call_id)
    if call is None or (account is not None and call.account_id != account):
        return None
    if call.state not in WAITING:
        return call.state
    return _cancel(db, counts, call, now)


def _cancel(db: Database, counts: Counts, call: Call, now: Millis) -> CallState:
    state = advance_call(call.state, CallEvent.CANCELLED)
    db.conn.execute(
        "UPDATE call SET state = ?, due_at = NULL, reason = 'cancelled', cancelled_at = ? WHERE id = ? AND state = ?",
        (state, now, call.id, call.state),
    )
    counts.moved(call.campaign_id, call.trunk, call.state, state)
    return state


def cancel_some(db: Database, counts: Counts, campaign: int, limit: int, now: Millis) -> int:
    """Cancel waiting calls of a cancelled campaign, at most ``limit``; how many there were."""
    counts.write(db)
    rows = db.conn.execute(
        f"{SELECT_CALL} WHERE call.campaign_id = ? AND call.state IN ('pending', 'retrying')"
        " AND call.trunk IN (SELECT trunk FROM lane WHERE campaign_id = ?1 AND waiting > 0) LIMIT ?",
        (campaign, limit),
    ).fetchall()
    for row in rows:
        _cancel(db, counts, call_of(row), now)
    return len(rows)


def waiting(db: Database, campaign: int, trunk: str, after: tuple[int, int], limit: int) -> list[Call]:
    rows = db.conn.execute(
        f"{SELECT_CALL} WHERE call.campaign_id = ? AND call.trunk = ? AND call.state IN ('pending', 'retrying')"
        " AND (call.due_at, call.id) > (?, ?) ORDER BY call.due_at, call.id LIMIT ?",
        (campaign, trunk, *after, limit),
    )
    return [call_of(row) for row in rows]


def move_calls(db: Database, counts: Counts, moves: Mapping[CallId, str]) -> None:
    for call_id, trunk in moves.items():
        call = read_call(db, call_id)
        if call is not None and call.state in WAITING:
            db.conn.execute("UPDATE call SET trunk = ? WHERE id = ?", (trunk, call_id))
            counts.rerouted(call.campaign_id, call.trunk, trunk)
