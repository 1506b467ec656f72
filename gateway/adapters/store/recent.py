"""The last attempts, read beside a gateway that runs: for the doctor, who asks what calls have shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.ports import StoreError


@dataclass(frozen=True, slots=True)
class Recent:
    """``sip`` is what the carrier answered; ``fallback`` says why an answered attempt had no media tap."""

    trunk: str
    sip: int | None
    answered: bool
    detector: str | None
    fallback: str | None


def recent(path: Path, limit: int) -> list[Recent]:
    """The last ended attempts, newest first; none where there is no database. Raises :class:`StoreError`."""
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            rows = db.execute(
                "SELECT trunk, tech_cause, answered_at IS NOT NULL, evidence ->> '$.detector',"
                " evidence ->> '$.fallback' FROM attempt WHERE state = 'ended' ORDER BY rowid DESC LIMIT ?",
                (limit,),
            ).fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"{path} could not be read: {error}") from None
    return [Recent(trunk, sip, bool(answered), detector, fallback) for trunk, sip, answered, detector, fallback in rows]
