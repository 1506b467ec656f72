"""What a campaign would do, told before it does it; and nothing is queued by asking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.admission import Reason, admit
from gateway.core.model import Account, AccountSettings, CalleeType, CampaignId, CampaignState, Millis
from gateway.core.numbers import parse_destination
from gateway.core.pacing import Limit, Pacer
from gateway.core.plum import QUEUECALLS, Submission, read_submission
from gateway.core.retry import RetryPolicy
from gateway.core.routes import NumberPolicy, Route, Router, Trunk
from gateway.core.trunkhealth import FAULTS_TO_SUSPEND, TrunkHealth
from gateway.ports import Lane
from gateway.services.intake import Desk, DeskSettings
from gateway.services.preflight import Preflights
from tests.adapters.test_store import NOW, call, ended, plan
from tests.services.test_rescuer import Clock

LIST = "16175550100\n16175550101\n617555\n16175550100\n911\n+442079460000\n+493012345678\n16175550102\n"


@dataclass
class House:
    store: SqliteStore
    account: Account
    preflights: Preflights
    health: dict[str, TrunkHealth]
    path: Path

    def submission(self, **fields: str) -> Submission:
        values = {
            "login": "u",
            "pin": "p",
            "phone_list": "-",
            "campaign_name": "c",
            "start_url": "http://a/s",
            **fields,
        }
        return read_submission(QUEUECALLS, list(values.items()))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    account = await store.add_account("u", "h", AccountSettings("UTC", "US", blocked_prefixes=("+49",)))
    trunks = {"us": Trunk("us", "PJSIP/{number}@us"), "uk": Trunk("uk", "PJSIP/{number}@uk")}
    router = Router(trunks, [Route("+1", "us"), Route("+44", "uk")])
    pacer = Pacer.of(Limit(10, 100), {"us": Limit(2, 100), "uk": Limit(1, 100)})
    health = {name: TrunkHealth() for name in trunks}
    clock = Clock(NOW)

    async def reachable(url: str, account: int) -> str | None:
        return "is not reachable" if "gone" in url else None

    def route(one: object, owner: Account) -> object:
        policy = NumberPolicy(blocked=owner.settings.blocked_prefixes)
        found = parse_destination(one.dialed, "US")  # type: ignore[attr-defined]
        return router.resolve(found.kind, found.dialed, policy, "US")

    desk = Desk(store, clock, router, reachable, lambda: None, DeskSettings())
    preflights = Preflights(store, clock, desk, pacer, lambda: admit(clock.now(), None, pacer, {}, health), route)
    path = tmp_path / "list"
    path.write_text(LIST)
    yield House(store, account, preflights, health, path)
    await store.close()


async def test_a_list_before_it_is_loaded(house: House) -> None:
    asked = house.submission(scheduled_timestamp=str(NOW // 1000 + 60), expiration_timestamp=str(NOW // 1000 + 61))
    told = await house.preflights.of_list(house.account, asked, house.path)
    assert told.dialable == 4
    assert told.problems == ()
    assert {one.reason.partition(":")[2] or one.reason for one in told.blocked} >= {"is a duplicate of line 1"}
    assert sum(one.calls for one in told.blocked) == 4
    assert told.forecast is not None
    assert {one.trunk: (one.calls, one.rate) for one in told.forecast.trunks} == {"us": (3, 2), "uk": (1, 1)}
    assert told.forecast.starts_at == NOW + 60_000
    assert told.forecast.finishes_at == NOW + 61_500
    assert told.forecast.expiring > 0
    assert (told.call_seconds, told.call_seconds_measured) == (45, False)
    assert await house.store.campaigns(None) == []


async def test_what_would_refuse_the_whole_list_is_told(house: House) -> None:
    opened = await house.store.open_campaign(house.account.id, "c", plan(), NOW)
    await house.store.publish_campaign(opened, 0)
    told = await house.preflights.of_list(house.account, house.submission(start_url="http://gone/s"), house.path)
    assert [problem.partition(" ")[0] for problem in told.problems] == ["campaign_name", "start_url"]


async def test_a_loaded_campaign_beside_another(house: House) -> None:
    for name, count in (("mine", 20), ("other", 5)):
        opened = await house.store.open_campaign(house.account.id, name, plan(), NOW)
        await house.store.load_calls(opened, [call(n, "us") for n in range(count)], NOW)
        if name == "mine":
            mine = opened
            await house.store.load_calls(opened, [call(0, "gone")], NOW)
        await house.store.publish_campaign(opened, 0)
    (claimed,) = await house.store.claim([Lane("us", 1)], NOW, 1)
    await house.store.close_attempt(ended(claimed, CalleeType.VOICE, at=20_000))
    told = await house.preflights.of_campaign(mine)
    assert told is not None and told.forecast is not None
    assert told.dialable == 20
    assert [(one.reason, one.calls) for one in told.blocked] == [("its trunk is not in the configuration", 1)]
    (us,) = told.forecast.trunks
    assert (us.calls, us.others) == (20, 5)
    assert (told.call_seconds, told.call_seconds_measured) == (20.0, True)
    assert told.forecast.finishes_at - told.forecast.starts_at == 12_500
    await house.store.set_campaign_state(mine, CampaignState.PAUSED)
    told = await house.preflights.of_campaign(mine)
    assert told is not None and told.hold is not None and told.hold.reason is Reason.PAUSED
    assert await house.preflights.of_campaign(CampaignId(99)) is None


async def test_lists_that_came_to_block_numbers_and_a_trunk_that_rests(house: House) -> None:
    opened = await house.store.open_campaign(house.account.id, "c", plan(), NOW)
    german = call(0, "us")._replace(dialed="+493012345678")
    await house.store.load_calls(opened, [*(call(n, "us") for n in range(3)), german], NOW)
    await house.store.publish_campaign(opened, 0)
    for _ in range(FAULTS_TO_SUSPEND):
        house.health["us"].fault(NOW, "503")
    told = await house.preflights.of_campaign(opened)
    assert told is not None and told.forecast is not None
    assert [(one.example, one.calls) for one in told.blocked] == [("+493012345678", 1)]
    assert "blocked list" in told.blocked[0].reason
    assert told.forecast.starts_at == Millis(NOW + 60_000)
