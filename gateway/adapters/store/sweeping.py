"""Removing what is too old, a small batch at a time: a claim waits for no more than one of them."""

from __future__ import annotations

from collections.abc import Callable

from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.sqlite import SqliteStore
from gateway.core.model import CallState, Millis
from gateway.core.retention import Kept, Step
from gateway.core.states import ENDED

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))
_LAST_RUN = "last_run"


class SqliteSweeps:
    """The Sweeps port on the queue's own database."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def step(self, kind: Kept, before: Millis, after: int, limit: int, *, dry: bool) -> Step:
        """One batch of a walk that began with ``after`` 0; where ``dry`` it only counts."""
        work = _STEPS[kind]
        if dry:
            return await self._store.read(lambda db: work(db, None, before, after, limit))
        return await self._store.write(
            lambda db, counts: _overwriting(db, lambda: work(db, counts, before, after, limit))
        )

    async def last_run(self) -> Millis | None:
        found = await self._store.read(lambda db: _mark(db, _LAST_RUN))
        return Millis(found) if found else None

    async def ran(self, at: Millis) -> None:
        await self._store.write(lambda db, counts: _set_mark(db, _LAST_RUN, at))


def _overwriting(db: Database, work: Callable[[], Step]) -> Step:
    """What is removed is overwritten with zeros; SQLite else leaves it in the file until its page is used again."""
    db.conn.execute("PRAGMA secure_delete = ON")
    try:
        return work()
    finally:
        db.conn.execute("PRAGMA secure_delete = OFF")


def _mark(db: Database, name: str) -> int:
    row = db.conn.execute("SELECT upto FROM mark WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _set_mark(db: Database, name: str, upto: int) -> None:
    db.conn.execute("INSERT INTO mark VALUES (?1, ?2) ON CONFLICT DO UPDATE SET upto = ?2", (name, upto))


# Each step is given None for the counters where it only counts.


def _calls(db: Database, counts: Counts | None, before: Millis, after: int, limit: int) -> Step:
    """Calls are walked by id, which is the order of their creation, up to the first that is too young.

    Their age counts from the last that is known of them: an attempt, the expiration, the cancellation, or the result
    that was owed.
    """
    execute = db.conn.execute
    rows = execute(
        "SELECT call.id, call.state, call.campaign_id, call.trunk,"
        " call.created_at < ?2, max(call.created_at, coalesce(call.last_attempt_at, 0),"
        " iif(call.reason = 'expired', call.expires_at, 0), coalesce(call.cancelled_at, 0)) < ?2"
        f" AND call.state IN ({_ENDED})"
        " AND NOT EXISTS (SELECT 1 FROM delivery WHERE call_id = call.id AND (next_at IS NOT NULL OR created_at >= ?2))"
        " FROM call WHERE call.id > ?1 ORDER BY call.id LIMIT ?3",
        (after, before, limit),
    ).fetchall()
    removed, done = 0, len(rows) < limit
    for ident, state, campaign, trunk, old, removable in rows:
        if not old:
            done = True
            break
        if not removable:
            continue
        removed += 1
        if counts is not None:
            execute("DELETE FROM delivery WHERE call_id = ?", (ident,))  # its tries go with it
            execute("DELETE FROM attempt WHERE call_id = ?", (ident,))
            execute("DELETE FROM call WHERE id = ?", (ident,))
            counts.added(campaign, trunk, CallState(state), -1)
    if removed and counts is not None:  # SQLite gives the rowids of the newest rows again once those are gone
        execute(
            "UPDATE mark SET upto = min(upto, coalesce((SELECT max(rowid) FROM attempt), 0)) WHERE name = ?",
            (Kept.EVIDENCE,),
        )
    if not done:
        return Step(removed, int(rows[-1][0]))
    if counts is not None:
        counts.write(db)
        _empty_campaigns(db, before)
    return Step(removed, None)


def _empty_campaigns(db: Database, before: Millis) -> None:
    """Campaigns that only their name is left of; the name may be used again."""
    empty = db.conn.execute(
        "SELECT id FROM campaign WHERE NOT single AND state <> 'loading' AND created_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM tally WHERE campaign_id = campaign.id AND calls > 0) LIMIT 100",
        (before,),
    ).fetchall()
    for (campaign,) in empty:
        for table in ("lane", "tally", "hourly"):
            db.conn.execute(f"DELETE FROM {table} WHERE campaign_id = ?", (campaign,))
        db.conn.execute("DELETE FROM campaign WHERE id = ?", (campaign,))


def _evidence(db: Database, counts: Counts | None, before: Millis, after: int, limit: int) -> Step:
    """Attempts stand in the order in which they began; a mark remembers up to where there is nothing left."""
    begin = max(after, _mark(db, Kept.EVIDENCE))
    rows = db.conn.execute(
        "SELECT rowid, evidence IS NOT NULL FROM attempt WHERE rowid > ? AND started_at < ? AND state = 'ended'"
        " ORDER BY rowid LIMIT ?",
        (begin, before, limit),
    ).fetchall()
    if counts is not None and rows:
        db.conn.executemany("UPDATE attempt SET evidence = NULL WHERE rowid = ?", [row[:1] for row in rows if row[1]])
        (still_open,) = db.conn.execute("SELECT min(rowid) FROM attempt WHERE state <> 'ended'").fetchone()
        _set_mark(db, Kept.EVIDENCE, min(rows[-1][0], (still_open or rows[-1][0] + 1) - 1))
    return Step(sum(row[1] for row in rows), int(rows[-1][0]) if len(rows) == limit else None)


def _by_id(table: str, column: str) -> Callable[[Database, Counts | None, Millis, int, int], Step]:
    """Rows whose ids stand in the order of their times."""

    def step(db: Database, counts: Counts | None, before: Millis, after: int, limit: int) -> Step:
        rows = db.conn.execute(
            f"SELECT id FROM (SELECT id, {column} AS at FROM {table} WHERE id > ? ORDER BY id LIMIT ?) WHERE at < ?",
            (after, limit, before),
        ).fetchall()
        if counts is not None:
            db.conn.executemany(f"DELETE FROM {table} WHERE id = ?", rows)
        return Step(len(rows), int(rows[-1][0]) if len(rows) == limit else None)

    return step


def _by_age(table: str, key: str, where: str) -> Callable[[Database, Counts | None, Millis, int, int], Step]:
    """Small tables, whose rows go all at once."""

    def step(db: Database, counts: Counts | None, before: Millis, after: int, limit: int) -> Step:
        rows = f"SELECT {key} FROM {table} WHERE {where} LIMIT ?2"
        if counts is None:
            return Step(len(db.conn.execute(rows.replace("LIMIT ?2", ""), (before,)).fetchall()), None)
        removed = db.conn.execute(f"DELETE FROM {table} WHERE ({key}) IN ({rows})", (before, limit)).rowcount
        return Step(removed, 0 if removed == limit else None)

    return step


_STEPS = {
    Kept.CALLS: _calls,
    Kept.EVIDENCE: _evidence,
    Kept.POSTS: _by_id("delivery_try", "at"),
    Kept.AUDIT: _by_id("audit", "at"),
    Kept.RECEIPTS: _by_age("receipt", "owner, key", "created_at < ?1"),
    Kept.SESSIONS: _by_age("session", "mark", "created_at < ?1"),
}
