"""Whether a call may start now and, where not, what holds it: the dialer claims by this, and ``why`` tells of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.model import AccountId, Call, CallState, CampaignState, Millis
from gateway.core.pacing import Pace, Pacer
from gateway.core.states import ENDED
from gateway.core.trunkhealth import TrunkHealth


class Reason(StrEnum):
    """What holds a call, a campaign or all dialing."""

    LOADING = "loading"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SCHEDULED = "scheduled"
    RETRY_GAP = "retry_gap"
    FAULT_BACKOFF = "fault_backoff"
    NO_ROUTE = "no_route"
    NO_TRUNK = "no_trunk"
    STOPPING = "stopping"
    NO_AMI = "no_ami"
    ASTERISK_SILENT = "asterisk_silent"
    RECONCILING = "reconciling"
    TRUNK_RESTING = "trunk_resting"
    TRUNK_FULL = "trunk_full"
    TRUNK_PACE = "trunk_pace"
    ACCOUNT_SPENT = "account_spent"
    ACCOUNT_DAILY = "account_daily"
    ACCOUNT_FULL = "account_full"
    ACCOUNT_PACE = "account_pace"
    GATEWAY_SPENT = "gateway_spent"
    GATEWAY_FULL = "gateway_full"
    GATEWAY_PACE = "gateway_pace"
    # What is no obstacle:
    TURN = "turn"
    DIALING = "dialing"
    IN_CALL = "in_call"
    FINISHED = "finished"
    NOTHING_WAITING = "nothing_waiting"


@dataclass(frozen=True, slots=True)
class Hold:
    """``text`` tells people what is so, ``change`` what would change it, ``until`` when it ends by itself."""

    reason: Reason
    text: str
    change: str
    until: Millis | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One trunk now: ``slots`` calls may start; where it is 0, ``hold`` says why."""

    slots: int
    hold: Hold | None

    def opens(self, now: Millis) -> Millis | None:
        """From when on it takes a call; None where that is not a matter of time."""
        return now if self.hold is None else self.hold.until


@dataclass(frozen=True, slots=True)
class Admission:
    """What may start now: ``total`` calls in all, and by trunk. ``hold`` keeps the whole gateway from dialing."""

    hold: Hold | None
    total: int
    trunks: Mapping[str, Gate]


def admit(
    now: Millis, hold: Hold | None, pacer: Pacer, live: Mapping[str, int], health: Mapping[str, TrunkHealth]
) -> Admission:
    """``live`` counts the open attempts of each trunk; ``hold`` is what the dialer knows to be in the way of all."""
    total, free = pacer.slots(now, live)
    overall = _full_or_paced(pacer.overall, sum(live.values()), now, "")
    gates: dict[str, Gate] = {}
    for name, pace in pacer.trunks.items():
        allowed = health[name].may_dial(now)
        slots = free.get(name, 0) if allowed is None else min(free.get(name, 0), allowed)
        if hold is not None:
            gates[name] = Gate(0, hold)
        elif slots > 0:
            gates[name] = Gate(slots, None)
        elif allowed == 0:
            gates[name] = Gate(0, _resting(name, health[name]))
        else:
            gates[name] = Gate(0, overall or _full_or_paced(pace, live.get(name, 0), now, name))
    return Admission(hold, 0 if hold is not None else total, gates)


def _full_or_paced(pace: Pace, live: int, now: Millis, trunk: str) -> Hold | None:
    who, setting = (f"trunk {trunk}", f"of [[trunk]] {trunk}") if trunk else ("the gateway", "of [dial]")
    limit = pace.limit
    if live >= limit.max_calls:
        return Hold(
            Reason.TRUNK_FULL if trunk else Reason.GATEWAY_FULL,
            f"{who} has {live} of {limit.max_calls} calls up",
            f"the end of a call makes room; max_calls {setting} is the limit",
        )
    if pace.free(live) == 0:
        return Hold(
            Reason.TRUNK_PACE if trunk else Reason.GATEWAY_PACE,
            f"{who} starts {limit.cps:g} calls a second",
            f"its turn comes at that pace; cps {setting} is the limit",
            Millis(math.ceil(now + pace.wait_ms())),
        )
    return None


def _resting(trunk: str, health: TrunkHealth) -> Hold:
    probed = "one call probes it now" if health.probing else "then one call probes it"
    return Hold(
        Reason.TRUNK_RESTING,
        f"trunk {trunk} rests after {health.faults} faults in a row, the last: {health.last_fault or 'unknown'}",
        f"{probed}; `voxgate doctor` looks for what is wrong with it",
        None if health.probing else health.suspended_until,
    )


def suspended(held: Collection[AccountId | None], account: AccountId | None) -> Hold | None:
    """What the switch for all dialing holds, or an account's own. None among ``held`` stands for everybody."""
    if None in held:
        return Hold(Reason.SUSPENDED, "all dialing is suspended by an operator", "an operator resumes it")
    if account is not None and account in held:
        return Hold(Reason.SUSPENDED, "dialing is suspended for this account", "resume it")
    return None


def held_campaign(state: CampaignState) -> Hold | None:
    """What the state of a campaign keeps its calls from."""
    match state:
        case CampaignState.LOADING:
            return Hold(Reason.LOADING, "its list is still being loaded", "it is dialed once the whole list is in")
        case CampaignState.PAUSED:
            return Hold(Reason.PAUSED, "the campaign is paused", "resume it")
        case CampaignState.CANCELLED:
            return Hold(Reason.CANCELLED, "the campaign was cancelled", "nothing: queue its numbers anew")
        case CampaignState.ACTIVE:
            return None


def held_call(call: Call, campaign: CampaignState, now: Millis) -> Hold | None:
    """What holds a waiting call whatever the trunks do; None where it is due. The claim takes no other call."""
    if (hold := held_campaign(campaign)) is not None:
        return hold
    if call.plan.expires_at is not None and call.plan.expires_at <= now:
        return Hold(Reason.EXPIRED, "its expiration has come", "nothing: it fails within a second or two")
    if call.due_at is None or call.due_at <= now:
        return None
    if call.state is CallState.PENDING:
        return Hold(Reason.SCHEDULED, "its scheduled time has not come", "the time", call.due_at)
    if call.fault_count > 0:
        return Hold(
            Reason.FAULT_BACKOFF,
            f"attempt failed on our side ({call.reason or 'trunk fault'}); it waits longer after each such fault",
            "the time; better, mend the fault",
            call.due_at,
        )
    gap = f"it waits out its retry interval of {call.plan.retry_interval} s after {call.reason or 'a failed attempt'}"
    return Hold(Reason.RETRY_GAP, gap, "the time", call.due_at)


def ended(call: Call) -> Hold | None:
    """What is to be said of a call that owes no attempt any more."""
    if call.state not in ENDED:
        return None
    if call.state is CallState.CANCELLED:
        return Hold(Reason.CANCELLED, "it was cancelled", "nothing: queue the number anew")
    expired = call.reason == "expired"
    return Hold(
        Reason.EXPIRED if expired else Reason.FINISHED,
        f"it {call.state}: {call.reason or call.callee_type}",
        "nothing: queue the number anew",
    )
