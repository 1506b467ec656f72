"""Caps in the claim's own transaction: nothing passes them, also not after a restart, and nothing is lost by them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from gateway.adapters.store import SqliteAccess, SqliteStore
from gateway.adapters.store.claims import Claims
from gateway.adapters.store.usage import Look
from gateway.core.admission import Reason
from gateway.core.caps import Rates, Spending, day_of, next_day
from gateway.core.model import (
    Account,
    AccountSettings,
    AttemptEnd,
    AttemptId,
    CalleeType,
    CallState,
    Claimed,
    EndKind,
    Millis,
)  # fmt: skip
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane
from tests.adapters.test_store import NOW, call, plan

ZONE = "America/New_York"
Open = Callable[..., SqliteStore]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the store again and again, as restarts do."""
    open_now: list[SqliteStore] = []

    def again(spending: Spending | None = None) -> SqliteStore:
        store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy(), spending=spending)
        open_now.append(store)
        return store

    yield again
    for store in open_now[-1:]:
        await store.close()


async def account(store: SqliteStore, login: str = "u", **caps: float) -> Account:
    return await store.add_account(login, "h", AccountSettings(ZONE, "US", **caps))  # type: ignore[arg-type]


async def queue(store: SqliteStore, owner: Account, count: int) -> None:
    for number in range(count):
        await store.queue_call(owner.id, call(number), plan(max_retries=0), NOW)


async def claim(store: SqliteStore, at: int = NOW, slots: int = 100) -> list[Claimed]:
    return await store.claim([Lane("t", slots)], Millis(at), slots)


async def end(
    store: SqliteStore, one: Claimed, at: int, kind: EndKind = EndKind.NOT_REACHED, talked: int | None = None
) -> None:
    answered = None if talked is None else Millis(at - talked * 1000)
    callee = CalleeType.BUSY if talked is None else CalleeType.VOICE
    kind = kind if talked is None else EndKind.REACHED
    await store.close_attempt(AttemptEnd(one.attempt.id, kind, callee, Millis(at), answered_at=answered))


async def reason(store: SqliteStore, owner: Account, at: int) -> Reason | None:
    hold = (await store.capped([owner.id], Millis(at))).get(owner.id)
    return None if hold is None else hold.reason


async def test_calls_at_once(opened: Open) -> None:
    store = opened()
    capped, free = await account(store, "a", max_calls=3), await account(store, "b")
    await queue(store, capped, 5), await queue(store, free, 5)
    claimed = await claim(store)
    assert len([one for one in claimed if one.account.id == capped.id]) == 3
    assert len([one for one in claimed if one.account.id == free.id]) == 5
    assert await reason(store, capped, NOW) is Reason.ACCOUNT_FULL and await reason(store, free, NOW) is None
    assert await store.next_due(NOW) is None  # only the end of a call makes room
    await end(store, claimed[0], NOW + 1000)
    assert await store.next_due(Millis(NOW + 1000)) == NOW
    assert len(await claim(store, NOW + 1000)) == 1


async def test_claims_that_race_take_no_more_than_the_caps_together(opened: Open) -> None:
    store = opened()
    owner = await account(store, max_calls=7, daily_calls=9)
    await queue(store, owner, 40)
    found = [one for part in await asyncio.gather(*(claim(store, slots=5) for _ in range(12))) for one in part]
    assert len(found) == 7
    for one in found:
        await end(store, one, NOW + 1000)
    found = [one for part in await asyncio.gather(*(claim(store, slots=5) for _ in range(12))) for one in part]
    assert len(found) == 2


