"""What a campaign would do before it is let go: what is dialed when, what is blocked, and why. Nothing is queued."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.core.admission import Admission, Hold, held_campaign
from gateway.core.forecast import ASSUMED_SECONDS, Forecast, forecast
from gateway.core.model import Account, Call, CampaignId, Millis
from gateway.core.pacing import Limit, Pacer
from gateway.core.plum import Submission
from gateway.core.refusals import Refusal, Refusals
from gateway.core.routes import Refused
from gateway.ports import Clock, Store
from gateway.services.intake.desk import Desk

BATCH = 500


@dataclass(frozen=True, slots=True)
class Preflight:
    """``forecast`` is None where nothing would be dialed. ``call_seconds`` is the measured length of an attempt."""

    dialable: int
    blocked: tuple[Refusal, ...]
    problems: tuple[str, ...]
    hold: Hold | None
    forecast: Forecast | None
    expires_at: Millis | None
    call_seconds: float
    call_seconds_measured: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Calls by trunk, none before ``due_at``; those of ``campaign`` are in the queue already."""

    account: Account
    calls: Counter[str]
    refusals: Refusals
    due_at: Millis
    expires_at: Millis | None
    campaign: CampaignId | None = None


class Preflights:
    """``route`` raises :class:`Refused` where a call would not be dialed. ``admission`` and ``pacer`` are the
    dialer's.
    """

    def __init__(
        self, store: Store, clock: Clock, desk: Desk, pacer: Pacer, admission: Callable[[], Admission],
        route: Callable[[Call, Account], object],
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._desk = desk
        self._pacer = pacer
        self._admission = admission
        self._route = route

    async def of_list(self, account: Account, submission: Submission, path: Path) -> Preflight:
        """Of a list that is not loaded. Raises :class:`gateway.core.plum.FieldError`."""
        found = await self._desk.examine(account, submission, path)
        asked = _Asked(account, found.trunks, found.refusals, found.plan.scheduled_at, found.plan.expires_at)
        return await self._told(asked, found.problems)

    async def of_campaign(self, campaign_id: CampaignId) -> Preflight | None:
        """Of what still waits of a loaded campaign; None where there is no such campaign."""
        campaign = await self._store.campaign(campaign_id)
        if campaign is None:
            return None
        account = next(one for one in await self._store.accounts() if one.id == campaign.account_id)
        backlogs = await self._store.backlogs(campaign_id)
        first = min((one.due_at for one in backlogs), default=self._clock.now())
        expires_at = None if campaign.plan is None else campaign.plan.expires_at
        asked = _Asked(account, Counter(), Refusals(), first, expires_at, campaign_id)
        for backlog in backlogs:
            asked.calls[backlog.trunk] = await self._walk(campaign_id, account, backlog.trunk, asked.refusals)
        return await self._told(asked, (), held_campaign(campaign.state))

    async def _walk(self, campaign: CampaignId, account: Account, trunk: str, refusals: Refusals) -> int:
        """Try the route of every call that waits; how many would be dialed."""
        dialable, after = 0, None
        while calls := await self._store.waiting(campaign, trunk, after, BATCH):
            dialable += await asyncio.to_thread(self._try, calls, account, refusals)
            after = (calls[-1].due_at or Millis(0), calls[-1].id)
        return dialable

    def _try(self, calls: list[Call], account: Account, refusals: Refusals) -> int:
        dialable = 0
        for call in calls:
            try:
                self._route(call, account)
                dialable += 1
            except Refused as error:
                refusals.add(call.dialed, f"may not be dialed: {error}")
        return dialable

    async def _told(self, asked: _Asked, problems: tuple[str, ...], hold: Hold | None = None) -> Preflight:
        measured = await self._store.mean_attempt_seconds()
        seconds = ASSUMED_SECONDS if measured is None else measured
        for trunk in [one for one in asked.calls if one not in self._pacer.trunks]:
            asked.refusals.add(f"trunk {trunk}", "its trunk is not in the configuration", asked.calls.pop(trunk))
        return Preflight(
            dialable=asked.calls.total(),
            blocked=tuple(asked.refusals.most_first()),
            problems=problems,
            hold=hold or self._admission().hold,
            forecast=await self._forecast(asked, seconds) if asked.calls.total() else None,
            expires_at=asked.expires_at,
            call_seconds=seconds,
            call_seconds_measured=measured is not None,
        )

    async def _forecast(self, asked: _Asked, seconds: float) -> Forecast:
        now, gates = self._clock.now(), self._admission().trunks
        others: dict[str, list[int]] = defaultdict(list)
        for backlog in await self._store.backlogs(None):
            if backlog.campaign_id != asked.campaign:
                others[backlog.trunk].append(backlog.waiting)
        calls, opens = +asked.calls, {}
        for trunk in calls:
            hold = gates[trunk].hold
            until = None if hold is None else hold.until  # the end of a rest, or the next slot of the pace
            opens[trunk] = max(now, asked.due_at, until or now)
        limits = {trunk: pace.limit for trunk, pace in self._pacer.trunks.items()}
        overall = _within(self._pacer.overall.limit, asked.account)
        return forecast(calls, others, limits, overall, seconds, opens, asked.expires_at)


def _within(limit: Limit, account: Account) -> Limit:
    """The gateway's limit, or the account's own caps where those are less. A day's caps are not foreseen."""
    own = account.settings
    return Limit(min(limit.cps, own.cps or limit.cps), min(limit.max_calls, own.max_calls or limit.max_calls))
