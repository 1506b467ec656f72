"""Answered attempts whose audio was kept, read from a database that a gateway may have open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.adapters.store.file import connect
from gateway.core.model import CalleeType, CallId

#: The folder beside the database that holds the audio.
AUDIO_FOLDER = "evidence"
#: Kept audio begins this many seconds before the answer, or with the tap where that began later.
KEPT_BEFORE = 5.0


@dataclass(frozen=True, slots=True)
class HeardCall:
    """``audio`` is a file's name; the call was answered ``answered_at`` seconds after its beginning.

    ``label`` is the callee type that somebody said it was, None where nobody did.
    """

    call_id: CallId
    audio: str
    answered_at: float
    label: CalleeType | None


def heard_calls(path: Path) -> Iterator[HeardCall]:
    db = connect(path, readonly=True)
    try:
        rows = db.conn.execute(
            "SELECT call_id, evidence, label FROM attempt WHERE evidence ->> '$.audio' IS NOT NULL"
            " AND evidence ->> '$.answered' IS NOT NULL ORDER BY call_id, number"
        )
        for call_id, text, label in rows:
            evidence = msgspec.json.decode(text)
            yield HeardCall(
                call_id=CallId(call_id),
                audio=str(evidence["audio"]),
                answered_at=min(float(evidence["answered"]), KEPT_BEFORE),
                label=None if label is None else CalleeType(label),
            )
    finally:
        db.close()