async def test_accounts_that_are_capped_cost_a_claim_one_look_each(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many of them would else hold up everybody's calls: the work grew with their square."""
    store, many = opened(), 60
    for number in range(many):
        one = await account(store, f"u{number}", max_calls=1)
        for name in "ab":
            campaign = await store.open_campaign(one.id, name, plan(), NOW)
            await store.load_calls(campaign, [call(1), call(2)], NOW)
            await store.publish_campaign(campaign, 0)
    assert len(await claim(store)) == many
    ordered, looked = Mock(side_effect=Claims._order, autospec=True), Mock(side_effect=Look._held, autospec=True)
    monkeypatch.setattr(Claims, "_order", lambda *one: ordered(*one))
    monkeypatch.setattr(Look, "_held", lambda *one: looked(*one))
    assert await claim(store) == []
    assert looked.call_count == many and ordered.call_count <= 4 * many


async def test_a_days_calls_count_in_the_accounts_zone_and_over_restarts(opened: Open) -> None:
    store = opened()
    owner = await account(store, daily_calls=3)
    await queue(store, owner, 10)
    for _ in range(2):
        (one,) = await claim(store, slots=1)
        await end(store, one, NOW + 1000)
        await store.close()
        store = opened()
    assert len(await claim(store)) == 1
    assert await reason(store, owner, NOW) is Reason.ACCOUNT_DAILY
    midnight = next_day(NOW, ZONE)
    assert midnight != next_day(NOW, "UTC")
    assert await store.next_due(NOW) == midnight
    assert await claim(store, midnight - 1) == []
    assert len(await claim(store, midnight)) == 3
    assert (await store.used(owner.id, midnight)).attempts == 3


async def test_a_fault_of_ours_uses_up_none_of_the_day(opened: Open) -> None:
    store = opened()
    owner = await account(store, daily_calls=1)
    await queue(store, owner, 2)
    (first,) = await claim(store)
    midnight = next_day(NOW, ZONE)
    await end(store, first, midnight + 1000, EndKind.TRUNK_FAULT)  # told on the next day
    assert (await store.used(owner.id, NOW)).attempts == 0
    (again,) = await claim(store, NOW)
    await end(store, again, NOW + 1000)
    assert await claim(store, NOW + 1000) == []


async def test_the_pace_of_an_account_is_kept_and_tells_when_to_look_again(opened: Open) -> None:
    store = opened()
    owner = await account(store, cps=2)
    await queue(store, owner, 30)
    found, at = 0, int(NOW)
    while at < NOW + 5_000:
        found += len(await claim(store, at))
        due = await store.next_due(Millis(at))
        assert due is not None
        assert await reason(store, owner, at) is (Reason.ACCOUNT_PACE if due > at else None)
        assert due <= at + 500
        at = max(due, at + 10)
    assert 10 <= found <= 11


async def test_minutes_count_as_calls_end_and_live_ones_a_minute_at_least(opened: Open) -> None:
    store = opened()
    owner, other = await account(store, daily_minutes=5), await account(store, "b")
    await queue(store, owner, 20), await queue(store, other, 1)
    first = [one for one in await claim(store) if one.account.id == owner.id]
    assert len(first) == 5  # a minute each is kept for them
    for one in first[:4]:
        await end(store, one, NOW + 10_000)  # not answered: nothing was used
    await end(store, first[4], NOW + 250_000, talked=200)
    assert (await store.used(owner.id, Millis(NOW + 250_000))).seconds == 200
    more = await claim(store, NOW + 250_000)
    assert len(more) == 2 and await reason(store, owner, NOW + 250_000) is Reason.ACCOUNT_SPENT
    await store.mark_answered(more[0].attempt.id, Millis(NOW + 250_000))
    assert (await store.used(owner.id, Millis(NOW + 400_000))).seconds == 200 + 150 + 60
    await store.close()
    store = opened()
    assert (await store.used(owner.id, Millis(NOW + 400_000))).seconds == 410  # also after a restart


async def test_cost_is_reckoned_by_prefix_with_those_who_were_transferred_to(opened: Open) -> None:
    store = opened(Spending(rates=Rates(1_000_000, {"+1617": 60_000})))
    owner = await account(store, daily_cost=4)
    await queue(store, owner, 1)
    (one,) = await claim(store)
    ended = AttemptEnd(
        one.attempt.id, EndKind.REACHED, CalleeType.VOICE, Millis(NOW + 90_000), answered_at=NOW,
        legs=(("+4930123456", 45), ("+16175550001", 30)),
    )  # fmt: skip
    await store.close_attempt(ended)
    used = await store.used(owner.id, Millis(NOW + 90_000))
    assert (used.seconds, used.cost) == (90 + 45 + 30, 90_000 + 750_000 + 30_000)
    everybody = await store.used(None, Millis(NOW + 90_000))
    assert (everybody.seconds, everybody.cost) == (used.seconds, used.cost)


async def test_who_a_live_call_is_transferred_to_costs_from_the_start(opened: Open) -> None:
    """Else every call could be transferred to the dearest number for an hour before a ceiling is seen to be reached."""
    store = opened(Spending(rates=Rates(0, {"+49": 1_000_000})))
    owner = await account(store, daily_cost=10)
    await queue(store, owner, 3)
    (one,) = await claim(store, slots=1)
    await store.mark_answered(one.attempt.id, NOW)
    await store.mark_leg(one.attempt.id, 1, "+4930123456", None, None)
    assert (await store.used(owner.id, NOW)).cost == 1_000_000  # a minute, as of every call
    await store.mark_leg(one.attempt.id, 1, "+4930123456", Millis(NOW + 1000), None)
    await store.mark_leg(one.attempt.id, 2, "+4930123457", None, 0)  # nobody answered there
    at = NOW + 601_000
    used = await store.used(owner.id, Millis(at))
    assert (used.cost, used.live, used.seconds) == (10_000_000, 1, 600 + 601)
    assert await claim(store, at) == [] and await reason(store, owner, at) is Reason.ACCOUNT_SPENT
    await store.close()
    store = opened(Spending(rates=Rates(0, {"+49": 1_000_000})))
    assert (await store.used(owner.id, Millis(at))).cost == 10_000_000
    end_of_it = AttemptEnd(one.attempt.id, EndKind.LOST_AFTER_ANSWER, CalleeType.UNKNOWN, Millis(at))  # after the crash
    await store.close_attempt(end_of_it)
    used = await store.used(owner.id, Millis(at + 60_000))
    assert (used.cost, used.live) == (10_000_000, 0)
    await store.mark_leg(one.attempt.id, 1, "+4930123456", Millis(NOW + 1000), 700)  # too late
    assert (await store.used(owner.id, Millis(at + 60_000))).cost == 10_000_000


async def test_the_gateways_ceiling_holds_everybody_until_it_is_lifted_or_the_day_ends(opened: Open) -> None:
    store = opened(Spending(daily_minutes=2))
    first, second = await account(store), await account(store, "b")
    await queue(store, first, 5), await queue(store, second, 5)
    claimed = await claim(store)
    assert len(claimed) == 2
    for one in claimed:
        await end(store, one, NOW + 100_000, talked=60)
    at = Millis(NOW + 100_000)
    assert await claim(store, at) == []
    for owner in (first, second):
        assert await reason(store, owner, at) is Reason.GATEWAY_SPENT
    assert await store.next_due(at) == next_day(at, None)
    await store.lift(None, at)
    assert len(await claim(store, at)) == 8


async def test_an_operator_lifts_a_ceiling_for_this_day_alone(opened: Open) -> None:
    store = opened()
    owner = await account(store, daily_minutes=1)
    await queue(store, owner, 30)
    (one,) = await claim(store)
    await end(store, one, NOW + 60_000, talked=60)
    assert await claim(store, NOW + 60_000) == []
    await store.lift(owner.id, Millis(NOW + 60_000))
    assert len(await claim(store, NOW + 60_000, slots=5)) == 5
    at = next_day(NOW, ZONE)
    await store.close()
    store = opened()
    assert await reason(store, owner, at) is Reason.ACCOUNT_SPENT  # five live calls keep a minute each


async def test_a_cap_that_is_changed_counts_from_the_next_claim_on(opened: Open) -> None:
    store = opened()
    owner = await account(store)
    await queue(store, owner, 9)
    assert len(await claim(store, slots=2)) == 2  # counted although nothing capped it
    await SqliteAccess(store).set_settings(owner.id, AccountSettings(ZONE, "US", daily_calls=3))
    assert len(await claim(store)) == 1


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_books_agree_with_a_count_by_hand(opened: Open, seed: int) -> None:
    """Claims, ends, faults, restarts and midnights at random: every cap holds, and `capped` says what a claim does."""
    draw = random.Random(seed)
    store = opened()
    caps = {"max_calls": draw.randint(1, 6), "daily_calls": draw.randint(5, 20), "daily_minutes": draw.randint(5, 30)}
    owner = await account(store, **caps)
    await queue(store, owner, 120)
    at, live, seconds = int(NOW), list[Claimed](), dict[str, int]()
    dialed: dict[AttemptId, str] = {}
    for _ in range(120):
        at += draw.randint(0, 1_200_000)
        today = day_of(Millis(at), ZONE)
        match draw.randrange(4):
            case 0 | 1:
                held = await reason(store, owner, at)
                found = await claim(store, at, draw.randint(1, 4))
                assert bool(found) == (held is None)
                dialed |= {one.attempt.id: today for one in found}
                live += found
            case 2 if live:
                one = live.pop(draw.randrange(len(live)))
                talked = draw.choice([None, draw.randint(0, 600)])
                if talked is None and draw.random() < 0.3:
                    await end(store, one, at, EndKind.TRUNK_FAULT)
                    del dialed[one.attempt.id]
                else:
                    await end(store, one, at, talked=talked)
                    seconds[today] = seconds.get(today, 0) + (talked or 0)
            case 3 if draw.random() < 0.2:
                await store.close()
                store = opened()
        used = await store.used(owner.id, Millis(at))
        count = sum(day == today for day in dialed.values())
        assert (used.live, used.attempts) == (len(live), count)
        assert used.seconds == seconds.get(today, 0) + 60 * len(live)
        assert used.live <= caps["max_calls"] and used.attempts <= caps["daily_calls"]
    for one in live:
        await end(store, one, at)
    counts = (await store.campaigns(owner.id))[0].counts
    assert counts[CallState.DIALING] == 0 and sum(counts.values()) == 120
