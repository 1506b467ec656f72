"""What is too old goes, in small steps, and nothing else does; counters stay right."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from gateway.adapters.media import FileMedia
from gateway.adapters.store import SqliteAccess, SqliteStore, SqliteSweeps, check
from gateway.core.access import AuditEntry
from gateway.core.lists import CallQuery
from gateway.core.model import (
    Account,
    AccountSettings,
    CalleeType,
    CallState,
    CampaignId,
    CampaignState,
    EndKind,
    Millis,
)  # fmt: skip
from gateway.core.retention import DAY_MS, Kept, Step, due
from gateway.core.retry import RetryPolicy
from gateway.ports import DeliveryTry, Lane, StoreError
from gateway.services import retention
from gateway.services.retention import Retention
from tests.adapters.test_store import NOW, call, ended, plan
from tests.fakes.audit import audit
from tests.services.test_rescuer import Clock

LATER = Millis(NOW + 40 * DAY_MS)


@dataclass
class House:
    path: Path
    store: SqliteStore
    account: Account
    media: FileMedia
    clock: Clock
    cancelled_at: Millis = NOW

    def retention(self, **days: float) -> Retention:
        kept = {Kept(kind): many for kind, many in days.items()}
        return Retention(SqliteSweeps(self.store), self.media.remove_recordings, self.clock, kept, 3, audit()[0])

    async def sweep(self, *, dry: bool = False, **days: float) -> dict[str, int]:
        found = {one.kind: one.removed async for one in self.retention(**days).sweep(dry=dry)}
        assert check(self.path).faults == ()
        return {str(kind): many for kind, many in found.items() if many}

    async def campaign(self, name: str, count: int, at: Millis = NOW, **changes: object) -> CampaignId:
        opened = await self.store.open_campaign(self.account.id, name, plan(**changes), at)
        await self.store.load_calls(opened, [call(number) for number in range(count)], at)
        await self.store.publish_campaign(opened, 0)
        return opened

    async def left(self, campaign: CampaignId | None = None) -> list[CallState]:
        return [one.state for one in (await self.store.calls(CallQuery(campaign=campaign), None, 1000)).calls]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    path = tmp_path / "q.db"
    store = SqliteStore(path, installation="abc", policy=RetryPolicy(), clock=lambda: house.cancelled_at)
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    media = FileMedia(tmp_path / "media", "")
    (tmp_path / "media").mkdir()
    house = House(path, store, account, media, Clock(LATER))
    yield house
    await store.close()


async def test_calls_that_ended_go_and_all_others_stay(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    old = await house.campaign("old", 9, max_retries=1)
    reached, owed, retried, live = await house.store.claim([Lane("t", 4)], NOW, 4)
    for one in (reached, owed):
        await house.store.close_attempt(ended(one, CalleeType.VOICE, EndKind.REACHED))
    await house.store.close_attempt(ended(retried))
    (post, _) = await house.store.due_deliveries(LATER, 9, 9)
    await house.store.record_try(DeliveryTry(post.id, NOW, True, 200, None, None))
    cancelled = (await house.store.calls(CallQuery(states=frozenset({CallState.PENDING})), None, 2)).calls
    for one in cancelled:
        await house.store.cancel_call(None, one.id)
    young = await house.campaign("young", 2, at=Millis(LATER - DAY_MS))
    await house.store.set_campaign_state(young, CampaignState.CANCELLED)

    assert await house.sweep() == {}  # 0 days keep for ever
    assert await house.sweep(calls=50) == {}
    assert await house.sweep(calls=30, dry=True) == {"calls": 3}
    assert len(await house.left()) == 11
    assert await house.sweep(calls=30) == {"calls": 3}
    assert sorted(await house.left(old)) == ["completed", "dialing", "pending", "pending", "pending", "retrying"]
    assert len(await house.left(young)) == 2
    assert await house.store.call(live.call.id) is not None
    counted = await house.store.campaign(old)
    assert counted is not None and counted.counts[CallState.CANCELLED] == 0
    assert len(await house.store.due_deliveries(LATER, 9, 9)) == 1  # the post that is owed


async def test_a_campaign_of_which_nothing_is_left_goes_and_its_name_is_free_again(house: House) -> None:
    opened = await house.campaign("spring", 3)
    await house.store.set_campaign_state(opened, CampaignState.CANCELLED)
    kept = await house.campaign("kept", 3)
    assert await house.sweep(calls=30) == {"calls": 3}
    assert await house.store.campaign(opened) is None
    assert await house.store.campaign(kept) is not None
    again = await house.campaign("spring", 1, at=LATER)
    assert again != opened


async def test_a_campaign_goes_also_while_younger_ones_have_calls(house: House) -> None:
    opened = await house.campaign("spring", 3)
    await house.store.set_campaign_state(opened, CampaignState.CANCELLED)
    await house.campaign("young", 3, at=LATER)
    assert await house.sweep(calls=30) == {"calls": 3}
    assert await house.store.campaign(opened) is None


async def test_a_call_that_waited_long_is_kept_from_its_end_on(house: House) -> None:
    opened = await house.campaign("late", 1, expires_at=Millis(LATER - DAY_MS))
    assert len(await house.store.expire(LATER, 9)) == 1
    (post,) = await house.store.due_deliveries(LATER, 9, 9)
    await house.store.record_try(DeliveryTry(post.id, LATER, True, 200, None, None))
    assert await house.sweep(calls=30) == {}
    assert await house.left(opened) == [CallState.FAILED]
    house.clock.at = Millis(LATER + 40 * DAY_MS)
    assert await house.sweep(calls=30) == {"calls": 1}


async def test_evidence_goes_before_its_call(house: House) -> None:
    opened = await house.campaign("c", 5, max_retries=0)
    for one in await house.store.claim([Lane("t", 3)], NOW, 3):
        await house.store.close_attempt(ended(one))
    assert await house.sweep(evidence=50) == {}
    assert await house.sweep(evidence=30) == {"evidence": 3}
    assert await house.sweep(evidence=30) == {}
    for one in (await house.store.calls(CallQuery(campaign=opened), None, 9)).calls:
        for _, end in await house.store.attempts(one.id):
            assert end is not None and end.evidence == {}
            assert end.callee_type is CalleeType.BUSY


async def test_evidence_goes_whatever_else_was_removed_or_still_rang_before(house: House) -> None:
    await house.campaign("first", 3, max_retries=0, result_url=None)
    ringing, *others = await house.store.claim([Lane("t", 3)], NOW, 3)
    for one in others:
        await house.store.close_attempt(ended(one))
    assert await house.sweep(evidence=30) == {"evidence": 2}
    await house.store.close_attempt(ended(ringing))
    assert await house.sweep(evidence=30) == {"evidence": 1}
    assert await house.sweep(calls=30) == {"calls": 3}
    await house.campaign("second", 1, max_retries=0)
    (last,) = await house.store.claim([Lane("t", 1)], NOW, 1)
    await house.store.close_attempt(ended(last))
    assert await house.sweep(evidence=30) == {"evidence": 1}


async def test_tries_of_posts_the_audit_log_and_receipts(house: House) -> None:
    await house.campaign("c", 2, max_retries=0)
    for one in await house.store.claim([Lane("t", 2)], NOW, 2):
        await house.store.close_attempt(ended(one))
    first, second = await house.store.due_deliveries(LATER, 9, 9)
    for at, post in ((NOW, first), (LATER, second)):
        await house.store.record_try(DeliveryTry(post.id, Millis(at), False, 500, "HTTP 500", Millis(at + 1000)))
    await house.store.write(
        lambda db, counts: db.conn.executemany(
            "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, 'a', 'b', 'c', '{}')", [(NOW,), (LATER,)]
        )
    )
    await house.store.write(
        lambda db, counts: db.conn.executemany(
            "INSERT INTO receipt VALUES (0, ?, 'f', 200, x'00', ?)", [("k1", NOW), ("k2", LATER)]
        )
    )
    assert await house.sweep(posts=30, audit=30) == {"posts": 1, "audit": 1, "receipts": 1}
    assert await house.sweep(posts=30, audit=30) == {}


#: What removes the rows of each table, or why they say nothing of those who were called.
HOLDS = {
    "account": "customers, not callees", "token": "customers, not callees", "signing": "customers, not callees",
    "hold": "accounts alone", "campaign": Kept.CALLS, "tally": Kept.CALLS, "lane": Kept.CALLS, "hourly": Kept.CALLS,
    "call": Kept.CALLS, "attempt": Kept.CALLS, "leg": Kept.CALLS, "delivery": Kept.CALLS, "delivery_try": Kept.POSTS,
    "audit": Kept.AUDIT, "receipt": Kept.RECEIPTS, "session": Kept.SESSIONS, "mark": "how far sweeps have come",
    "usage": "sums of an account's days", "_sqlite_migrations": "the schema's history", "sqlite_sequence": "the last ids",
}  # fmt: skip


async def test_each_table_goes_with_time_or_holds_nothing_of_callees(house: House) -> None:
    tables = await house.store.read(lambda db: set(db.table_names()))
    assert tables == set(HOLDS), "say what removes the new table's rows, or why they may stay"


async def test_nothing_is_left_of_a_callee_even_in_freed_pages(house: House) -> None:
    """What was removed is overwritten: SQLite would leave it in the file until the page is used again."""
    canary = {
        "destination": "6175550199", "dialed": "+16175550199", "message_reference": "canary-reference",
        "call_parameters": "canary-parameters", "reason": "canary-reason", "application_error": "canary-error",
        "evidence": "canary-evidence", "response": "canary-response", "detail": "canary-detail", "answer": "canary-answer",
        "campaign": "canary-campaign",
    }  # fmt: skip
    opened = await house.store.open_campaign(house.account.id, canary["campaign"], plan(max_retries=0), NOW)
    new = call(1)._replace(
        destination=canary["destination"], dialed=canary["dialed"],
        message_reference=canary["message_reference"], call_parameters=canary["call_parameters"],
    )  # fmt: skip
    await house.store.load_calls(opened, [new, *(call(n) for n in range(2, 200))], NOW)
    await house.store.publish_campaign(opened, 0)
    for claimed in await house.store.claim([Lane("t", 1)], NOW, 1):
        evidence = {"path": [canary["evidence"]] * 50}
        told = replace(
            ended(claimed), evidence=evidence, reason=canary["reason"], application_error=canary["application_error"]
        )
        await house.store.close_attempt(told)
        leg = (claimed.attempt.id, canary["dialed"])
        await house.store.write(
            lambda db, counts, leg=leg: db.conn.execute("INSERT INTO leg VALUES (?, 1, ?, NULL, 3)", leg)
        )
    (post,) = await house.store.due_deliveries(LATER, 9, 9)
    await house.store.record_try(DeliveryTry(post.id, NOW, True, 200, None, None, 1, canary["response"]))
    access = SqliteAccess(house.store)
    await access.audit(AuditEntry(NOW, "a", "b", "c", None, canary["detail"]))
    insert = "INSERT INTO receipt VALUES (0, 'k', 'f', 201, ?, ?)"
    await house.store.write(lambda db, counts: db.conn.execute(insert, (canary["answer"].encode(), NOW)))
    await house.store.set_campaign_state(opened, CampaignState.CANCELLED)
    assert (await house.sweep(calls=30, evidence=30, posts=30, audit=30))["calls"] == 199
    with closing(sqlite3.connect(house.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = house.path.read_bytes()
    assert [name for name, text in canary.items() if text.encode() in raw] == []


async def test_recordings_that_a_crash_left_behind(house: House, tmp_path: Path) -> None:
    for name in ("old", "young"):
        path = tmp_path / "media" / f"recording-{name}.wav"
        path.write_bytes(b"RIFF")
        at = (LATER if name == "young" else NOW) / 1000
        os.utime(path, (at, at))
    prompt = tmp_path / "media" / "abc.wav"
    prompt.write_bytes(b"RIFF")
    os.utime(prompt, (NOW / 1000, NOW / 1000))
    assert await house.sweep(recordings=1, dry=True) == {"recordings": 1}
    assert await house.sweep(recordings=1) == {"recordings": 1}
    assert sorted(path.name for path in (tmp_path / "media").iterdir()) == ["abc.wav", "recording-young.wav"]


async def test_prompts_go_when_their_days_are_over_though_nothing_is_spoken(house: House, tmp_path: Path) -> None:
    for name, days in (("old", 8), ("young", 6)):
        path = tmp_path / "media" / f"{name}.wav"
        path.write_bytes(b"RIFF")
        os.utime(path, (time.time() - days * 86_400,) * 2)
    await house.sweep(recordings=1, dry=True)
    assert len(list((tmp_path / "media").iterdir())) == 2
    await house.sweep(recordings=1)
    assert [path.name for path in (tmp_path / "media").iterdir()] == ["young.wav"]


async def test_claims_go_on_between_the_steps_and_each_is_small(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = await house.campaign("old", 500)
    await house.store.set_campaign_state(opened, CampaignState.CANCELLED)
    await house.campaign("waiting", 50, at=Millis(LATER - 1000))
    swept = house.retention(calls=30)
    steps: list[Step] = []
    claimed = 0
    real = swept._sweeps.step

    async def step(*arguments: object, **named: object) -> Step:
        nonlocal claimed
        done = await real(*arguments, **named)  # type: ignore[arg-type]
        steps.append(done)
        claimed += len(await house.store.claim([Lane("t", 1)], LATER, 1))
        return done

    monkeypatch.setattr(swept._sweeps, "step", step)
    assert sum([one.removed async for one in swept.sweep()]) == 500
    assert max(one.removed for one in steps) <= retention.BATCH
    assert claimed == len(steps) > 5


async def test_one_sweep_at_a_time(house: House) -> None:
    swept = house.retention()
    running = swept.sweep()
    await anext(running)
    with pytest.raises(StoreError, match="under way"):
        await anext(swept.sweep())
    await running.aclose()


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        ("2026-11-27 02:59", None, False),
        ("2026-11-27 03:10", None, True),
        ("2026-11-27 03:10", "2026-11-26 03:05", True),
        ("2026-11-27 03:20", "2026-11-27 03:10", False),
        ("2026-11-27 14:00", "2026-11-27 03:10", False),
        ("2026-11-27 14:00", "2026-11-26 03:10", True),  # it did not run at night
        ("2026-11-27 02:00", "2026-11-25 03:10", True),
        ("2026-11-27 02:00", "2026-11-26 14:10", False),
    ],
)
def test_when_a_sweep_is_due(now: str, last: str | None, expected: bool) -> None:
    assert due(datetime.fromisoformat(now), None if last is None else datetime.fromisoformat(last), 3) is expected


async def test_every_table_that_refers_to_calls_is_swept_with_them(house: House) -> None:
    """A new table that refers to a call, an attempt or a campaign would stop the sweep: teach it that table first."""

    def children(parent: str) -> set[str]:
        with closing(sqlite3.connect(house.path)) as db:
            tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return {one for one in tables for key in db.execute(f"PRAGMA foreign_key_list({one})") if key[2] == parent}

    assert children("call") == {"attempt", "delivery"}
    assert children("delivery") == {"delivery_try"}  # which goes with it
    assert children("attempt") == {"leg"}  # which goes with it
    assert children("campaign") == {"call", "tally", "lane", "hourly"}


async def test_the_age_of_a_cancelled_call_counts_from_its_cancellation(house: House) -> None:
    for house.cancelled_at, name in ((NOW, "then"), (Millis(LATER - DAY_MS), "yesterday")):
        opened = await house.campaign(name, 3)
        await house.store.set_campaign_state(opened, CampaignState.CANCELLED)
    single = await house.store.queue_call(house.account.id, call(7), plan(), NOW)
    await house.store.cancel_call(None, single)
    assert await house.sweep(calls=30) == {"calls": 3}
    assert await house.left(opened) == [CallState.CANCELLED] * 3
    assert await house.store.call(single) is not None
    assert await house.sweep(calls=0.5) == {"calls": 4}
