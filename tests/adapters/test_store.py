"""The Store port's contract, run on SQLite; another adapter would run it too."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.adapters.store import DatabaseRefused, SqliteStore, StoreLocked
from gateway.core.lists import CallQuery
from gateway.core.model import (
    Account,
    AccountSettings,
    AttemptEnd,
    AttemptState,
    CalleeType,
    CallPlan,
    CallState,
    CampaignState,
    Claimed,
    EndKind,
    Millis,
    NewCall,
)  # fmt: skip
from gateway.core.retry import RetryPolicy
from gateway.core.states import CALL_TRANSITIONS
from gateway.ports import DeliveryTry, Lane, NameTaken, StoreError

NOW = Millis(1_800_000_000_000)
POLICY = RetryPolicy()


def plan(**changes: object) -> CallPlan:
    values: dict[str, object] = {
        "start_url": "http://a/s", "result_url": "http://a/r", "message_reference": "m", "call_parameters": None,
        "max_retries": 1, "retry_interval": 60, "scheduled_at": NOW, "expires_at": None, **changes,
    }  # fmt: skip
    return CallPlan(**values)  # type: ignore[arg-type]


def call(number: int = 0, trunk: str = "t", **changes: str) -> NewCall:
    return NewCall(f"1617555{number:04d}", f"+1617555{number:04d}", trunk, **changes)


def ended(
    claimed: Claimed, callee: CalleeType = CalleeType.BUSY, kind: EndKind = EndKind.NOT_REACHED, at: int = 5000
) -> AttemptEnd:
    return AttemptEnd(claimed.attempt.id, kind, callee, Millis(NOW + at), evidence={"a": "b"})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "q.db", installation="abc", policy=POLICY)
    yield opened
    await opened.close()


@pytest.fixture
async def account(store: SqliteStore) -> Account:
    return await store.add_account("user", "hash", AccountSettings("UTC", "US"))


async def campaign(
    store: SqliteStore, account: Account, name: str, count: int, trunk: str = "t", **changes: object
) -> int:
    opened = await store.open_campaign(account.id, name, plan(**changes), NOW)
    await store.load_calls(opened, [call(number, trunk) for number in range(count)], NOW)
    await store.publish_campaign(opened, 0)
    return opened


async def claim(store: SqliteStore, slots: int = 1, trunk: str = "t", at: int = 0) -> list[Claimed]:
    return await store.claim([Lane(trunk, slots)], Millis(NOW + at), slots)


async def test_a_call_lives_through_a_retry_to_its_post(store: SqliteStore, account: Account) -> None:
    call_id = await store.queue_call(account.id, call(ani="1"), plan(), NOW)
    first = (await claim(store))[0]
    assert first.call.id == call_id
    assert first.attempt.id.startswith("vg-abc-")
    assert await claim(store) == []
    await store.mark_ringing(first.attempt.id, Millis(NOW + 1))
    retried = await store.close_attempt(ended(first))
    assert (retried.state, retried.attempts, retried.due_at) == (CallState.RETRYING, 1, NOW + 65_000)
    assert await claim(store, at=64_999) == []
    second = (await claim(store, at=65_000))[0]
    await store.mark_answered(second.attempt.id, Millis(NOW + 70_000))
    found = await store.call(call_id)
    assert found is not None
    assert found.state is CallState.IN_CALL
    done = await store.close_attempt(ended(second, CalleeType.VOICE, EndKind.REACHED, 82_400))
    assert (done.state, done.attempts, done.duration) == (CallState.COMPLETED, 2, 12)
    owed = await store.due_deliveries(Millis(NOW + 90_000), 10, 10)
    assert [dict(one.form) for one in owed] == [{
        "phone_number": "16175550000", "message_reference": "m", "call_id": str(call_id), "result": "completed",
        "callee_type": "voice", "attempts": "2", "last_attempt_timestamp": str((NOW + 65_000) // 1000), "duration": "12",
    }]  # fmt: skip
    assert await store.close_attempt(ended(second)) == done  # a second closing changes nothing
    await store.record_try(DeliveryTry(owed[0].id, NOW, False, 500, "HTTP 500", Millis(NOW + 100_000)))
    again = await store.due_deliveries(Millis(NOW + 100_000), 10, 10)
    assert (again[0].id, again[0].tries) == (owed[0].id, 1)
    await store.record_try(DeliveryTry(owed[0].id, NOW, True, 200, None, None))
    assert await store.next_delivery() is None


@pytest.mark.parametrize(
    ("kind", "state", "attempts"),
    [
        (EndKind.TRUNK_FAULT, CallState.RETRYING, 0),
        (EndKind.LOST_BEFORE_ANSWER, CallState.RETRYING, 1),
        (EndKind.LOST_AFTER_ANSWER, CallState.FAILED, 1),
        (EndKind.NOT_REACHED, CallState.RETRYING, 1),
    ],
)
async def test_what_each_end_leads_to(
    store: SqliteStore, account: Account, kind: EndKind, state: CallState, attempts: int
) -> None:
    await store.queue_call(account.id, call(), plan(), NOW)
    claimed = (await claim(store))[0]
    done = await store.close_attempt(ended(claimed, CalleeType.UNKNOWN, kind))
    assert (done.state, done.attempts) == (state, attempts)


async def test_a_retry_at_or_after_the_expiration_is_not_owed(store: SqliteStore, account: Account) -> None:
    await store.queue_call(account.id, call(), plan(expires_at=Millis(NOW + 65_000)), NOW)
    done = await store.close_attempt(ended((await claim(store))[0]))
    assert (done.state, done.callee_type) == (CallState.FAILED, CalleeType.BUSY)


async def test_expired_calls_fail_and_are_posted(store: SqliteStore, account: Account) -> None:
    await campaign(store, account, "c", 5, expires_at=Millis(NOW + 10))
    assert await claim(store, 5, at=10) == []
    assert [one.reason for one in await store.expire(Millis(NOW + 10), 3)] == ["expired"] * 3
    assert len(await store.expire(Millis(NOW + 10), 3)) == 2
    owed = await store.due_deliveries(Millis(NOW + 10), 10, 10)
    assert [(dict(one.form)["attempts"], dict(one.form)["callee_type"]) for one in owed] == [("0", "unknown")] * 5


async def test_single_calls_come_first_then_campaigns_in_turn(store: SqliteStore, account: Account) -> None:
    other = await store.add_account("other", "hash", AccountSettings("UTC", "US"))
    big = await campaign(store, account, "big", 50)
    small = await campaign(store, account, "small", 50)
    theirs = await campaign(store, other, "theirs", 50)
    assert [one.call.campaign_id for one in await claim(store, 2)] == [big, theirs]
    single = await store.queue_call(other.id, call(9999), plan(), NOW)
    turn = await claim(store, 9)
    assert turn[0].call.id == single
    assert Counter(one.call.campaign_id for one in turn[1:]) == {big: 2, small: 2, theirs: 4}


async def test_paused_and_full_campaigns_cost_nothing_and_starve_nobody(store: SqliteStore, account: Account) -> None:
    """Counted in steps of SQLite's machine, which do not depend on the machine's speed."""
    steps: dict[str, int] = {}

    async def measure(name: str) -> None:
        counter = [0]

        def count() -> int:
            counter[0] += 1
            return 0

        await store._writer.run(lambda db, counts: db.conn.set_progress_handler(count, 10))
        assert len(await claim(store)) == 1
        await store._writer.run(lambda db, counts: db.conn.set_progress_handler(None, 10))
        steps[name] = counter[0]

    for _ in range(3):
        await store.queue_call(account.id, call(), plan(), NOW)
    await claim(store)  # prepares the statements
    await measure("alone")
    paused = await campaign(store, account, "paused", 20_000)
    await store.set_campaign_state(paused, CampaignState.PAUSED)  # type: ignore[arg-type]
    await campaign(store, account, "full", 20_000, trunk="full")
    await campaign(store, account, "due", 20_000)
    await measure("crowded")
    assert steps["crowded"] <= 2 * steps["alone"] + 50
    assert (await claim(store))[0].call.campaign_id != paused
    resumed = await store.set_campaign_state(paused, CampaignState.ACTIVE)  # type: ignore[arg-type]
    assert resumed.counts[CallState.PENDING] == 20_000


async def test_an_unpublished_campaign_is_never_dialed_and_leaves_nothing(store: SqliteStore, account: Account) -> None:
    opened = await store.open_campaign(account.id, "c", plan(), NOW)
    await store.load_calls(opened, [call(number) for number in range(7000)], NOW)
    assert await claim(store, 5) == []
    assert await store.discard_unpublished() == 1
    assert await store.campaign(opened) is None
    again = await store.open_campaign(account.id, "c", plan(), NOW)  # the name is free again
    assert (await store.calls(CallQuery(campaign=again), None, 10)).calls == ()


async def test_names_are_taken_once(store: SqliteStore, account: Account) -> None:
    await store.open_campaign(account.id, "c", plan(), NOW)
    for name in ("c", "default"):
        with pytest.raises(NameTaken):
            await store.open_campaign(account.id, name, plan(), NOW)
    with pytest.raises(NameTaken):
        await store.add_account("user", "x", AccountSettings("UTC", "US"))


async def test_cancelling_posts_nothing_and_spares_live_calls(store: SqliteStore, account: Account) -> None:
    opened = await campaign(store, account, "c", 2500)
    live = (await claim(store))[0]
    found = await store.set_campaign_state(opened, CampaignState.CANCELLED)  # type: ignore[arg-type]
    assert found.counts[CallState.CANCELLED] == 2499
    assert await store.cancel_call(None, live.call.id) is CallState.DIALING
    done = await store.close_attempt(ended(live, CalleeType.VOICE, EndKind.REACHED))
    assert done.state is CallState.COMPLETED
    assert len(await store.due_deliveries(Millis(NOW + 10**9), 10, 10)) == 1


async def test_counters_and_states_agree_with_the_rows_after_a_random_life(
    store: SqliteStore, account: Account, tmp_path: Path
) -> None:
    import random

    rng = random.Random(7)
    opened = await campaign(store, account, "c", 60, max_retries=2)
    live: list[Claimed] = []
    for step in range(300):
        at = step * 7000
        match rng.randrange(4):
            case 0:
                live += await claim(store, 3, at=at)
            case 1 if live:
                await store.mark_answered(live[rng.randrange(len(live))].attempt.id, Millis(NOW + at))
            case 2 if live:
                one = live.pop(rng.randrange(len(live)))
                await store.close_attempt(ended(one, CalleeType.BUSY, rng.choice(list(EndKind)), at))
            case 3:
                page = await store.calls(CallQuery(campaign=opened), None, 1000)  # type: ignore[arg-type]
                if rng.random() < 0.1:
                    await store.cancel_call(None, rng.choice(page.calls).id)
    rows = sqlite3.connect(tmp_path / "q.db")
    try:
        counted = dict(rows.execute("SELECT state, count(*) FROM call GROUP BY state"))
        kept = dict(rows.execute("SELECT state, calls FROM tally WHERE calls > 0"))
        waiting = rows.execute("SELECT sum(waiting) FROM lane").fetchone()[0]
        open_ = rows.execute("SELECT count(*) FROM attempt WHERE state <> 'ended'").fetchone()[0]
    finally:
        rows.close()
    assert counted == kept
    assert waiting == counted.get("pending", 0) + counted.get("retrying", 0)
    assert open_ == counted.get("dialing", 0) + counted.get("in_call", 0) == len(live)
    assert len(await store.open_attempts()) == len(live)


async def test_sql_refuses_what_the_tables_do_not_know(store: SqliteStore, account: Account) -> None:
    await store.queue_call(account.id, call(), plan(), NOW)
    claimed = (await claim(store))[0]
    for sql in (
        "UPDATE call SET state = 'nonsense'",
        "UPDATE call SET state = 'pending'",  # a waiting call has a due time
        f"INSERT INTO attempt (id, call_id, number, trunk, state, started_at) VALUES ('x', {claimed.call.id}, 2, 't', 'dialing', 0)",
    ):
        with pytest.raises(Exception, match="constraint"):
            await store._writer.run(lambda db, counts, sql=sql: db.conn.execute(sql))
    assert {str(state) for state in CallState} == {
        str(state) for key in CALL_TRANSITIONS for state in (key[0], CALL_TRANSITIONS[key])
    }
    assert claimed.attempt.state is AttemptState.DIALING


async def test_one_process_owns_the_file(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreLocked, match=str(os.getpid())):
        SqliteStore(tmp_path / "q.db", installation="abc", policy=POLICY)


def test_damaged_foreign_and_newer_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"this is no database" * 1000)
    foreign, newer = tmp_path / "foreign.db", tmp_path / "newer.db"
    for path, sql in (
        (foreign, "CREATE TABLE x (y)"),
        (newer, "CREATE TABLE _sqlite_migrations (id INTEGER, migration_set TEXT, name TEXT, applied_at TEXT)"),
    ):
        made = sqlite3.connect(path)
        made.execute(sql)
        if path is newer:
            made.execute("INSERT INTO _sqlite_migrations VALUES (1, 'voxgate', 'm999_future', 'now')")
        made.commit()
        made.close()
    for path, words in ((damaged, "restore"), (foreign, "other program"), (newer, "newer Voxgate")):
        before = path.read_bytes()
        with pytest.raises(DatabaseRefused, match=words):
            SqliteStore(path, installation="abc", policy=POLICY)
        assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    for path in (tmp_path / "full" / "q.db", Path("/proc/voxgate/q.db")):
        with pytest.raises(DatabaseRefused, match="cannot be written: .*mount it writable"):
            SqliteStore(path, installation="abc", policy=RetryPolicy())
    (tmp_path / "q.db.lock").symlink_to("/dev/full")  # a lock that can be held, and not be written
    with pytest.raises(DatabaseRefused, match="cannot be written"):
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())


_CHILD = """
import asyncio, sys
from pathlib import Path
from tests.adapters.test_store import NOW, POLICY, SqliteStore, AccountSettings, call, plan
async def main():
    store = SqliteStore(Path(sys.argv[1]), installation="abc", policy=POLICY)
    account = await store.add_account("user", "hash", AccountSettings("UTC", "US"))
    async def one(n):
        print(await store.queue_call(account.id, call(n), plan(), NOW), flush=True)
    for start in range(0, 100000, 50):
        await asyncio.gather(*(one(start + n) for n in range(50)))
