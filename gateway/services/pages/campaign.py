"""A campaign: its figures, charts and call queue, and what may be done with its calls."""

from __future__ import annotations

from aiohttp import web

from gateway.core.charts import charts
from gateway.core.exporting import ExportQuery, Format
from gateway.core.lists import CallQuery, ListRefused
from gateway.core.model import Account, CallId, CallState, CampaignState, Millis
from gateway.core.states import WAITING
from gateway.core.visiting import Visitor
from gateway.ports import CallPage, Campaign, Clock, Store
from gateway.services.accounts import Accounts
from gateway.services.audit import Audit
from gateway.services.exports import Exports
from gateway.services.feed import EventKind, Publish, call_data, campaign_data
from gateway.services.pages.books import Books
from gateway.services.pages.chores import Chores
from gateway.services.pages.listing import ORDERS, PAGE, Listing
from gateway.services.pages.outbound import Outbound, own_campaign, shown_name
from gateway.services.pages.site import HEADERS, NotHere, Refused, Site, back, number_of, see, thousands, zone_of
from gateway.services.why import Why, for_account


class CampaignPage:
    def __init__(
        self, site: Site, store: Store, books: Books, accounts: Accounts, clock: Clock, outbound: Outbound,
        chores: Chores, why: Why, audit: Audit, exports: Exports, publish: Publish,
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._books = books
        self._accounts = accounts
        self._audit = audit
        self._clock = clock
        self._outbound = outbound
        self._chores = chores
        self._why = why
        self._exports = exports
        self._publish = publish

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/campaigns/{id}", self._site.page(self.show))
        router.add_get("/campaigns/{id}/export.{kind:csv|jsonl}", self._site.page(self.export))
        router.add_post("/campaigns/{id}/delete", self._site.action(self.delete_some))
        router.add_post("/campaigns/{id}/retry", self._site.action(self.retry))
        router.add_post("/calls/{id}/delete", self._site.action(self.delete_one))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        campaign = await own_campaign(self._store, visitor, request)
        account = await self._owner(campaign)
        listing, now, error = Listing.read(request.query), self._clock.now(), ""
        try:
            page = await self._store.calls(listing.query(campaign.id, account), listing.after, PAGE)
        except ListRefused as refused:
            page, error = CallPage((), None), str(refused)
        hold = await self._why.why_campaign(campaign.id)
        if hold is not None and not visitor.operator:
            hold = for_account(hold)
        return self._site.render(
            "campaign.html", request, visitor, campaign=campaign, name=shown_name(campaign), owner=account.login,
            row=self._outbound.row(campaign, account.login, visitor, now), calls=page.calls, listing=listing,
            following="" if page.next is None else listing.address(after=page.next), error=error, hold=hold,
            orders=ORDERS, waiting=WAITING, states=list(CallState), chore=self._chores.of(campaign.id),
            charts=charts(await self._books.tallies(campaign.id), zone_of(visitor.account)),
        )  # fmt: skip

    async def _owner(self, campaign: Campaign) -> Account:
        account = await self._accounts.get(campaign.account_id)
        assert account is not None  # the schema's foreign key
        return account

    async def _query(self, request: web.Request, campaign: Campaign) -> tuple[Listing, CallQuery]:
        listing = Listing.read(request.query)
        try:
            return listing, listing.query(campaign.id, await self._owner(campaign))
        except ListRefused as refused:
            raise Refused(str(refused), 422) from None

    async def export(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        campaign = await own_campaign(self._store, visitor, request)
        _, query = await self._query(request, campaign)
        form = Format(request.match_info["kind"])
        return await self._exports.stream(request, form, ExportQuery.of(query), f"campaign-{campaign.id}", HEADERS)

    # --- deleting what waits ---

    async def delete_one(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        ident = CallId(number_of(request))
        call = await self._store.call(ident)
        if call is None or not visitor.sees(call.account_id):
            raise NotHere
        state = await self._store.cancel_call(visitor.scope, ident)
        if state is not CallState.CANCELLED:
            raise Refused("The call does not wait any more: only pending calls can be deleted.", 409)
        await self._audit.note(visitor.account.login, "call.cancel", f"call {ident}", call.account_id)
        if (changed := await self._store.call(ident)) is not None:
            self._publish(EventKind.CALL_CHANGED, changed.account_id, call_data(changed))
        return back(request, f"/campaigns/{call.campaign_id}")

    async def delete_some(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """All calls of the list as it is filtered that still wait."""
        campaign = await own_campaign(self._store, visitor, request)
        listing, query = await self._query(request, campaign)

        async def work() -> str:
            deleted = await self._chores.delete(query)
            await self._note(visitor, "calls.cancel", campaign, f"{deleted} calls")
            await self._tell(campaign)
            return f"{thousands(deleted)} waiting {'call' if deleted == 1 else 'calls'} deleted"

        self._chores.start(campaign.id, "Deleting waiting calls", work)
        return see(f"/campaigns/{campaign.id}{listing.address()}")

    # --- trying again ---

    async def retry(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        campaign = await own_campaign(self._store, visitor, request)
        now = self._clock.now()
        self._may_retry(campaign, now)

        async def work() -> str:
            queued = await self._books.retry_failed(campaign.id, now)
            await self._note(visitor, "campaign.retry", campaign, f"{queued} calls")
            await self._tell(campaign)
            self._outbound.wake()
            return f"{thousands(queued)} failed {'number' if queued == 1 else 'numbers'} queued again"

        self._chores.start(campaign.id, "Queueing failed numbers again", work)
        return back(request, f"/campaigns/{campaign.id}")

    @staticmethod
    def _may_retry(campaign: Campaign, now: Millis) -> None:
        if campaign.state is CampaignState.CANCELLED:
            raise Refused("The campaign is cancelled: queue its failed numbers as a new campaign (export them).", 409)
        if campaign.plan is not None and campaign.plan.expires_at is not None and campaign.plan.expires_at <= now:
            raise Refused("The campaign has expired: queue its failed numbers as a new campaign (export them).", 409)

    async def _note(self, visitor: Visitor, action: str, campaign: Campaign, detail: str) -> None:
        await self._audit.note(visitor.account.login, action, f"campaign {campaign.id}", campaign.account_id, detail)

    async def _tell(self, campaign: Campaign) -> None:
        if (changed := await self._store.campaign(campaign.id)) is not None:
            self._publish(EventKind.CAMPAIGN_CHANGED, changed.account_id, campaign_data(changed))
