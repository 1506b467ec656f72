"""Why a call, a campaign or everything is not being dialed now: the one true reason, by the dialer's own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.core.admission import Admission, Hold, Reason, ended, held_call, held_campaign, suspended
from gateway.core.model import Account, AccountId, AttemptState, Call, CallId, CallState, CampaignId
from gateway.core.routes import Refused
from gateway.core.states import LIVE, WAITING
from gateway.ports import Backlog, Clock, Store

#: Calls ahead of one are counted up to this.
COUNTED = 100_000
#: What frees soonest comes first. Of what holds one call the last is told; of several trunks that hold a campaign, the
#: one that holds it least.
_LEAST_FIRST = (
    Reason.TURN, Reason.ACCOUNT_PACE, Reason.TRUNK_PACE, Reason.GATEWAY_PACE, Reason.ACCOUNT_FULL, Reason.TRUNK_FULL,
    Reason.GATEWAY_FULL, Reason.TRUNK_RESTING, Reason.ACCOUNT_DAILY, Reason.ACCOUNT_SPENT, Reason.GATEWAY_SPENT,
    Reason.NO_TRUNK,
)  # fmt: skip
#: Dialing goes on under these.
_MOVING = (Reason.TURN, Reason.ACCOUNT_PACE, Reason.TRUNK_PACE, Reason.GATEWAY_PACE, Reason.DIALING)
#: Of these an account is told what is so, and not the gateway's own numbers, trunks and faults.
_OPERATORS = frozenset({
    Reason.STOPPING, Reason.NO_AMI, Reason.ASTERISK_SILENT, Reason.RECONCILING, Reason.TRUNK_RESTING,
    Reason.TRUNK_FULL, Reason.TRUNK_PACE, Reason.GATEWAY_FULL, Reason.GATEWAY_PACE, Reason.GATEWAY_SPENT,
    Reason.NO_TRUNK,
})  # fmt: skip
_TURN = Hold(Reason.TURN, "nothing holds it: it is dialed next", "nothing is needed")


class Why:
    """``admission`` is the dialer's; ``route`` raises :class:`Refused` where a call would not be dialed."""

    def __init__(
        self, store: Store, clock: Clock, admission: Callable[[], Admission], route: Callable[[Call, Account], object]
    ) -> None:
        self._store = store
        self._clock = clock
        self._admission = admission
        self._route = route

    async def why_call(self, call_id: CallId) -> Hold | None:
        """None where there is no such call."""
        call = await self._store.call(call_id)
        if call is None:
            return None
        if (done := ended(call)) is not None:
            return done
        if call.state in LIVE:
            return await self._live(call)
        return await self._waiting(call)

    async def _live(self, call: Call) -> Hold:
        attempts = await self._store.attempts(call.id)
        attempt = attempts[-1][0]
        word = {AttemptState.RINGING: "it rings", AttemptState.ANSWERED: "it is in a call"}
        told = f"{word.get(attempt.state, 'it is being dialed')}: attempt {attempt.number} over trunk {attempt.trunk}"
        reason = Reason.IN_CALL if attempt.state is AttemptState.ANSWERED else Reason.DIALING
        return Hold(reason, told, "its end")

    async def _waiting(self, call: Call) -> Hold:
        campaign = await self._store.campaign(call.campaign_id)
        assert campaign is not None  # the schema's foreign key
        if (hold := held_call(call, campaign.state, self._clock.now())) is not None:
            return hold
        if (hold := suspended(await self._store.held(), call.account_id)) is not None:
            return hold
        admission = self._admission()
        if call.trunk not in admission.trunks:
            return _no_trunk(call.trunk)
        try:
            self._route(call, await self._account(call.account_id))
        except Refused as error:
            text = f"{call.dialed} may not be dialed: {error}"
            return Hold(Reason.NO_ROUTE, text, "change the routes or lists, or cancel the call")
        caps = await self._store.capped([call.account_id], self._clock.now())
        hold = _worst(admission.trunks[call.trunk].hold, caps.get(call.account_id))
        if hold.reason not in _MOVING:
            return hold
        ahead = await self._store.ahead_of(call, COUNTED)
        if ahead == 0:
            return hold
        many = f"{ahead}" if ahead < COUNTED else f"at least {COUNTED}"
        return Hold(Reason.TURN, f"{many} calls of its campaign are due before it on trunk {call.trunk}", hold.change)

    async def _account(self, ident: AccountId) -> Account:
        return next(one for one in await self._store.accounts() if one.id == ident)

    async def why_campaign(self, campaign_id: CampaignId) -> Hold | None:
        """None where there is no such campaign."""
        campaign = await self._store.campaign(campaign_id)
        if campaign is None:
            return None
        live = sum(campaign.counts[state] for state in LIVE)
        waiting = sum(campaign.counts[state] for state in WAITING)
        if (hold := held_campaign(campaign.state)) is not None:
            return replace(hold, text=f"{hold.text}; {live} calls are live") if live else hold
        if waiting == 0 and live == 0:
            return Hold(Reason.FINISHED, "all its calls have ended", "nothing: queue numbers anew")
        told = f"{live} calls are live, {waiting} wait"
        if (hold := suspended(await self._store.held(), campaign.account_id)) is not None:
            return replace(hold, text=f"{hold.text}; {told}")
        dialing = Hold(Reason.DIALING, f"it is being dialed: {told}", "nothing is needed")
        hold = await self._held(backlogs) if (backlogs := await self._store.backlogs(campaign_id)) else dialing
        if hold.reason in _MOVING:
            return dialing if live else hold
        if hold.reason is Reason.SCHEDULED and campaign.counts[CallState.PENDING] == 0:
            hold = replace(hold, reason=Reason.RETRY_GAP, text="all that wait are retries, and none is due yet")
        return replace(hold, text=f"{hold.text}; {told}")

    async def why_account(self, account: AccountId) -> Hold:
        """What holds all of an account's calls, in words that tell it nothing of other accounts and the gateway."""
        return for_account(await self._why_all(account))

    async def why_all(self) -> Hold:
        return await self._why_all(None)

    async def _why_all(self, account: AccountId | None) -> Hold:
        admission = self._admission()
        backlogs = [one for one in await self._store.backlogs(None) if account in (None, one.account_id)]
        if admission.hold is not None:
            return admission.hold
        if (hold := suspended(await self._store.held(), account)) is not None:
            return hold
        if not backlogs:
            return Hold(
                Reason.NOTHING_WAITING, "no call of an active campaign waits", "queue calls, or resume a campaign"
            )
        return await self._held(backlogs)

    async def _held(self, backlogs: Iterable[Backlog]) -> Hold:
        """What holds all of ``backlogs``, which are of active campaigns."""
        now, admission = self._clock.now(), self._admission()
        due = {(one.trunk, one.account_id) for one in backlogs if one.due_at <= now}
        if not due:
            first = min(one.due_at for one in backlogs)
            return Hold(Reason.SCHEDULED, "no call is due yet", "the time: the first falls due then", first)
        if admission.hold is not None:
            return admission.hold
        gates, caps = admission.trunks, await self._store.capped({account for _, account in due}, now)
        holds = [
            _worst(gates[trunk].hold if trunk in gates else _no_trunk(trunk), caps.get(account))
            for trunk, account in sorted(due)
        ]
        return min(holds, key=_rank)


def for_account(hold: Hold) -> Hold:
    """A hold in words that tell an account nothing of the gateway's own numbers, trunks and faults."""
    if hold.reason not in _OPERATORS:
        return hold
    turn = "its calls take their turn at the gateway's pace"
    text = turn if hold.reason in _MOVING else "the gateway dials nothing for this account now"
    change = "nothing that this account can do; the gateway's operator sees the reason"
    return Hold(hold.reason, text, change, hold.until)


def _rank(hold: Hold) -> int:
    """What holds the whole gateway stands beyond all of these."""
    return _LEAST_FIRST.index(hold.reason) if hold.reason in _LEAST_FIRST else len(_LEAST_FIRST)


def _worst(*holds: Hold | None) -> Hold:
    """What is in the way for longest."""
    return max((hold or _TURN for hold in holds), key=_rank)


def _no_trunk(trunk: str) -> Hold:
    text = f"its trunk {trunk} is not in the configuration, and no route leads to another"
    return Hold(Reason.NO_TRUNK, text, f"bring [[trunk]] {trunk} back, add a [[route]], or cancel the calls")
