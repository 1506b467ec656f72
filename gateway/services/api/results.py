"""/results: the posts to result_url that are owed and were made; post again, and try an address out."""

from __future__ import annotations

from gateway.core.access import Scope
from gateway.core.lists import DeliveryQuery, DeliveryState
from gateway.core.model import CallId
from gateway.core.plum import read_url
from gateway.ports import Clock, DeliveryRecord, Store
from gateway.services.accounts import Accounts
from gateway.services.api import shaping
from gateway.services.api.callers import Caller, account_for, account_seen
from gateway.services.api.calls import several
from gateway.services.api.problems import not_found
from gateway.services.api.routing import route
from gateway.services.audit import Audit
from gateway.services.notifier import Notifier
from gateway.services.posting import Poster
from voxgate import models


class Results:
    def __init__(
        self, store: Store, accounts: Accounts, notifier: Notifier, poster: Poster, clock: Clock, audit: Audit
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._notifier = notifier
        self._poster = poster
        self._clock = clock
        self._audit = audit

    @route("GET", "/results", Scope.READ)
    async def list_results(self, who: Caller, query: models.DeliveryFilter) -> models.Page[models.Delivery]:
        """List result posts, those of the newest calls first: waiting, accepted, or given up."""
        asked = DeliveryQuery(
            account=await account_seen(who, query.account, self._accounts),
            states=several("state", query.state, DeliveryState),
        )
        if query.call is not None:
            one = await self._store.delivery_of(CallId(query.call))
            found = [one] if one is not None and who.sees(one.account_id) else []
            return models.Page(items=[await self._shown(each) for each in found], next=None)
        after = shaping.number_of(query.after)
        page = await self._store.deliveries(asked, None if after is None else CallId(after), query.limit)
        return models.Page(items=[await self._shown(each) for each in page.deliveries], next=shaping.cursor(page.next))

    @route("GET", "/results/{result_id}", Scope.READ)
    async def get_result(self, who: Caller, result_id: models.ResultId) -> models.DeliveryDetail:
        """One result post with every try and what it was answered."""
        one = await self._seen(who, result_id)
        login = await self._accounts.login_of(one.account_id)
        return shaping.delivery_detail(one, login, await self._store.delivery_tries(one.id))

    @route("POST", "/results/{result_id}/redeliver", Scope.RESULTS, status=202)
    async def redeliver(self, who: Caller, result_id: models.ResultId) -> models.Delivery:
        """Post a result again now, under the same webhook-id, and retry it as if for the first time."""
        one = await self._seen(who, result_id)
        await self._store.redeliver(one.id, self._clock.now())
        self._notifier.wake()
        await self._audit.note(who.name, "result.redeliver", f"call {one.call_id}", one.account_id)
        return await self._shown(await self._seen(who, result_id))

    @route("POST", "/results/test", Scope.RESULTS)
    async def test_post(self, who: Caller, body: models.TestPost) -> models.TestPosted:
        """Post a made-up result to an address, once, and tell what it answered. Nothing is kept or retried.

        It is signed where the posts of the account are."""
        url = read_url("url", body.url)
        account = await account_for(who, body.account, self._accounts) if body.account or who.account else None
        form, posted = await self._poster.try_out(None if account is None else account.id, url)
        return models.TestPosted(
            accepted=posted.accepted, status=posted.status, error=posted.error, took=posted.took, form=dict(form),
            response=posted.response,
        )  # fmt: skip

    async def _shown(self, one: DeliveryRecord) -> models.Delivery:
        return shaping.delivery(one, await self._accounts.login_of(one.account_id))

    async def _seen(self, who: Caller, ident: str) -> DeliveryRecord:
        found = await self._store.delivery(ident)
        if found is None or not who.sees(found.account_id):
            raise not_found(f"result {ident[:60]!r}")
        return found
