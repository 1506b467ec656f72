"""/usage: what was used of a day's caps, and the ceilings that an operator lifts."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.access import Scope
from gateway.core.caps import MICRO
from gateway.core.model import Account, AccountId
from gateway.ports import Clock, Store
from gateway.services.accounts import Accounts
from gateway.services.api import shaping
from gateway.services.api.callers import Caller
from gateway.services.api.problems import not_found
from gateway.services.api.routing import route
from gateway.services.audit import Audit
from gateway.services.why import for_account
from voxgate import models


class Usage:
    """``wake`` tells the dialer that more may be dialed."""

    def __init__(
        self, store: Store, accounts: Accounts, audit: Audit, clock: Clock, wake: Callable[[], None]
    ) -> None:  # fmt: skip
        self._store = store
        self._accounts = accounts
        self._audit = audit
        self._clock = clock
        self._wake = wake

    @route("GET", "/accounts/{login}/usage", Scope.READ)
    async def account_usage(self, who: Caller, login: str) -> models.Usage:
        """What an account used of its day, and which of its caps holds its calls now."""
        return await self._shown((await self._seen(who, login)).id, who)

    @route("POST", "/accounts/{login}/lift", Scope.OPERATOR)
    async def lift_account(self, who: Caller, login: str) -> models.Usage:
        """Let an account spend beyond its ceiling of minutes and cost until its day ends."""
        one = await self._seen(who, login)
        await self._store.lift(one.id, self._clock.now())
        await self._audit.note(who.name, "account.lift", f"account {login}", one.id)
        self._wake()
        return await self._shown(one.id, who)

    @route("GET", "/usage", Scope.OPERATOR)
    async def whole_usage(self, who: Caller) -> models.Usage:
        """What all calls used of the gateway's day; it counts no calls."""
        return await self._shown(None, who)

    @route("POST", "/lift", Scope.OPERATOR)
    async def lift_whole(self, who: Caller) -> models.Usage:
        """Let everybody spend beyond the gateway's ceiling until its day ends."""
        await self._store.lift(None, self._clock.now())
        await self._audit.note(who.name, "gateway.lift", "the gateway", None)
        self._wake()
        return await self._shown(None, who)

    async def _seen(self, who: Caller, login: str) -> Account:
        found = await self._accounts.by_login(login)
        if found is None or not who.sees(found.id):
            raise not_found(f"account {login[:128]!r}")
        return found

    async def _shown(self, account: AccountId | None, who: Caller) -> models.Usage:
        now = self._clock.now()
        used, hold = await self._store.used(account, now), (await self._store.capped([account], now)).get(account)
        if hold is not None and not who.operator:
            hold = for_account(hold)
        return models.Usage(
            calls=used.attempts, live=used.live, minutes=round(used.seconds / 60, 2), cost=used.cost / MICRO,
            lifted=used.lifted, hold=None if hold is None else shaping.hold(hold),
        )  # fmt: skip