asyncio.run(main())
"""


def test_kill_9_in_the_midst_of_group_commits_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(500)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().splitlines() if line.strip()][:-1]
    child.wait()
    child.stdout.close()

    async def kept() -> set[int]:
        store = SqliteStore(path, installation="abc", policy=POLICY)
        found: set[int] = set()
        after = None
        while True:
            page = await store.calls(CallQuery(), after, 1000)
            found |= {one.id for one in page.calls}
            if (after := page.next) is None:
                await store.close()
                return found

    assert set(acknowledged) <= asyncio.run(kept())


async def test_an_attempt_that_outlives_its_cancelled_campaign_is_not_retried(
    store: SqliteStore, account: Account
) -> None:
    opened = await campaign(store, account, "c", 2, max_retries=3)
    busy, reached = await claim(store, 2)
    await store.set_campaign_state(opened, CampaignState.CANCELLED)  # type: ignore[arg-type]
    assert (await store.close_attempt(ended(busy))).state is CallState.CANCELLED
    assert (await store.close_attempt(ended(reached, CalleeType.VOICE, EndKind.REACHED))).state is CallState.COMPLETED
    found = await store.campaign(opened)  # type: ignore[arg-type]
    assert found is not None
    assert {state: many for state, many in found.counts.items() if many} == {
        CallState.CANCELLED: 1, CallState.COMPLETED: 1
    }  # fmt: skip
    assert [one.call_id for one in await store.due_deliveries(Millis(NOW + 10**9), 10, 10)] == [reached.call.id]


async def test_a_read_that_fails_is_a_store_error(store: SqliteStore) -> None:
    def broken(db: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreError, match="disk I/O error"):
        await store._read(broken)


async def test_its_vitals_tell_what_waits_and_since_when(store: SqliteStore, account: Account) -> None:
    for number in range(3):
        await store.queue_call(account.id, call(number), plan(max_retries=0), NOW)
    for minute, claimed in enumerate(await claim(store, 3)):
        await store.close_attempt(ended(claimed, at=minute * 60_000))
    found = await store.vitals()
    assert found.calls[CallState.FAILED] == 3
    assert (found.results_waiting, found.results_given_up, found.oldest_result) == (3, 0, NOW)
    first, second, third = await store.due_deliveries(Millis(NOW + 600_000), 10, 10)
    await store.record_try(DeliveryTry(first.id, NOW, accepted=True, status=200, error=None, next_at=None))
    await store.record_try(DeliveryTry(second.id, NOW, accepted=False, status=500, error="no", next_at=None))
    found = await store.vitals()
    assert (found.results_waiting, found.results_given_up) == (1, 1)
    assert found.oldest_result == NOW + 120_000
    assert third.tries == 0
    assert found.database_bytes > 0
