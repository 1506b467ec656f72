"""The database over the years: copied while it is written, restored, compacted, checked, and brought up to date."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from gateway import __version__
from gateway.adapters.store import DatabaseRefused, SqliteStore, StoreLocked, backup, check, copying, restore, vacuum
from gateway.adapters.store.schema import MIGRATIONS, known_migrations
from gateway.core.lists import CallQuery
from gateway.core.model import (
    AccountSettings,
    AttemptState,
    CalleeType,
    CallId,
    CallState,
    CampaignState,
    EndKind,
    Millis,
)
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane, StoreError
from scripts import schema
from tests.adapters.test_store import NOW, call, ended, plan

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


def opened(path: Path) -> SqliteStore:
    return SqliteStore(path, installation="abc", policy=RetryPolicy())


def sql(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        found = db.execute(statement, values).fetchall()
        db.commit()
        return found


async def filled(path: Path, calls: int = 100) -> SqliteStore:
    """A store with a campaign of which one call is live and one has ended."""
    store = opened(path)
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    campaign = await store.open_campaign(account.id, "spring", plan(), NOW)
    await store.load_calls(campaign, [call(number) for number in range(calls)], NOW)
    await store.publish_campaign(campaign, 0)
    live, done = await store.claim([Lane("t", 2)], NOW, 2)
    await store.mark_answered(live.attempt.id, NOW)
    await store.close_attempt(ended(done))
    return store


async def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = await filled(tmp_path / "q.db", 2)
    finally:
        os.umask(before)
    found = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("q.db*")}
    await store.close()
    assert {name: mode for name, mode in found.items() if not name.endswith(".lock")} == {
        "q.db": 0, "q.db-wal": 0, "q.db-shm": 0, "q.db.reserve": 0,
    }  # fmt: skip


async def test_a_database_that_everybody_could_read_is_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMAS[0].read_text())
    path.chmod(0o644)
    store = opened(path)
    found = {one.name: one.stat().st_mode & 0o007 for one in tmp_path.glob("q.db*") if one.suffix != ".lock"}
    await store.close()
    assert found and not any(found.values()), found


# --- upgrades ---


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.stem)
async def test_every_released_schema_is_backed_up_and_migrated(schema: Path, tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(schema.read_text())
    before = {table: sql(path, f"SELECT count(*) FROM {table}") for table in ("account", "call", "attempt", "delivery")}
    store = opened(path)
    try:
        assert set(check(path).schema) == known_migrations()
        assert check(path).faults == ()
        (copy,) = (tmp_path / "backups").iterdir()
        assert set(check(copy).schema) < known_migrations()
        for file in (path, copy):
            assert {table: sql(file, f"SELECT count(*) FROM {table}") for table in before} == before
        page = await store.calls(CallQuery(), None, 100)
        assert {one.state for one in page.calls} == set(CallState) - {CallState.DIALING}
        for one in page.calls:
            await store.attempts(one.id)
        (account,) = await store.accounts()
        assert account.settings.time_zone == "America/New_York"
        (orphan,) = await store.open_attempts()
        assert orphan.attempt.state is AttemptState.ANSWERED
        await store.close_attempt(ended(orphan))
        (claimed,) = await store.claim([Lane("t", 1)], Millis(NOW + 10**6), 1)
        await store.close_attempt(ended(claimed))
        assert len(await store.due_deliveries(Millis(NOW + 10**6), 9, 9)) >= 1
    finally:
        await store.close()
    await opened(path).close()  # a second start has nothing to do
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_every_release_has_its_schema() -> None:
    released = {"0.1"} | ({__version__} if "dev" not in __version__ else set())
    assert released <= {path.stem for path in SCHEMAS}, "python -m scripts.schema writes it"


async def test_the_present_schema_is_written_for_the_next_release(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(await schema.dump())
    assert set(check(path).schema) == known_migrations()
    assert check(path).faults == ()
    store = opened(path)
    try:
        assert len(await store.open_attempts()) == 1
    finally:
        await store.close()


async def test_an_upgrade_that_fails_leaves_the_old_schema_and_its_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "q.db"
    await (await filled(path)).close()
    before = check(path)

    def fails(db: Database) -> None:
        db.conn.execute("CREATE TABLE half (id INTEGER)")
        raise sqlite3.OperationalError("disk I/O error")

    broken = MIGRATIONS._Migration("m_broken", fails)
    monkeypatch.setattr(MIGRATIONS, "_migrations", [*MIGRATIONS._migrations, broken])
    with pytest.raises(DatabaseRefused, match="disk I/O error"):
        opened(path)
    monkeypatch.undo()
    assert check(path) == before
    (copy,) = (tmp_path / "backups").iterdir()
    assert check(copy).calls == before.calls
    await opened(path).close()


async def test_an_upgrade_without_room_for_its_backup_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "q.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMAS[0].read_text())
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1, 1, 0))
    with pytest.raises(StoreError, match="0 MB free"):
        opened(path)
    assert set(check(path).schema) < known_migrations()


async def test_a_file_that_is_damaged_inside_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    await (await filled(path, 2000)).close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(content)
    with pytest.raises(DatabaseRefused, match="voxgate db restore"):
        opened(path)
    assert path.read_bytes() == content
    assert check(path).faults


# --- copying ---


async def test_a_backup_of_a_database_that_is_written_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "STEP", 16)
    path = tmp_path / "q.db"
    store = await filled(path, 50_000)
    stop, queued = asyncio.Event(), 0
    told: list[tuple[int, int]] = []
    account = (await store.accounts())[0]

    async def writes() -> None:
        nonlocal queued
        while not stop.is_set():
            await store.queue_call(account.id, call(queued), plan(), NOW)
            queued += 1

    def tell(now: int, in_all: int) -> None:
        assert len(told) < in_all, "the copy begins anew again and again"
        told.append((now, in_all))

    writing = asyncio.create_task(writes())
    await asyncio.sleep(0.05)
    first = queued
    done = await asyncio.to_thread(backup, path, tmp_path / "copy.db", tell)
    last = queued
    stop.set()
    await writing
    await store.close()
    assert last > first > 0  # it was written meanwhile
    steps = [now for now, _ in told]
    assert steps == sorted(set(steps)) and len(steps) > 2 and steps[-1] == told[-1][1]  # it never began anew
    found = check(Path(done.path))
    assert found.faults == ()
    assert 50_000 + first <= found.calls <= 50_000 + last
    assert not list(tmp_path.glob("copy.db-*"))
    assert Path(done.path).stat().st_mode & 0o077 == 0
    with pytest.raises(StoreError, match="exists already"):
        backup(path, Path(done.path))
    assert not list(tmp_path.glob("*.part"))


# --- restoring ---


async def test_a_restored_backup_rings_nobody_by_itself_and_repeats_no_id(tmp_path: Path) -> None:
    path, copy = tmp_path / "q.db", tmp_path / "copy.db"
    store = await filled(path)
    backup(path, copy)
    account = (await store.accounts())[0]
    newest = await store.queue_call(account.id, call(7), plan(), NOW)
    with pytest.raises(StoreLocked, match="stop it first"):
        restore(path, copy, "now")
    await store.close()

    done = restore(path, copy, "now")
    assert done.paused == ("1 (spring)",)  # by the number that resumes it
    assert sql(path, "SELECT actor, action, subject FROM audit") == [("operator", "database.restore", str(copy))]
    assert done.replaced is not None and sql(Path(done.replaced), "SELECT max(id) FROM call") == [(newest,)]
    store = opened(path)
    try:
        assert await store.call(newest) is None
        assert await store.claim([Lane("t", 9)], Millis(NOW + 10**9), 9) == []
        (campaign,) = await store.campaigns(None)
        await store.set_campaign_state(campaign.id, CampaignState.ACTIVE)
        assert await store.claim([Lane("t", 9)], Millis(NOW + 10**9), 9) != []
        assert await store.queue_call(account.id, call(8), plan(), NOW) > newest
        (orphan,) = (one for one in await store.open_attempts() if one.attempt.state is AttemptState.ANSWERED)
        assert orphan.call.id == CallId(1)
    finally:
        await store.close()
    assert check(path).faults == ()


async def test_a_damaged_database_gives_way_to_a_backup(tmp_path: Path) -> None:
    path, copy = tmp_path / "q.db", tmp_path / "copy.db"
    await (await filled(path)).close()
    backup(path, copy)
    path.write_bytes(b"\xff" * 50_000)
    done = restore(path, copy, "now", pause=False)
    assert done.paused == ()
    assert done.replaced is not None and Path(done.replaced).read_bytes() == b"\xff" * 50_000
    store = opened(path)
    try:
        assert await store.queue_call((await store.accounts())[0].id, call(0), plan(), NOW) > 100_000
    finally:
        await store.close()


@pytest.mark.parametrize("content", [b"", b"rubbish" * 1000, None])
async def test_what_is_no_backup_changes_nothing(content: bytes | None, tmp_path: Path) -> None:
    path, copy = tmp_path / "q.db", tmp_path / "copy.db"
    await (await filled(path)).close()
    before = path.read_bytes()
    if content is not None:
        copy.write_bytes(content)
    with pytest.raises(StoreError):
        restore(path, copy, "now")
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*before*")) and not list(tmp_path.glob("*.part"))


# --- compacting and checking ---


async def test_a_vacuum_gives_space_back_while_no_gateway_runs(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    store = await filled(path, 20_000)
    with pytest.raises(StoreLocked):
        vacuum(path)
    await store.close()
    sql(path, "DELETE FROM call WHERE id > 10")
    sql(
        path,
        "UPDATE tally SET calls = 9 - (SELECT count(*) FROM call WHERE state <> 'pending' AND id < 11) + 1 WHERE state = 'pending'",
    )
    assert check(path).free > 0
    before, after = vacuum(path)
    assert after < before / 2
    assert check(path).free == 0
    with pytest.raises(DatabaseRefused, match="does not exist"):
        vacuum(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE tally SET calls = calls + 3 WHERE state = 'pending'", "counts 101 calls as pending, and has 98"),
        ("UPDATE lane SET waiting = 7", "counts 7 calls that wait for trunk t, and has 99"),
        (
            "UPDATE attempt SET state = 'ended', ended_at = 1, kind = 'reached' WHERE ended_at IS NULL",
            "1 calls are live",
        ),
        ("UPDATE call SET state = 'failed' WHERE state = 'in_call'", "1 attempts are open"),
    ],
)
async def test_the_check_finds_what_is_inconsistent(damage: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    await (await filled(path)).close()
    assert check(path).faults == ()
    sql(path, damage)
    assert any(said in fault for fault in check(path).faults)


async def test_a_result_that_is_posted_again_after_a_restore_is_known_by_its_id(tmp_path: Path) -> None:
    """The backup holds a call in progress; it ended after the backup, and its client was told."""
    path, copy = tmp_path / "q.db", tmp_path / "copy.db"
    store = opened(path)
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for number in range(2):
        await store.queue_call(account.id, call(number), plan(max_retries=0), NOW)
    claimed = await store.claim([Lane("t", 2)], NOW, 2)
    backup(path, copy)

    async def told(store: SqliteStore, callee: CalleeType, kind: EndKind) -> list[str]:
        for one in claimed:
            await store.close_attempt(ended(one, callee, kind))
        return sorted([one.id for one in await store.due_deliveries(Millis(NOW + 10**6), 9, 9)])

    first = await told(store, CalleeType.VOICE, EndKind.REACHED)
    await store.close()
    restore(path, copy, "now")
    store = opened(path)
    again = await told(store, CalleeType.UNKNOWN, EndKind.LOST_AFTER_ANSWER)
    await store.close()
    assert len(set(first)) == 2 and again == first
    other = opened(tmp_path / "other.db")
    account = await other.add_account("u", "h", AccountSettings("UTC", "US"))
    await other.queue_call(account.id, call(), plan(max_retries=0), NOW)
    claimed = await other.claim([Lane("t", 1)], NOW, 1)
    assert (await told(other, CalleeType.VOICE, EndKind.REACHED))[0] not in first  # no two gateways share ids
    await other.close()
