"""What the pages keep and ask beside the queue: sessions, failed numbers once more, the tallies of charts."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.sqlite import SqliteStore
from gateway.core.charts import Tally
from gateway.core.lists import CallQuery
from gateway.core.model import AccountId, CalleeType, CallState, CampaignId, Millis
from gateway.core.visiting import Session

RETRIED_AT_ONCE = 500

_QUEUE_AGAIN = """INSERT INTO call (campaign_id, account_id, state, destination, dialed, trunk, ani, postd,
        message_reference, call_parameters, campaign_parameters, plan, due_at, expires_at, created_at)
    SELECT campaign_id, account_id, 'pending', destination, dialed, trunk, ani, postd, message_reference,
        call_parameters, campaign_parameters, plan, ?2, expires_at, ?2
    FROM call WHERE id = ?1 AND state = 'failed' AND (expires_at IS NULL OR expires_at > ?2)
        AND NOT EXISTS (SELECT 1 FROM call AS later WHERE later.account_id = call.account_id
            AND later.dialed = call.dialed AND later.campaign_id = call.campaign_id AND later.id > call.id)
        AND EXISTS (SELECT 1 FROM campaign WHERE campaign.id = call.campaign_id AND campaign.state <> 'cancelled')
    RETURNING campaign_id, trunk"""


class SqliteBooks:
    """The Books port on the queue's own database, through its writer and its reader."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    # --- sessions ---

    async def add_session(self, session: Session) -> None:
        def write(db: Database, counts: Counts) -> None:
            db.conn.execute(
                "INSERT INTO session (mark, account_id, csrf, created_at, seen_at) VALUES (?, ?, ?, ?, ?)",
                (session.mark, session.account_id, session.csrf, session.created_at, session.seen_at),
            )

        await self._store.write(write)

    async def session(self, mark: str) -> Session | None:
        def read(db: Database) -> Session | None:
            row = db.conn.execute(
                "SELECT mark, account_id, csrf, created_at, seen_at FROM session WHERE mark = ?", (mark,)
            ).fetchone()
            return None if row is None else Session(row[0], AccountId(row[1]), row[2], Millis(row[3]), Millis(row[4]))

        return await self._store.read(read)

    async def session_seen(self, mark: str, at: Millis) -> None:
        await self._store.write(
            lambda db, counts: db.conn.execute("UPDATE session SET seen_at = ? WHERE mark = ?", (at, mark))
        )

    async def end_session(self, mark: str) -> None:
        await self._store.write(lambda db, counts: db.conn.execute("DELETE FROM session WHERE mark = ?", (mark,)))

    async def end_sessions(self, account: AccountId, keep: str = "") -> int:
        """End an account's sessions, but for the one with the mark ``keep``; how many there were."""
        return await self._store.write(
            lambda db, counts: (
                db.conn.execute("DELETE FROM session WHERE account_id = ? AND mark <> ?", (account, keep)).rowcount
            )
        )

    async def forget_sessions(self, seen_before: Millis) -> None:
        await self._store.write(
            lambda db, counts: db.conn.execute("DELETE FROM session WHERE seen_at < ?", (seen_before,))
        )

    # --- trying again ---

    async def retry_failed(self, campaign: CampaignId, now: Millis) -> int:
        """Queue every failed number again as a new call, unless it was queued again already or has expired; how many.

        A call_id is posted once and never used again, so the failed calls stay as they are.
        """
        queued, after = 0, None
        query = CallQuery(campaign=campaign, states=frozenset({CallState.FAILED}))
        while True:
            page = await self._store.calls(query, after, RETRIED_AT_ONCE)
            some = [call.id for call in page.calls]
            queued += await self._store.write(functools.partial(_queue_again, some, now))
            if page.next is None:
                return queued
            after = page.next

    # --- charts ---

    async def tallies(self, campaign: CampaignId) -> list[Tally]:
        rows = await self._store.read(
            lambda db: db.conn.execute(
                "SELECT hour, state, callee_type, attempt, calls FROM hourly WHERE campaign_id = ? ORDER BY hour",
                (campaign,),
            ).fetchall()
        )
        return [Tally(hour, CallState(state), CalleeType(callee), number, n) for hour, state, callee, number, n in rows]


def _queue_again(calls: Sequence[int], now: Millis, db: Database, counts: Counts) -> int:
    queued = 0
    for ident in calls:
        row = db.conn.execute(_QUEUE_AGAIN, (ident, now)).fetchone()
        if row is not None:
            counts.added(row[0], row[1], CallState.PENDING)
            queued += 1
    return queued
