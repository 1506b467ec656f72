"""Sessions, holds and the charts' tallies, on SQLite beside the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteBooks, SqliteStore
from gateway.core.model import Account, AccountSettings, CalleeType, CallState, EndKind, Millis
from gateway.core.retry import RetryPolicy
from gateway.core.visiting import mark_of, new_session
from tests.adapters.test_store import NOW, campaign, claim, ended


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    yield opened
    await opened.close()


@pytest.fixture
async def account(store: SqliteStore) -> Account:
    return await store.add_account("user", "hash", AccountSettings("UTC", "US"))


async def test_a_session_is_kept_by_the_hash_of_its_cookie_and_ends(store: SqliteStore, account: Account) -> None:
    books = SqliteBooks(store)
    (cookie, session), (_, other) = new_session(account.id, NOW), new_session(account.id, NOW)
    await books.add_session(session)
    await books.add_session(other)
    assert await books.session(mark_of(cookie)) == session
    assert await books.session(cookie) is None
    await books.session_seen(session.mark, Millis(NOW + 5))
    kept = await books.session(session.mark)
    assert kept is not None and kept.seen_at == NOW + 5
    assert await books.end_sessions(account.id, keep=session.mark) == 1
    assert await books.session(other.mark) is None
    await books.end_session(session.mark)
    assert await books.session(session.mark) is None


async def test_nothing_of_a_held_account_is_claimed_until_it_is_released(store: SqliteStore, account: Account) -> None:
    other = await store.add_account("other", "hash", AccountSettings("UTC", "US"))
    await campaign(store, account, "mine", 2)
    theirs = await campaign(store, other, "theirs", 2)
    await store.hold(account.id)
    await store.hold(account.id)  # twice is once
    assert await store.held() == {account.id}
    assert [one.call.campaign_id for one in await claim(store, 4)] == [theirs, theirs]
    assert await store.next_due(NOW) is None
    await store.hold(None)
    await store.release(account.id)
    assert await store.held() == {None}
    assert await claim(store, 4) == []
    await store.release(None)
    assert len(await claim(store, 4)) == 2


async def test_tallies_count_every_ended_attempt_once(store: SqliteStore, account: Account) -> None:
    books = SqliteBooks(store)
    queued = await campaign(store, account, "c", 6, max_retries=1, expires_at=NOW + 10_000_000)
    calls = await claim(store, 5)
    for claimed, (callee, kind) in zip(
        calls,
        [
            (CalleeType.VOICE, EndKind.REACHED), (CalleeType.VOICE, EndKind.REACHED),
            (CalleeType.BUSY, EndKind.NOT_REACHED), (CalleeType.BUSY, EndKind.NOT_REACHED),
            (CalleeType.UNKNOWN, EndKind.TRUNK_FAULT),
        ],
        strict=True,
    ):  # fmt: skip
        await store.close_attempt(ended(claimed, callee, kind))
        await store.close_attempt(ended(claimed, callee, kind))  # a second closing counts nothing
    for claimed in await claim(store, 4, at=100_000):  # the sixth call's first, and the others' second attempts
        fresh = claimed.attempt.number == 1
        callee, kind = (CalleeType.VOICE, EndKind.REACHED) if fresh else (CalleeType.NOANSWER, EndKind.NOT_REACHED)
        await store.close_attempt(ended(claimed, callee, kind, at=101_000))
    await store.expire(Millis(NOW + 10_000_000), 10)
    found: Counter[tuple[str, str, int]] = Counter()
    for one in await books.tallies(queued):
        found[one.state, one.callee_type, one.attempt] += one.calls
    assert found[CallState.COMPLETED, CalleeType.VOICE, 1] == 3
    assert found[CallState.RETRYING, CalleeType.BUSY, 1] == 2
    assert found[CallState.RETRYING, CalleeType.UNKNOWN, 0] == 1  # rang nobody: no attempt
    assert found[CallState.RETRYING, CalleeType.NOANSWER, 1] == 1  # after it
    assert found[CallState.FAILED, CalleeType.NOANSWER, 2] == 2
    final = sum(count for (state, _, _), count in found.items() if state in ("completed", "failed"))
    assert final == 6
