"""A ceiling that is reached is told once, to whom it concerns, and told again when it lets go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.caps import Spending, next_day
from gateway.core.model import Account, AccountId, AccountSettings, AttemptEnd, CalleeType, EndKind, Millis
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane
from gateway.services.feed import Data, EventKind
from gateway.services.spending import SpendWatch
from tests.adapters.test_store import NOW, call, plan
from tests.services.test_rescuer import Clock


@dataclass
class House:
    store: SqliteStore
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    told: list[tuple[AccountId | None, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = SpendWatch(self.store, self.clock, self.publish)

    def publish(self, kind: EventKind, account: AccountId | None, data: Data) -> None:
        assert kind is EventKind.DIALING_CHANGED
        assert (data["until"] is not None) is bool(data["suspended"])
        self.told.append((account, bool(data["suspended"])))

    async def talk(self, account: Account, seconds: int) -> None:
        await self.store.queue_call(account.id, call(), plan(max_retries=0), NOW)
        (one,) = await self.store.claim([Lane("t", 1)], self.clock.at, 1)
        end = Millis(self.clock.at + seconds * 1000)
        await self.store.close_attempt(
            AttemptEnd(one.attempt.id, EndKind.REACHED, CalleeType.VOICE, end, answered_at=self.clock.at)
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore(
        tmp_path / "q.db", installation="abc", policy=RetryPolicy(), spending=Spending(daily_minutes=10)
    )
    yield House(store)
    await store.close()


async def test_an_account_is_told_once_and_again_on_the_next_day(house: House) -> None:
    owner = await house.store.add_account("u", "h", AccountSettings("Asia/Tokyo", "US", daily_minutes=2))
    await house.watch.look()
    assert house.told == []
    await house.talk(owner, 120)
    await house.watch.look()
    await house.watch.look()
    assert house.told == [(owner.id, True)]
    house.clock.at = next_day(NOW, "Asia/Tokyo")
    await house.watch.look()
    assert house.told == [(owner.id, True), (owner.id, False)]


async def test_what_holds_everybody_is_for_operators_and_lifting_it_is_told(house: House) -> None:
    owner = await house.store.add_account("u", "h", AccountSettings("UTC", "US", daily_minutes=9))
    await house.talk(owner, 600)
    await house.watch.look()
    assert house.told == [(None, True)]
    await house.store.lift(None, NOW)
    await house.watch.look()
    assert house.told[1:] == [(owner.id, True), (None, False)]  # its own ceiling is told now
