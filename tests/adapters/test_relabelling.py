"""Relabelling: the record is corrected once a call has ended, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.adapters.store.books import SqliteBooks
from gateway.adapters.store.heard import heard_calls
from gateway.core.charts import Tally
from gateway.core.lists import CallQuery
from gateway.core.model import Account, AttemptEnd, CalleeType, CallId, CallState, EndKind, Millis
from gateway.ports import StoreError
from tests.adapters.test_store import NOW, account, call, campaign, claim, ended, plan, store

__all__ = ["account", "store"]  # fixtures

MACHINE, VOICE = CalleeType.ANSWERINGMACHINE, CalleeType.VOICE


async def reached(store: SqliteStore, callee: CalleeType) -> CallId:
    (claimed,) = await claim(store)
    return (await store.close_attempt(ended(claimed, callee, EndKind.REACHED))).id


async def test_a_machine_becomes_the_person_that_it_was(store: SqliteStore, account: Account) -> None:
    opened = await campaign(store, account, "c", 2)
    first, second = [await reached(store, MACHINE) for _ in range(2)]
    owed = await store.delivery_of(first)
    corrected = await store.relabel(account.id, first, VOICE)
    assert corrected is not None
    assert (corrected.callee_type, corrected.state) == (VOICE, CallState.COMPLETED)
    assert await store.call(first) == corrected
    assert [end.callee_type for _, end in await store.attempts(first) if end is not None] == [VOICE]
    assert await store.delivery_of(first) == owed
    found = await store.calls(CallQuery(campaign=opened, callee_types=frozenset({VOICE})), None, 10)  # type: ignore[arg-type]
    assert [one.id for one in found.calls] == [first]
    hour = (NOW + 5000) // 3_600_000
    tallies = {Tally(hour, CallState.COMPLETED, callee, 1, 1) for callee in (MACHINE, VOICE)}
    assert set(await SqliteBooks(store).tallies(opened)) == tallies  # type: ignore[arg-type]
    await store.relabel(account.id, second, VOICE)
    await store.relabel(account.id, second, VOICE)  # twice is once
    assert await SqliteBooks(store).tallies(opened) == [Tally(hour, CallState.COMPLETED, VOICE, 1, 2)]  # type: ignore[arg-type]


async def test_what_has_not_ended_or_was_never_dialed_is_refused(store: SqliteStore, account: Account) -> None:
    waiting = await store.queue_call(account.id, call(), plan(), NOW)
    with pytest.raises(StoreError, match="Pending: only calls that ended"):
        await store.relabel(None, waiting, VOICE)
    expired = await store.queue_call(account.id, call(1), plan(expires_at=Millis(NOW + 1)), NOW)
    await store.expire(Millis(NOW + 2), 10)
    with pytest.raises(StoreError, match="never dialed"):
        await store.relabel(None, expired, VOICE)
    assert await store.relabel(None, CallId(99), VOICE) is None


async def test_another_account_s_call_is_not_seen(store: SqliteStore, account: Account) -> None:
    await store.queue_call(account.id, call(), plan(), NOW)
    ident = await reached(store, MACHINE)
    other = await store.add_account("other", "hash", account.settings)
    assert await store.relabel(other.id, ident, VOICE) is None


async def test_the_audio_that_was_kept_is_found_with_its_label(
    store: SqliteStore, account: Account, tmp_path: Path
) -> None:
    idents = []
    for n, evidence in enumerate(
        ({"audio": "a.wav", "answered": 7.5}, {"audio": "b.wav", "answered": 2.0}, {"a": "b"})
    ):
        await store.queue_call(account.id, call(n), plan(), NOW)
        (claimed,) = await claim(store)
        end = AttemptEnd(claimed.attempt.id, EndKind.REACHED, MACHINE, Millis(NOW + n), evidence=evidence)  # type: ignore[arg-type]
        idents.append((await store.close_attempt(end)).id)
    await store.relabel(None, idents[1], VOICE)
    found = list(heard_calls(tmp_path / "q.db"))
    assert [(one.call_id, one.audio, one.answered_at, one.label) for one in found] == [
        (idents[0], "a.wav", 5.0, None), (idents[1], "b.wav", 2.0, VOICE),
    ]  # fmt: skip
