"""The outbox: result posts that are owed, and what became of every try."""

from __future__ import annotations

import msgspec
from sqlite_utils import Database

from gateway.core.model import AccountId, CallId, Millis
from gateway.ports import Delivery, DeliveryTry

#: Every host's oldest, then every host's second, and so on; each host is one step through the index.
_DUE = """WITH RECURSIVE waiting (host) AS (
        SELECT min(host) FROM delivery WHERE next_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(host) FROM delivery WHERE next_at IS NOT NULL AND host > waiting.host) FROM waiting
        WHERE waiting.host IS NOT NULL
    )
    SELECT delivery.id, call_id, url, delivery.host, form, tries, delivery.created_at, campaign.account_id
    FROM waiting JOIN delivery ON delivery.rowid IN (
        SELECT rowid FROM delivery WHERE host = waiting.host AND next_at <= ? ORDER BY next_at LIMIT ?
    ) JOIN call ON call.id = delivery.call_id JOIN campaign ON campaign.id = call.campaign_id
    ORDER BY row_number() OVER (PARTITION BY delivery.host ORDER BY next_at), next_at LIMIT ?"""


def due(db: Database, now: Millis, per_host: int, limit: int) -> list[Delivery]:
    rows = db.conn.execute(_DUE, (now, per_host, limit))
    return [
        Delivery(
            id=row[0],
            call_id=CallId(row[1]),
            account_id=AccountId(row[7]),
            url=row[2],
            host=row[3],
            form=tuple((name, value) for name, value in msgspec.json.decode(row[4], type=list[tuple[str, str]])),
            tries=row[5],
            created_at=Millis(row[6]),
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
