"""The audit log: who changed what, from where, kept in the database and told in the log."""

from __future__ import annotations

from typing import Protocol

import structlog

from gateway.core.access import AuditEntry
from gateway.core.model import AccountId
from gateway.ports import Clock

log = structlog.get_logger()


class AuditBook(Protocol):
    async def audit(self, entry: AuditEntry) -> None: ...
    async def audited(self, before: int | None, limit: int) -> list[AuditEntry]: ...


class Audit:
    def __init__(self, book: AuditBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    async def note(self, actor: str, action: str, subject: str, account: AccountId | None, detail: str = "") -> None:
        """``action`` is a verb of a thing, as ``campaign.cancel``. ``detail`` never holds a PIN or a token."""
        log.info("audit", actor=actor, action=action, subject=subject, detail=detail)
        await self._book.audit(AuditEntry(self._clock.now(), actor, action, subject, account, detail))

    async def page(self, before: int | None, limit: int) -> list[AuditEntry]:
        """The newest first."""
        return await self._book.audited(before, limit)
