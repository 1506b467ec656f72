"""An audit log in memory."""

from __future__ import annotations

from gateway.core.access import AuditEntry
from gateway.core.model import Millis
from gateway.services.audit import Audit


class Book:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def audit(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    async def audited(self, before: int | None, limit: int) -> list[AuditEntry]:
        return self.entries[::-1][:limit]


class _Clock:
    def now(self) -> Millis:
        return Millis(1_800_000_000_000)

    def ticks(self) -> Millis:
        return self.now()


def audit() -> tuple[Audit, list[AuditEntry]]:
    """An audit log, and what it was told."""
    book = Book()
    return Audit(book, _Clock()), book.entries
