"""Removes the audio of calls when the days are over that its account keeps it for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from gateway.core.model import AccountId
from gateway.ports import Store, StoreError

log = structlog.get_logger()

SWEEP_EVERY = 3600.0


class EvidenceSweeper:
    """``remove`` removes an account's files older than so many days; it blocks, and tells how many they were."""

    def __init__(self, store: Store, remove: Callable[[AccountId, float], int]) -> None:
        self._store = store
        self._remove = remove

    async def run(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_EVERY)

    async def sweep(self) -> None:
        try:
            for account in await self._store.accounts():
                days = account.settings.evidence_days
                if removed := await asyncio.to_thread(self._remove, account.id, days):
                    log.info("evidence.removed", account=account.login, files=removed, days=days)
        except (StoreError, OSError) as error:
            log.error("evidence.not_swept", error=str(error))
