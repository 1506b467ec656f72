"""The outbox: result posts that are owed, and what became of every try."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

import msgspec
from sqlite_utils import Database

from gateway.adapters.store.rows import snapshot
from gateway.core.lists import DeliveryQuery, DeliveryState
from gateway.core.model import MAX_CALL_ID, AccountId, CallId, Millis
from gateway.ports import Delivery, DeliveryPage, DeliveryRecord, DeliveryTry

_RECORD = """SELECT id, call_id, account_id, url, form, tries, created_at, next_at, accepted_at, given_up_at,
    last_status, last_error FROM delivery"""

#: Each has an index of its own, over the column that is not null in it.
_STATES = {
    DeliveryState.WAITING: "next_at",
    DeliveryState.ACCEPTED: "accepted_at",
    DeliveryState.GIVEN_UP: "given_up_at",
}

#: Every host's oldest, then every host's second, and so on; each host is one step through the index.
_DUE = """WITH RECURSIVE waiting (host) AS (
        SELECT min(host) FROM delivery WHERE next_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(host) FROM delivery WHERE next_at IS NOT NULL AND host > waiting.host) FROM waiting
        WHERE waiting.host IS NOT NULL
    )
    SELECT id, call_id, account_id, url, delivery.host, form, tries, coalesce(revived_at, created_at)
    FROM waiting JOIN delivery ON delivery.rowid IN (
        SELECT rowid FROM delivery WHERE host = waiting.host AND next_at <= ? ORDER BY next_at LIMIT ?
    )
    ORDER BY row_number() OVER (PARTITION BY delivery.host ORDER BY next_at), next_at LIMIT ?"""


def due(db: Database, now: Millis, per_host: int, limit: int) -> list[Delivery]:
    rows = db.conn.execute(_DUE, (now, per_host, limit))
    return [
        Delivery(
            id=row[0],
            call_id=CallId(row[1]),
            account_id=AccountId(row[2]),
            url=row[3],
            host=row[4],
            form=_form(row[5]),
            tries=row[6],
            since=Millis(row[7]),
        )
        for row in rows
    ]


def record_try(db: Database, tried: DeliveryTry) -> None:
    given_up = None if tried.accepted or tried.next_at is not None else tried.at
    db.conn.execute(
        "UPDATE delivery SET tries = tries + 1, next_at = ?, accepted_at = ?, given_up_at = ?, last_status = ?,"
        " last_error = ? WHERE id = ? AND next_at IS NOT NULL",
        (None if tried.accepted else tried.next_at, tried.at if tried.accepted else None, given_up, tried.status,
         tried.error, tried.id),
    )  # fmt: skip
    db.conn.execute(
        "INSERT INTO delivery_try (delivery_id, at, took, status, error, response, next_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (tried.id, tried.at, tried.took, tried.status, tried.error, tried.response, tried.next_at),
    )


def next_delivery(db: Database) -> Millis | None:
    row = db.conn.execute("SELECT min(next_at) FROM delivery WHERE next_at IS NOT NULL").fetchone()
    return None if row[0] is None else Millis(row[0])


def redeliver(db: Database, delivery: str, now: Millis) -> bool:
    """Owe a post again, from now on and as if for the first time; False where there is no such post."""
    done = db.conn.execute(
        "UPDATE delivery SET next_at = ?1, revived_at = ?1, tries = 0, accepted_at = NULL, given_up_at = NULL"
        " WHERE id = ?2",
        (now, delivery),
    )
    return bool(done.rowcount)


# --- reading ---


def of_call(db: Database, call: CallId) -> DeliveryRecord | None:
    row = db.conn.execute(f"{_RECORD} WHERE call_id = ?", (call,)).fetchone()
    return None if row is None else _record(row)


def one(db: Database, delivery: str) -> DeliveryRecord | None:
    row = db.conn.execute(f"{_RECORD} WHERE id = ?", (delivery,)).fetchone()
    return None if row is None else _record(row)


def tries(db: Database, delivery: str) -> list[DeliveryTry]:
    rows = db.conn.execute(
        "SELECT delivery_id, at, error IS NULL, status, error, next_at, took, response FROM delivery_try"
        " WHERE delivery_id = ? ORDER BY id",
        (delivery,),
    )
    return [DeliveryTry(row[0], Millis(row[1]), bool(row[2]), *row[3:]) for row in rows]


def page(db: Database, query: DeliveryQuery, after: CallId | None, limit: int) -> DeliveryPage:
    """Posts of the newest calls first: the merge of one range of an index for each account and state."""
    beyond = MAX_CALL_ID + 1 if after is None else int(after)
    with snapshot(db):
        accounts = [query.account] if query.account is not None else _accounts(db)
        each = [
            db.conn.execute(
                f"{_RECORD} INDEXED BY delivery_{state} WHERE account_id = ? AND call_id < ? AND {column} IS NOT NULL"
                " ORDER BY call_id DESC LIMIT ?",
                (account, beyond, limit + 1),
            )
            for account in accounts
            for state, column in _STATES.items()
            if not query.states or state in query.states
        ]
        merged = heapq.merge(*each, key=lambda row: int(row[1]), reverse=True)
        found = [_record(row) for row in itertools.islice(merged, limit + 1)]
    return DeliveryPage(tuple(found[:limit]), found[limit - 1].call_id if len(found) > limit else None)


def _accounts(db: Database) -> list[int]:
    return [int(row[0]) for row in db.conn.execute("SELECT id FROM account")]


def _record(row: tuple[Any, ...]) -> DeliveryRecord:
    ident, call, account, url, form, tries, created, next_at, accepted, given_up, status, error = row
    return DeliveryRecord(
        id=ident,
        call_id=CallId(call),
        account_id=AccountId(account),
        state=(
            DeliveryState.ACCEPTED if accepted is not None
            else DeliveryState.WAITING if given_up is None
            else DeliveryState.GIVEN_UP
        ),
        url=url,
        form=_form(form),
        tries=tries,
        created_at=Millis(created),
        next_at=next_at,
        accepted_at=accepted,
        given_up_at=given_up,
        last_status=status,
        last_error=error,
    )  # fmt: skip


def _form(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(msgspec.json.decode(text, type=list[tuple[str, str]]))
