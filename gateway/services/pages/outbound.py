"""Outbound Calling: the campaigns and their progress, the switch for all dialing, the service's addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.core import saying
from gateway.core.admission import Reason
from gateway.core.model import AccountId, CallState, CampaignId, CampaignState, Millis
from gateway.core.states import LIVE, WAITING
from gateway.core.visiting import Visitor
from gateway.ports import Campaign, Clock, Store
from gateway.services.audit import Audit
from gateway.services.feed import EventKind, Publish, campaign_data
from gateway.services.pages.rates import Rates
from gateway.services.pages.site import NotHere, Refused, Site, back, number_of, see, zone_of
from gateway.services.why import Why

#: Nothing is in the way under these.
AT_EASE = (Reason.TURN, Reason.DIALING, Reason.IN_CALL, Reason.FINISHED, Reason.NOTHING_WAITING, Reason.SCHEDULED,
           Reason.ACCOUNT_PACE, Reason.TRUNK_PACE, Reason.GATEWAY_PACE)  # fmt: skip
FINISHED = "finished"
_VERBS = {"pause": CampaignState.PAUSED, "resume": CampaignState.ACTIVE, "cancel": CampaignState.CANCELLED}


@dataclass(frozen=True, slots=True)
class Row:
    """One campaign as the page shows it."""

    id: CampaignId
    name: str
    login: str
    state: CampaignState
    single: bool
    counts: dict[str, int]
    pending: int
    rate: str
    finish: str

    @property
    def finished(self) -> bool:
        return not self.single and self.finish == FINISHED


class Outbound:
    """``wake`` tells the dialer to look at the queue."""

    def __init__(
        self, site: Site, store: Store, clock: Clock, rates: Rates, publish: Publish,
        why: Why, wake: Callable[[], None], live: Callable[[AccountId | None], int],
        audit: Audit,
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._clock = clock
        self._rates = rates
        self._publish = publish
        self._why = why
        self.wake = wake
        self._live = live
        self._audit = audit

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self._site.page(self.show))
        router.add_post("/dialing/suspend", self._site.action(self.suspend))
        router.add_post("/dialing/resume", self._site.action(self.resume))
        for verb in _VERBS:
            router.add_post(f"/campaigns/{{id}}/{verb}", self._site.action(self.change))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        if visitor.operator and not await self._store.campaigns(None):
            return see("/welcome")
        now = self._clock.now()
        hold = await (self._why.why_all() if visitor.operator else self._why.why_account(visitor.account.id))
        names = {one.id: one.login for one in await self._store.accounts()}
        found = await self._store.campaigns(visitor.scope)
        rows = [self.row(one, names.get(one.account_id, ""), visitor, now) for one in reversed(found)]
        rows.sort(key=lambda row: row.state in (CampaignState.CANCELLED,))
        return self._site.render(
            "outbound.html", request, visitor, campaigns=rows, held=await self._held(visitor), hold=hold,
            stuck=hold.reason not in AT_EASE,
            live=self._live(visitor.scope), base=self._site.base_of(request),
        )  # fmt: skip

    def row(self, campaign: Campaign, login: str, visitor: Visitor, now: Millis) -> Row:
        counts = campaign.counts
        pending = sum(counts[state] for state in WAITING)
        rate = self._rates.per_minute(campaign.id, now)
        return Row(
            id=campaign.id,
            name=shown_name(campaign),
            login=login,
            state=campaign.state,
            single=campaign.single,
            counts={str(state): counts[state] for state in CallState},
            pending=pending,
            rate=f"{rate:.1f}" if 0 < rate < 10 else f"{rate:.0f}" if rate else "",
            finish=self._finish(campaign, pending, rate, visitor, now),
        )

    def _finish(self, campaign: Campaign, pending: int, rate: float, visitor: Visitor, now: Millis) -> str:
        """At the present rate; no date is told where there is none to go by."""
        left = pending + sum(campaign.counts[state] for state in LIVE)
        if left == 0:
            return FINISHED if not campaign.single and any(campaign.counts.values()) else ""
        if campaign.state is not CampaignState.ACTIVE:
            return ""
        starts = campaign.plan.scheduled_at if campaign.plan is not None else now
        if starts > now:
            return f"starts {saying.short_clock(starts, zone_of(visitor.account), now)}"
        if not rate:
            return ""
        return saying.short_clock(Millis(now + round(left / rate * 60_000)), zone_of(visitor.account), now)

    async def _held(self, visitor: Visitor) -> list[AccountId | None]:
        """The holds that concern this visitor: everybody's, and its own account's."""
        held = await self._store.held()
        own = None if visitor.operator else visitor.account.id
        return [one for one in held if one is None or one == own]

    async def suspend(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        await self._store.hold(visitor.scope)
        await self._note(visitor, "dialing.suspend")
        self._publish(EventKind.CAMPAIGN_CHANGED, visitor.scope, {"held": True})
        return back(request, "/")

    async def _note(self, visitor: Visitor, action: str) -> None:
        await self._audit.note(
            visitor.account.login, action, "everybody" if visitor.operator else visitor.account.login, visitor.scope
        )

    async def resume(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        if not visitor.operator and None in await self._store.held():
            raise Refused("An operator has suspended all dialing: ask them to resume it.")
        await self._store.release(visitor.scope)
        await self._note(visitor, "dialing.resume")
        self._publish(EventKind.CAMPAIGN_CHANGED, visitor.scope, {"held": False})
        self.wake()
        return back(request, "/")

    async def change(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        campaign = await own_campaign(self._store, visitor, request)
        verb = request.path.rsplit("/", 1)[1]
        changed = await self._store.set_campaign_state(campaign.id, _VERBS[verb])
        await self._audit.note(
            visitor.account.login, f"campaign.{verb}", f"campaign {campaign.id}", campaign.account_id
        )
        self._publish(EventKind.CAMPAIGN_CHANGED, changed.account_id, campaign_data(changed))
        self.wake()
        return back(request, "/")


async def own_campaign(store: Store, visitor: Visitor, request: web.Request) -> Campaign:
    """The campaign of the path. Raises :class:`NotHere` also where it is another account's."""
    found = await store.campaign(CampaignId(number_of(request)))
    if found is None or not visitor.sees(found.account_id):
        raise NotHere
    return found


def shown_name(campaign: Campaign) -> str:
    return "Single calls" if campaign.single else campaign.name
