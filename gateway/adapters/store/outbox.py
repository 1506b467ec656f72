"""The outbox: result posts that are owed, and what became of every try."""

from __future__ import annotations

import msgspec
from sqlite_utils import Database

from gateway.core.model import CallId, Millis
from gateway.ports import Delivery, DeliveryTry


def due(db: Database, now: Millis, limit: int) -> list[Delivery]:
    rows = db.conn.execute(
        "SELECT id, call_id, url, form, tries, created_at FROM delivery WHERE next_at <= ? ORDER BY next_at LIMIT ?",
        (now, limit),
    )
    return [
        Delivery(
            id=row[0],
            call_id=CallId(row[1]),
            url=row[2],
            form=tuple((name, value) for name, value in msgspec.json.decode(row[3], type=list[tuple[str, str]])),
            tries=row[4],
            created_at=Millis(row[5]),
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


def next_delivery(db: Database) -> Millis | None:
    row = db.conn.execute("SELECT min(next_at) FROM delivery WHERE next_at IS NOT NULL").fetchone()
    return None if row[0] is None else Millis(row[0])


def of_call(db: Database, call: CallId) -> dict[str, object] | None:
    for row in db.query(
        "SELECT id, url, form, tries, next_at, accepted_at, given_up_at, last_status, last_error"
        " FROM delivery WHERE call_id = ?",
        [call],
    ):
        return {**row, "form": msgspec.json.decode(row["form"])}
    return None
