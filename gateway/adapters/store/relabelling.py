"""What a person says of a call that was judged wrong: the record is corrected, and the label kept for later replays."""

from __future__ import annotations

from dataclasses import replace

from sqlite_utils import Database

from gateway.adapters.store.closing import read_call
from gateway.core.model import Call, CalleeType, CallId, CallState
from gateway.core.states import CALL_WORDS
from gateway.ports import StoreRefused


def relabel(db: Database, account: int | None, call_id: CallId, callee: CalleeType) -> Call | None:
    """Correct who answered an ended call's last attempt; the call as it then is, None where there is none.

    Its state, its retries and the result that was posted stay as they are. Raises :class:`StoreRefused` for a call that
    has not ended or was never dialed.
    """
    call = read_call(db, call_id)
    if call is None or (account is not None and call.account_id != account):
        return None
    if call.state not in (CallState.COMPLETED, CallState.FAILED):
        raise StoreRefused(f"call {call_id} is {CALL_WORDS[call.state]}: only calls that ended can be relabelled")
    attempt = db.conn.execute(
        "SELECT id, callee_type, ended_at FROM attempt WHERE call_id = ? ORDER BY number DESC LIMIT 1", (call_id,)
    ).fetchone()
    if attempt is None:
        raise StoreRefused(f"call {call_id} was never dialed: nothing was heard that could be relabelled")
    ident, judged, ended_at = attempt
    db.conn.execute("UPDATE attempt SET callee_type = ?, label = ? WHERE id = ?", (callee, callee, ident))
    db.conn.execute("UPDATE call SET callee_type = ? WHERE id = ?", (callee, call_id))
    if judged != callee:
        _tally(db, call, ended_at // 3_600_000, judged, callee)
    return replace(call, callee_type=callee)


def _tally(db: Database, call: Call, hour: int, judged: str, callee: CalleeType) -> None:
    """Let the charts count the attempt as what it now is."""
    row = db.conn.execute(
        "SELECT state, attempt FROM hourly WHERE campaign_id = ? AND hour = ? AND callee_type = ?"
        " AND attempt IN (0, ?) AND state IN (?, 'retrying') ORDER BY attempt DESC, state = 'retrying' LIMIT 1",
        (call.campaign_id, hour, judged, call.attempts, call.state),
    ).fetchone()
    if row is None:
        return
    key = (call.campaign_id, hour, row[0], judged, row[1])
    where = "campaign_id = ? AND hour = ? AND state = ? AND callee_type = ? AND attempt = ?"
    if not db.conn.execute(f"UPDATE hourly SET calls = calls - 1 WHERE {where} AND calls > 1", key).rowcount:
        db.conn.execute(f"DELETE FROM hourly WHERE {where}", key)
    db.conn.execute(
        "INSERT INTO hourly VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1",
        (call.campaign_id, hour, row[0], callee, row[1]),
    )
