"""/campaigns: create, load, add to a running one, preflight, look, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from gateway.core.access import Scope
from gateway.core.model import Account, CampaignId, CampaignState
from gateway.core.plum import QUEUECALLS, Submission, read_submission
from gateway.ports import Campaign, Store
from gateway.services.accounts import Accounts
from gateway.services.api import shaping
from gateway.services.api.bodies import (
    CSV,
    FORM,
    JSON_LINES,
    NO_PIN,
    PLAIN,
    campaign_form,
    list_reader,
    spooled,
    submission_of,
)
from gateway.services.api.callers import Again, Caller, account_for, account_seen
from gateway.services.api.problems import Code, Problem, not_found
from gateway.services.api.receipts import answer_once, fingerprint
from gateway.services.api.routing import read_json, route
from gateway.services.audit import Audit
from gateway.services.feed import EventKind, Publish, campaign_data
from gateway.services.intake.desk import Desk
from gateway.services.intake.form import Form
from gateway.services.preflight import Preflights
from gateway.services.receipts import Receipts, Stamp
from gateway.services.why import Why, for_account
from voxgate import models

MAX_ADDED = 8 * 1024 * 1024


class Campaigns:
    """``wake`` tells the dialer to look at the queue."""

    def __init__(
        self, store: Store, desk: Desk, accounts: Accounts, receipts: Receipts, why: Why, preflights: Preflights,
        audit: Audit, publish: Publish, wake: Callable[[], None], spool: Path,
    ) -> None:  # fmt: skip
        self._store = store
        self._wake = wake
        self._desk = desk
        self._accounts = accounts
        self._receipts = receipts
        self._why = why
        self._preflights = preflights
        self._audit = audit
        self._publish = publish
        self._spool = spool
        self._decoder = msgspec.json.Decoder(models.NewCampaign)

    # --- creating ---

    @route(
        "POST", "/campaigns", Scope.CALLS, status=201, keyed=True, takes=(FORM,),
        replies=(models.NewCampaign, models.Campaign, models.Loaded),
    )  # fmt: skip
    async def create_campaign(self, who: Caller, request: web.Request, again: Again) -> web.Response:
        """Create a campaign.

        As JSON it is created without calls, which are added afterwards. As a form with the fields of `queuecalls` and
        the list as the file `phone_list`, it is loaded whole or not at all, and the answer counts its lines.
        """
        if request.content_type == FORM:
            return await self._load(again, request)
        body = await read_json(request)
        who = await again()
        asked = self._decoder.decode(body)

        async def work(stamp: Stamp | None) -> models.Campaign:
            account = await account_for(who, asked.account, self._accounts)
            submission = submission_of(QUEUECALLS, account.login, asked, phone_list=NO_PIN)
            receipt = None if stamp is None else lambda made: stamp(shaping.campaign(made, account.login))
            made = await self._desk.new_campaign(account, submission, asked.paused, receipt)
            await self._audit.note(who.name, "campaign.create", f"campaign {made.id}", account.id, made.name)
            return shaping.campaign(made, account.login)

        return await answer_once(self._receipts, who, request, fingerprint(request, body), 201, work)

    async def _load(self, again: Again, request: web.Request) -> web.Response:
        async with campaign_form(request, self._spool) as (form, path, digest):
            who = await again()

            async def work(stamp: Stamp | None) -> models.Loaded:
                account, submission = await self._submitted(who, form)
                receipt = None if stamp is None else lambda load: stamp(shaping.loaded(load))
                load = await self._desk.queue_list(account, submission, path, receipt)
                await self._audit.note(who.name, "campaign.load", f"campaign {load.campaign}", account.id, load.name)
                return shaping.loaded(load)

            return await answer_once(self._receipts, who, request, fingerprint(request, digest), 201, work)

    async def _submitted(self, who: Caller, form: Form) -> tuple[Account, Submission]:
        values = [(name, value) for name, value in form.fields if name not in ("phone_list", "account")]
        account = await account_for(who, dict(form.fields).get("account"), self._accounts)
        own = [("login", account.login), ("pin", NO_PIN), ("phone_list", NO_PIN)]
        return account, read_submission(QUEUECALLS, [*own, *values])

    @route(
        "POST", "/campaigns/{campaign_id}/calls", Scope.CALLS, status=201, keyed=True, takes=(CSV, PLAIN, JSON_LINES)
    )  # fmt: skip
    async def add_calls(
        self, who: Caller, campaign_id: models.Ident, request: web.Request, again: Again
    ) -> models.Loaded:
        """Add calls to a campaign that runs or is paused, all at once or none.

        At most 10,000 numbers, as a list of `queuecalls` (one a line, or CSV), or as JSON Lines with `phone_number`. A
        number that the campaign holds already is rejected, unless its account keeps duplicates.
        """
        campaign = await self._seen(who, campaign_id)
        reader = list_reader(request)
        async with spooled(request, self._spool, MAX_ADDED) as (path, digest):
            who = await again()
            account = await self._accounts.get(campaign.account_id)
            assert account is not None  # the schema's foreign key

            async def work(stamp: Stamp | None) -> models.Loaded:
                receipt = None if stamp is None else lambda load: stamp(shaping.loaded(load))
                load = await self._desk.add_calls(account, campaign, path, reader, receipt)
                what = f"{load.queued} calls"
                await self._audit.note(who.name, "campaign.add", f"campaign {campaign.id}", account.id, what)
                return shaping.loaded(load)

            return await answer_once(self._receipts, who, request, fingerprint(request, digest), 201, work)  # type: ignore[return-value]

    @route("POST", "/campaigns/preflight", Scope.READ, takes=(FORM,))
    async def preflight_list(self, who: Caller, request: web.Request) -> models.Preflight:
        """What a campaign would do that is not loaded yet: what is dialed when, what is blocked and why.

        Takes the form of `POST /campaigns`; nothing of it is queued.
        """
        if request.content_type != FORM:
            raise Problem(Code.MEDIA_TYPE, f"the body is {request.content_type}: send {FORM}")
        async with campaign_form(request, self._spool) as (form, path, _):
            account, submission = await self._submitted(who, form)
            return shaping.preflight(await self._preflights.of_list(account, submission, path))

    # --- looking ---

    @route("GET", "/campaigns", Scope.READ)
    async def list_campaigns(self, who: Caller, query: models.CampaignFilter) -> models.Page[models.Campaign]:
        """Campaigns with their counts, in the order they were made."""
        account = await account_seen(who, query.account, self._accounts)
        after = shaping.number_of(query.after)
        found = await self._store.campaigns(account, None if after is None else CampaignId(after), query.limit + 1)
        items = [await self._shown(one) for one in found[: query.limit]]
        return models.Page(items=items, next=shaping.cursor(items[-1].id if len(found) > query.limit else None))

    @route("GET", "/campaigns/{campaign_id}", Scope.READ)
    async def get_campaign(self, who: Caller, campaign_id: models.Ident) -> models.Campaign:
        """One campaign with its counts."""
        return await self._shown(await self._seen(who, campaign_id))

    @route("GET", "/campaigns/{campaign_id}/why", Scope.READ)
    async def why_campaign(self, who: Caller, campaign_id: models.Ident) -> models.Hold:
        """The one reason for which nothing of a campaign is being dialed now, and what would change it."""
        hold = await self._why.why_campaign((await self._seen(who, campaign_id)).id)
        if hold is None:
            raise not_found(f"campaign {campaign_id}")
        return shaping.hold(hold if who.operator else for_account(hold))

    @route("GET", "/campaigns/{campaign_id}/preflight", Scope.READ)
    async def preflight_campaign(self, who: Caller, campaign_id: models.Ident) -> models.Preflight:
        """What waits of a campaign: what is dialed when, what is blocked and why."""
        found = await self._preflights.of_campaign((await self._seen(who, campaign_id)).id)
        if found is None:
            raise not_found(f"campaign {campaign_id}")
        return shaping.preflight(found)

    @route("GET", "/uploads", Scope.READ)
    async def list_uploads(self, who: Caller) -> list[models.Upload]:
        """Lists that are being loaded, and how far they are."""
        return [
            shaping.upload(one, await self._accounts.login_of(one.account))
            for one in self._desk.loads.values()
            if who.sees(one.account)
        ]

    # --- changing ---

    @route("POST", "/campaigns/{campaign_id}/pause", Scope.CALLS)
    async def pause_campaign(self, who: Caller, campaign_id: models.Ident) -> models.Campaign:
        """Dial nothing more of it until it is resumed; live calls go on."""
        return await self._set(who, campaign_id, CampaignState.PAUSED, "pause")

    @route("POST", "/campaigns/{campaign_id}/resume", Scope.CALLS)
    async def resume_campaign(self, who: Caller, campaign_id: models.Ident) -> models.Campaign:
        """Dial it again."""
        return await self._set(who, campaign_id, CampaignState.ACTIVE, "resume")

    @route("POST", "/campaigns/{campaign_id}/cancel", Scope.CALLS)
    async def cancel_campaign(self, who: Caller, campaign_id: models.Ident) -> models.Campaign:
        """Cancel every call that waits; live calls end by themselves."""
        return await self._set(who, campaign_id, CampaignState.CANCELLED, "cancel")

    async def _set(self, who: Caller, campaign_id: models.Ident, state: CampaignState, verb: str) -> models.Campaign:
        one = await self._seen(who, campaign_id)
        changed = await self._store.set_campaign_state(one.id, state)
        self._wake()
        self._publish(EventKind.CAMPAIGN_CHANGED, changed.account_id, campaign_data(changed))
        await self._audit.note(who.name, f"campaign.{verb}", f"campaign {one.id}", one.account_id, one.name)
        return await self._shown(changed)

    async def _shown(self, campaign: Campaign) -> models.Campaign:
        return shaping.campaign(campaign, await self._accounts.login_of(campaign.account_id))

    async def _seen(self, who: Caller, campaign_id: models.Ident) -> Campaign:
        found = await self._store.campaign(CampaignId(campaign_id))
        if found is None or not who.sees(found.account_id):
            raise not_found(f"campaign {campaign_id}")
        return found
