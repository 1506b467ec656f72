"""Why nothing is dialed: each reason provoked, and the claim's SQL held against the rule that tells of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.core.admission import Admission, Hold, Reason, admit, held_call
from gateway.core.lists import CallQuery
from gateway.core.model import (
    Account,
    AccountSettings,
    AttemptEnd,
    CalleeType,
    CallId,
    CampaignId,
    CampaignState,
    Claimed,
    EndKind,
    Millis,
)  # fmt: skip
from gateway.core.pacing import Limit, Pacer
from gateway.core.retry import RetryPolicy
from gateway.core.routes import Refused
from gateway.core.trunkhealth import FAULTS_TO_SUSPEND, TrunkHealth
from gateway.ports import Lane
from gateway.services.why import Why
from tests.adapters.test_store import NOW, call, plan
from tests.services.test_rescuer import Clock


@dataclass
class House:
    """A store and the dialer's rules over it, without the dialer's loop."""

    store: SqliteStore
    account: Account
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    pacer: Pacer = field(default_factory=lambda: Pacer.of(Limit(100, 3), {"t": Limit(2, 2), "u": Limit(2, 2)}))
    health: dict[str, TrunkHealth] = field(default_factory=lambda: {"t": TrunkHealth(), "u": TrunkHealth()})
    live: dict[str, int] = field(default_factory=dict)
    hold: Hold | None = None
    refused: str = ""

    def admission(self) -> Admission:
        return admit(self.clock.now(), self.hold, self.pacer, self.live, self.health)

    def route(self, call: object, account: Account) -> None:
        if self.refused:
            raise Refused(self.refused)

    @property
    def why(self) -> Why:
        return Why(self.store, self.clock, self.admission, self.route)

    async def queue(self, count: int = 1, trunk: str = "t", **changes: object) -> list[CallId]:
        asked = plan(**changes)
        return [await self.store.queue_call(self.account.id, call(n, trunk), asked, NOW) for n in range(count)]

    async def claim(self, slots: int = 1, trunk: str = "t") -> list[Claimed]:
        return await self.store.claim([Lane(trunk, slots)], self.clock.now(), slots)

    async def end(self, claimed: Claimed, kind: EndKind = EndKind.NOT_REACHED, reason: str = "busy") -> None:
        now = self.clock.now()
        await self.store.close_attempt(AttemptEnd(claimed.attempt.id, kind, CalleeType.BUSY, now, reason=reason))

    async def reason(self, call_id: CallId) -> Reason:
        hold = await self.why.why_call(call_id)
        assert hold is not None
        assert hold.text and hold.change
        return hold.reason


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    yield House(store, await store.add_account("u", "h", AccountSettings("UTC", "US")))
    await store.close()


async def test_a_call_that_nothing_holds_is_next(house: House) -> None:
    first, second = await house.queue(2)
    assert await house.reason(first) is Reason.TURN
    hold = await house.why.why_call(second)
    assert hold is not None and hold.reason is Reason.TURN and hold.text.startswith("1 calls")
    assert await house.why.why_call(CallId(99)) is None


async def test_times_that_have_not_come(house: House) -> None:
    (later,) = await house.queue(scheduled_at=NOW + 5000)
    hold = await house.why.why_call(later)
    assert hold is not None and (hold.reason, hold.until) == (Reason.SCHEDULED, NOW + 5000)
    house.clock.at = Millis(NOW + 5000)
    assert await house.reason(later) is Reason.TURN
    (claimed,) = await house.claim()
    assert await house.reason(later) is Reason.DIALING
    await house.store.mark_answered(claimed.attempt.id, house.clock.now())
    assert await house.reason(later) is Reason.IN_CALL
    await house.end(claimed)
    hold = await house.why.why_call(later)
    assert hold is not None and (hold.reason, hold.until) == (Reason.RETRY_GAP, NOW + 65_000)
    house.clock.at = Millis(NOW + 65_000)
    await house.end((await house.claim())[0])
    assert await house.reason(later) is Reason.FINISHED


async def test_a_fault_of_ours_is_told_apart_from_a_retry(house: House) -> None:
    (ident,) = await house.queue()
    await house.end((await house.claim())[0], EndKind.TRUNK_FAULT, "Asterisk: no such endpoint")
    hold = await house.why.why_call(ident)
    assert hold is not None and hold.reason is Reason.FAULT_BACKOFF and "no such endpoint" in hold.text


async def test_expired_and_cancelled(house: House) -> None:
    expiring, cancelled = await house.queue(2, expires_at=NOW + 1000)
    await house.store.cancel_call(None, cancelled)
    assert await house.reason(cancelled) is Reason.CANCELLED
    house.clock.at = Millis(NOW + 1000)
    assert await house.reason(expiring) is Reason.EXPIRED
    await house.store.expire(house.clock.now(), 10)
    assert await house.reason(expiring) is Reason.EXPIRED


@pytest.mark.parametrize(
    ("provoke", "reason"),
    [
        (lambda house: setattr(house, "hold", Hold(Reason.NO_AMI, "no link", "a link")), Reason.NO_AMI),
        (lambda house: house.live.update(t=2), Reason.TRUNK_FULL),
        (lambda house: house.live.update(t=1, u=2), Reason.GATEWAY_FULL),
        (lambda house: house.pacer.started("t"), Reason.TRUNK_PACE),
        (lambda house: [house.pacer.started("none") for _ in range(5)], Reason.GATEWAY_PACE),
        (lambda house: [house.health["t"].fault(NOW, "503") for _ in range(FAULTS_TO_SUSPEND)], Reason.TRUNK_RESTING),
        (lambda house: setattr(house, "refused", "it is an emergency number"), Reason.NO_ROUTE),
        (lambda house: house.pacer.trunks.pop("t"), Reason.NO_TRUNK),
    ],
)  # fmt: skip
async def test_what_holds_a_due_call(house: House, provoke: Callable[[House], object], reason: Reason) -> None:
    (ident,) = await house.queue()
    house.admission()  # fills the buckets
    provoke(house)
    assert await house.reason(ident) is reason
    if reason is not Reason.NO_ROUTE:  # which is found out call by call
        assert (await house.why.why_all()).reason is reason


async def test_suspended_dialing_is_told_of_everywhere(house: House) -> None:
    (waiting,) = await house.queue()
    account = house.account.id
    await house.store.hold(account)
    assert await house.reason(waiting) is Reason.SUSPENDED
    (campaign,) = await house.store.campaigns(account)
    hold = await house.why.why_campaign(campaign.id)
    assert hold is not None and hold.reason is Reason.SUSPENDED
    assert (await house.why.why_all()).reason is Reason.NOTHING_WAITING  # of the accounts that may dial
    await house.store.release(account)
    await house.store.hold(None)
    assert await house.reason(waiting) is Reason.SUSPENDED
    assert (await house.why.why_all()).reason is Reason.SUSPENDED
    assert await house.claim() == []
    await house.store.release(None)
    assert await house.reason(waiting) is Reason.TURN


async def test_a_trunk_that_rests_tells_when_it_is_probed(house: House) -> None:
    (ident,) = await house.queue()
    for _ in range(FAULTS_TO_SUSPEND):
        house.health["t"].fault(NOW, "the carrier answers 503")
    hold = await house.why.why_call(ident)
    assert hold is not None and hold.until == NOW + 60_000 and "503" in hold.text


async def test_campaigns(house: House) -> None:
    opened = await house.store.open_campaign(house.account.id, "c", plan(), NOW)
    await house.store.load_calls(opened, [call(n, trunk) for n, trunk in enumerate("tu")], NOW)

    async def reason() -> Reason:
        hold = await house.why.why_campaign(opened)
        assert hold is not None
        return hold.reason

    assert await reason() is Reason.LOADING
    assert (await house.why.why_all()).reason is Reason.NOTHING_WAITING
    await house.store.publish_campaign(opened, 0)
    assert await reason() is Reason.TURN
    await house.store.set_campaign_state(opened, CampaignState.PAUSED)
    assert await reason() is Reason.PAUSED
    await house.store.set_campaign_state(opened, CampaignState.ACTIVE)
    for _ in range(FAULTS_TO_SUSPEND):
        house.health["t"].fault(NOW, "503")
    assert await reason() is Reason.TURN  # the other trunk dials it
    house.live["u"] = 2
    assert await reason() is Reason.TRUNK_FULL  # which ends sooner than the rest of the other
    claimed = [*await house.claim(1, "t"), *await house.claim(1, "u")]
    assert await reason() is Reason.DIALING
    for one in claimed:
        await house.end(one)
    assert await reason() is Reason.RETRY_GAP
    house.clock.at = Millis(NOW + 60_000)
    for trunk in "tu":
        await house.end((await house.claim(1, trunk))[0])
    assert await reason() is Reason.FINISHED
    await house.store.set_campaign_state(opened, CampaignState.CANCELLED)
    assert await reason() is Reason.CANCELLED
    assert await house.why.why_campaign(CampaignId(99)) is None


async def test_the_claim_takes_exactly_the_calls_that_nothing_holds(house: House) -> None:
    """The rule in Python tells of the claim in SQL: they are one only while this holds."""
    dice = random.Random(7)
    states: dict[CampaignId, CampaignState] = {}
    for number in range(12):
        start = NOW + dice.choice((-1000, 0, 1, 60_000))
        asked = plan(scheduled_at=start, expires_at=dice.choice((None, NOW, NOW + 1, NOW - 5)), max_retries=3)
        opened = await house.store.open_campaign(house.account.id, f"c{number}", asked, NOW)
        await house.store.load_calls(opened, [call(n) for n in range(5)], NOW)
        await house.store.publish_campaign(opened, 0)
    for one in await house.claim(20):
        kind = dice.choice((EndKind.NOT_REACHED, EndKind.TRUNK_FAULT, EndKind.REACHED))
        await house.end(one, kind)
    for campaign in await house.store.campaigns(None):
        if not campaign.single:
            states[campaign.id] = dice.choice((CampaignState.ACTIVE, CampaignState.ACTIVE, CampaignState.PAUSED))
            await house.store.set_campaign_state(campaign.id, states[campaign.id])
    claimed = 0
    for later in (0, 1, 5000, 60_000, 120_000):
        house.clock.at = Millis(NOW + later)
        page = await house.store.calls(CallQuery(), None, 1000)
        expected = {
            one.id
            for one in page.calls
            if one.due_at is not None and held_call(one, states[one.campaign_id], house.clock.now()) is None
        }
        taken = await house.claim(1000)
        assert {one.call.id for one in taken} == expected
        claimed += len(taken)
        for one in taken:
            await house.end(one)
    assert claimed > 20


async def cap(house: House, **caps: float) -> None:
    house.account = replace(house.account, settings=replace(house.account.settings, **caps))
    await SqliteAccess(house.store).set_settings(house.account.id, house.account.settings)


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        ({"max_calls": 1}, Reason.ACCOUNT_FULL), ({"daily_calls": 1}, Reason.ACCOUNT_DAILY),
        ({"daily_minutes": 1}, Reason.ACCOUNT_SPENT), ({"cps": 0.1}, Reason.ACCOUNT_PACE),
    ],
)  # fmt: skip
async def test_a_cap_is_named_with_when_it_lifts(house: House, caps: dict[str, float], reason: Reason) -> None:
    await cap(house, **caps)
    first, second = await house.queue(2)
    (claimed,) = await house.claim(2)
    assert claimed.call.id == first
    hold = await house.why.why_call(second)
    assert hold is not None and hold.reason is reason
    assert (hold.until is None) is (reason is Reason.ACCOUNT_FULL)
    assert (await house.why.why_all()).reason is reason
    assert (await house.why.why_account(house.account.id)) == await house.why.why_all()
    campaign = await house.why.why_campaign(claimed.call.campaign_id)
    expected = Reason.DIALING if reason is Reason.ACCOUNT_PACE else reason
    assert campaign is not None and campaign.reason is expected


async def test_what_holds_for_longest_is_told_of_a_call_and_what_holds_least_of_the_whole(house: House) -> None:
    await cap(house, daily_calls=1)
    await house.queue(2)
    await house.claim(1)
    house.live = {"t": 2}
    assert (await house.why.why_all()).reason is Reason.ACCOUNT_DAILY  # the trunk is full only for now
    other = await house.store.add_account("b", "h", AccountSettings("UTC", "US"))
    await house.store.queue_call(other.id, call(7), plan(), NOW)
    assert (await house.why.why_all()).reason is Reason.TRUNK_FULL
    assert (await house.why.why_account(house.account.id)).reason is Reason.ACCOUNT_DAILY


@pytest.mark.parametrize("whole", ["no link to 10.1.2.3", ""])
async def test_an_account_is_told_nothing_of_the_gateways_own(house: House, whole: str) -> None:
    await house.queue(1)
    house.hold = Hold(Reason.NO_AMI, whole, "`voxgate doctor`") if whole else None
    house.health["t"].suspended_until, house.health["t"].last_fault = Millis(NOW + 9_000), "SIP 401 of carrier.example"
    hold = await house.why.why_account(house.account.id)
    assert hold.reason is (Reason.NO_AMI if whole else Reason.TRUNK_RESTING)
    assert not {"10.1.2.3", "carrier", "trunk", "doctor"} & set(f"{hold.text} {hold.change}".replace("`", " ").split())
    assert "carrier" not in hold.text + hold.change


async def test_an_account_is_told_nothing_of_another_accounts_calls(house: House) -> None:
    other = await house.store.add_account("b", "h", AccountSettings("UTC", "US"))
    await house.store.queue_call(other.id, call(7), plan(), NOW)
    assert (await house.why.why_account(house.account.id)).reason is Reason.NOTHING_WAITING
    assert (await house.why.why_all()).reason is Reason.TURN
