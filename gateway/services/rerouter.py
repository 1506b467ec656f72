"""Finds waiting calls another way when the configuration no longer has their trunk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from gateway.core.model import Account, Call, CallId, CampaignId, Millis
from gateway.core.routes import Refused
from gateway.ports import Store, StoreError

log = structlog.get_logger()

#: What no route took is looked into again.
EVERY = 3600.0
#: Calls that end together are one look.
PAUSE = 1.0
BATCH = 500


class Rerouter:
    """``trunks`` are the configured ones; ``route`` names a call's trunk as the routes are now, or raises Refused."""

    def __init__(self, store: Store, trunks: frozenset[str], route: Callable[[Call, Account], str]) -> None:
        self._store = store
        self._trunks = trunks
        self._route = route
        self._again = asyncio.Event()
        self._stranded: set[tuple[CampaignId, str]] = set()  # looked into within the hour, and no route takes them

    def retrunk(self, trunks: frozenset[str]) -> None:
        """The configuration has other trunks now: look at once."""
        self._trunks = trunks
        self._stranded.clear()
        self._again.set()

    def waits(self, campaign: CampaignId, trunk: str) -> None:
        """A call of ``campaign`` that was live waits for ``trunk`` from now on."""
        if trunk not in self._trunks:
            self._stranded.discard((campaign, trunk))
            self._again.set()

    def nudge(self) -> None:
        """Something was queued: its trunk may have been taken away meanwhile."""
        self._again.set()

    async def run(self) -> None:
        while True:
            self._again.clear()
            try:
                await self.look()
            except StoreError as error:
                log.error("rerouter.store", error=str(error))
            try:
                async with asyncio.timeout(EVERY):
                    await self._again.wait()
                await asyncio.sleep(PAUSE)
            except TimeoutError:
                self._stranded.clear()

    async def look(self) -> tuple[int, int]:
        """Calls that were moved, and calls that no route takes: those wait on, and are named in the log."""
        moved = stranded = 0
        accounts = {account.id: account for account in await self._store.accounts()}
        lanes = set(await self._store.other_lanes(self._trunks)) - self._stranded
        for campaign, trunk in sorted(lanes):
            found, left, why = await self._lane(campaign, trunk, lambda call: accounts[call.account_id])
            moved, stranded = moved + found, stranded + left
            if found:
                log.warning("calls.rerouted", campaign_id=campaign, trunk=trunk, calls=found)
            if left:
                self._stranded.add((campaign, trunk))
                log.error(
                    "calls.stranded", campaign_id=campaign, trunk=trunk, calls=left, why=why,
                    mend=f"bring the trunk {trunk!r} back, add a [[route]] for these numbers, or cancel the calls",
                )  # fmt: skip
        return moved, stranded

    async def _lane(self, campaign: CampaignId, trunk: str, owner: Callable[[Call], Account]) -> tuple[int, int, str]:
        moved = stranded = 0
        why, after = "", None
        while calls := await self._store.waiting(campaign, trunk, after, BATCH):
            moves: dict[CallId, str] = {}
            for call in calls:
                try:
                    moves[call.id] = self._route(call, owner(call))
                except Refused as error:
                    stranded, why = stranded + 1, str(error)
            await self._store.move_calls(moves)
            moved += len(moves)
            last = calls[-1]
            after = (last.due_at or Millis(0), last.id)
        return moved, stranded, why
