"""Receipts of requests that must not be carried out twice, written in the transaction of what they are for."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.core.access import KEPT_MS, Receipt
from gateway.core.model import Millis

#: Receipts beyond their time that one new receipt removes.
_SWEEP = 20


def find_receipt(db: Database, owner: int, key: str, now: Millis) -> Receipt | None:
    row = db.conn.execute(
        "SELECT owner, key, fingerprint, status, answer, created_at FROM receipt"
        " WHERE owner = ? AND key = ? AND created_at > ?",
        (owner, key, now - KEPT_MS),
    ).fetchone()
    return None if row is None else Receipt(row[0], row[1], row[2], row[3], row[4], Millis(row[5]))


def put_receipt(db: Database, receipt: Receipt) -> None:
    """Keep a receipt, within the transaction of what it is for."""
    db.conn.execute(
        "DELETE FROM receipt WHERE (owner, key) IN (SELECT owner, key FROM receipt WHERE created_at <= ? LIMIT ?)",
        (receipt.at - KEPT_MS, _SWEEP),
    )
    db.conn.execute(
        "INSERT INTO receipt (owner, key, fingerprint, status, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,"
        " answer = excluded.answer, created_at = excluded.created_at",
        (receipt.owner, receipt.key, receipt.fingerprint, receipt.status, receipt.answer, receipt.at),
    )
