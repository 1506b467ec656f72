"""Says when a ceiling on minutes or cost stops the dialing of an account, or of everybody, and when it goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from gateway.core.admission import Hold, Reason
from gateway.core.model import AccountId
from gateway.ports import Clock, Store, StoreError
from gateway.services.feed import EventKind, Publish, unheard

log = structlog.get_logger()

LOOK_EVERY = 10.0
PAUSE = 3.0
_SPENT = (Reason.ACCOUNT_SPENT, Reason.GATEWAY_SPENT)


class SpendWatch:
    """It tells alone: the claim itself keeps the ceilings."""

    def __init__(self, store: Store, clock: Clock, publish: Publish = unheard) -> None:
        self._store = store
        self._clock = clock
        self._publish = publish
        self._told: dict[AccountId | None, Hold] = {}
        self._again = asyncio.Event()

    def wake(self) -> None:
        """A call has ended."""
        self._again.set()

    async def run(self) -> None:
        while True:
            self._again.clear()
            try:
                await self.look()
            except StoreError as error:
                log.error("spend.store", error=str(error))
            await asyncio.sleep(PAUSE)  # calls that end together are one look
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._again.wait()

    async def look(self) -> None:
        logins: dict[AccountId | None, str] = {
            one.id: one.login
            for one in await self._store.accounts()
            if one.settings.daily_minutes is not None or one.settings.daily_cost is not None
        }
        logins[None] = "everybody"
        held = await self._store.capped(logins, self._clock.now())
        spent = {owner: hold for owner, hold in held.items() if hold.reason in _SPENT}
        if None in spent:  # what an account has spent besides is told when everybody goes on
            spent = {None: spent[None]}
        for owner in spent.keys() - self._told.keys():
            log.warning("spend.suspended", account=logins[owner], why=spent[owner].text, until=spent[owner].until)
            self._tell(owner, spent[owner])
        for owner in self._told.keys() - spent.keys():
            log.info("spend.resumed", account=logins.get(owner, str(owner)))
            self._tell(owner, None)
        self._told = spent

    def _tell(self, owner: AccountId | None, hold: Hold | None) -> None:
        self._publish(
            EventKind.DIALING_CHANGED, owner,
            {"suspended": hold is not None, "reason": None if hold is None else hold.text,
             "until": None if hold is None else hold.until},
        )  # fmt: skip
