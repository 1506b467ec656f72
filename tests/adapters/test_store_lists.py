"""Lists of calls and of result posts: every filter in every order, at a cost that does not grow with the rows."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore, lists
from gateway.adapters.store.file import connect
from gateway.adapters.store.rows import plan_json
from gateway.adapters.store.upgrading import prepare
from gateway.core.lists import (
    CALLEE_RANK,
    STATUS_RANK,
    CallOrder,
    CallQuery,
    DeliveryQuery,
    DeliveryState,
    ListRefused,
    Position,
)
from gateway.core.model import (
    AccountId,
    AccountSettings,
    Call,
    CalleeType,
    CallId,
    CallState,
    CampaignId,
    EndKind,
    Millis,
)
from gateway.ports import DeliveryTry, Lane
from tests.adapters.test_store import NOW, POLICY, call, ended, plan

LISTED = (CallOrder.QUEUE, CallOrder.STATUS, CallOrder.CALLEE_TYPE, CallOrder.LAST_ATTEMPT)


@pytest.fixture(scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[SqliteStore, list[Call]]]:
    """Two accounts with three campaigns and single calls, in every state and of every callee type."""
    draw = random.Random(7)
    store = SqliteStore(tmp_path_factory.mktemp("lists") / "q.db", installation="abc", policy=POLICY)
    for login in ("one", "two"):
        account = await store.add_account(login, "hash", AccountSettings("UTC", "US"))
        for name, reference in (("a", "shared"), ("b", None)):
            opened = await store.open_campaign(account.id, name, plan(message_reference=reference), NOW)
            rows = [call(n % 40, message_reference="own") if n % 3 == 0 else call(n % 40) for n in range(90)]
            await store.load_calls(opened, rows, NOW)
            await store.publish_campaign(opened, 0)
        for number in range(60):
            wanted = plan(message_reference="own", expires_at=NOW + 10 if number % 10 == 0 else None, max_retries=3)
            await store.queue_call(account.id, call(number), wanted, NOW)
    kinds = [*CalleeType]
    for step in range(12):
        at = Millis(NOW + 1000 * step)
        for claimed in await store.claim([Lane("t", 20)], at, 20):
            callee = draw.choice(kinds)
            match draw.randrange(5):
                case 0:
                    continue  # stays in dialing
                case 1:
                    await store.mark_answered(claimed.attempt.id, at)
                case _:
                    kind = EndKind.REACHED if callee.reached else EndKind.NOT_REACHED
                    await store.close_attempt(ended(claimed, callee, kind, 1000 * step + 5))
        if step == 0:
            await store.expire(Millis(NOW + 20), 100)
    everything = (await store.calls(CallQuery(), None, 10_000)).calls
    for one in draw.sample([one for one in everything if one.state is CallState.PENDING], 20):
        await store.cancel_call(None, one.id)
    everything = (await store.calls(CallQuery(), None, 10_000)).calls
    assert {one.state for one in everything} == set(CallState)
    assert len(everything) == 2 * (2 * 90 + 60)
    yield store, list(everything)
    await store.close()


async def pages(store: SqliteStore, query: CallQuery, limit: int) -> list[CallId]:
    found: list[CallId] = []
    after: Position | None = None
    while True:
        page = await store.calls(query, after, limit)
        assert len(page.calls) <= limit
        found += [one.id for one in page.calls]
        if (after := page.next) is None:
            return found


def key(order: CallOrder) -> Callable[[Call], tuple[object, ...]]:
    match order:
        case CallOrder.QUEUE:
            return lambda one: (one.id,)
        case CallOrder.STATUS:
            return lambda one: (STATUS_RANK[one.state], one.id)
        case CallOrder.CALLEE_TYPE:
            return lambda one: (CALLEE_RANK[one.callee_type], one.id)
        case CallOrder.LAST_ATTEMPT:
            return lambda one: (one.last_attempt_at or 0, one.id)
        case CallOrder.NUMBER:
            return lambda one: (one.dialed, one.id)


def expected(everything: Sequence[Call], query: CallQuery) -> list[CallId]:
    found = [
        one
        for one in everything
        if (query.account is None or one.account_id == query.account)
        and (query.campaign is None or one.campaign_id == query.campaign)
        and (not query.states or one.state in query.states)
        and (not query.callee_types or one.callee_type in query.callee_types)
        and (query.number is None or one.dialed == query.number)
        and (query.prefix is None or one.dialed.startswith(query.prefix))
        and (query.reference is None or one.plan.message_reference == query.reference)
    ]
    return [one.id for one in sorted(found, key=key(query.order), reverse=query.descending)]  # type: ignore[arg-type]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", LISTED)
async def test_every_filter_in_every_order(
    filled: tuple[SqliteStore, list[Call]], order: CallOrder, descending: bool
) -> None:
    store, everything = filled
    draw = random.Random(f"{order}{descending}")
    for limit in (1, 7, 50, 1000) * 8:
        query = CallQuery(
            account=draw.choice([None, AccountId(1), AccountId(2), AccountId(3)]),
            campaign=draw.choice([None, None, CampaignId(1), CampaignId(6)]),
            states=frozenset(draw.sample([*CallState], draw.choice([0, 0, 1, 3]))),
            callee_types=frozenset(draw.sample([*CalleeType], draw.choice([0, 0, 1, 2]))),
            order=order,
            descending=descending,
        )
        assert await pages(store, query, limit) == expected(everything, query), query


@pytest.mark.parametrize("descending", [False, True])
async def test_searches_by_number_and_reference(filled: tuple[SqliteStore, list[Call]], descending: bool) -> None:
    store, everything = filled
    for limit in (3, 1000):
        for sought in (
            {"number": "+16175550007"}, {"number": "+1617"}, {"number": "+16175550003", "reference": "own"},
            {"prefix": "+1617555001", "order": CallOrder.NUMBER}, {"prefix": "", "order": CallOrder.NUMBER},
            {"reference": "own"}, {"reference": "shared"}, {"reference": "none"},
            {"reference": "shared", "campaign": CampaignId(1), "states": frozenset([CallState.PENDING])},
            {"number": "+16175550007", "account": AccountId(2), "callee_types": frozenset([CalleeType.VOICE])},
            {"prefix": "+1617555003", "order": CallOrder.NUMBER, "states": frozenset([CallState.FAILED])},
        ):  # fmt: skip
            query = CallQuery(**sought, descending=descending)  # type: ignore[arg-type]
            assert await pages(store, query, limit) == expected(everything, query), query


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"number": "1", "prefix": "1"}, "number"), ({"prefix": "1"}, "order"), ({"order": CallOrder.NUMBER}, "order"),
     ({"number": "1", "order": CallOrder.STATUS}, "order"), ({"reference": "x", "order": CallOrder.LAST_ATTEMPT}, "order")],
)  # fmt: skip
def test_what_no_index_serves_is_refused_by_name(asked: dict[str, object], field: str) -> None:
    with pytest.raises(ListRefused) as refused:
        CallQuery(**asked)  # type: ignore[arg-type]
    assert refused.value.field == field


async def test_a_search_that_finds_nothing_ends_its_page_and_goes_on(
    filled: tuple[SqliteStore, list[Call]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, everything = filled
    monkeypatch.setattr(lists, "LOOK", 10)
    query = CallQuery(prefix="+1617", order=CallOrder.NUMBER, states=frozenset([CallState.RETRYING]))
    assert (await store.calls(query, None, 100)).next is not None
    assert await pages(store, query, 100) == expected(everything, query)


# --- cost ---

_FILL = """WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT ?1)
INSERT INTO call (campaign_id, account_id, state, destination, dialed, trunk, message_reference, due_at, created_at,
    callee_type, last_attempt_at)
SELECT 1, 1, CASE WHEN n % 4 = 0 THEN 'pending' WHEN n % 4 = 1 THEN 'failed' ELSE 'completed' END, n, '+1617' || n, 't',
    CASE WHEN n % 50 = 0 THEN 'r' END, CASE WHEN n % 4 = 0 THEN 0 END, 0,
    CASE WHEN n % 4 = 1 THEN 'busy' WHEN n % 4 > 1 THEN 'voice' END, CASE WHEN n % 4 > 0 THEN n / 2 END FROM n"""


def steps_of(path: Path, rows: int, queries: Sequence[CallQuery]) -> list[int]:
    """SQLite's steps for one page in the middle of each list, in a campaign of so many calls."""
    prepare(path, path.parent)
    db = connect(path)
    with closing(db):
        db.conn.execute("BEGIN")
        db.conn.execute("INSERT INTO account (id, login, pin_hash, settings) VALUES (1, 'u', 'h', '{}')")
        db.conn.execute("INSERT INTO campaign VALUES (1, 1, 'c', 0, 'active', ?, 0, 0)", (plan_json(plan()),))
        db.conn.executemany("INSERT INTO tally VALUES (1, ?, 1)", [("pending",), ("failed",), ("completed",)])
        db.conn.execute(_FILL, (rows,))
        db.conn.execute("COMMIT")
        counted = []
        for query in queries:
            steps = 0

            def step() -> int:
                nonlocal steps
                steps += 1
                return 0

            first = lists.calls(db, query, None, 50)
            assert len(first.calls) == 50, query
            db.conn.set_progress_handler(step, 1)
            second = lists.calls(db, query, first.next, 50)
            db.conn.set_progress_handler(None, 1)
            assert len(second.calls) == 50, query
            counted.append(steps)
        return counted


def test_a_page_costs_no_more_among_many_calls_than_among_few(tmp_path: Path) -> None:
    queries = [
        CallQuery(**owner, **narrowed, order=order, descending=down)  # type: ignore[arg-type]
        for owner in ({}, {"account": AccountId(1)}, {"campaign": CampaignId(1)})
        for narrowed in (
            {},
            {"states": frozenset([CallState.FAILED])},
            {"callee_types": frozenset([CalleeType.VOICE])},
            {"states": frozenset([CallState.COMPLETED, CallState.DIALING]), "callee_types": frozenset(CalleeType)},
        )
        for order in LISTED
        for down in (False, True)
    ]
    queries += [CallQuery(prefix="+16171", order=CallOrder.NUMBER), CallQuery(reference="r", campaign=CampaignId(1))]
    few = steps_of(tmp_path / "few.db", 10_000, queries)
    many = steps_of(tmp_path / "many.db", 1_000_000, queries)
    assert max(many) < 10_000
    for query, less, more in zip(queries, few, many, strict=True):
        assert more <= less * 1.1, (query, less, more)


# --- result posts ---


async def test_posts_are_listed_by_state_and_owed_again_on_demand(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=POLICY)
    for login in ("one", "two"):
        account = await store.add_account(login, "hash", AccountSettings("UTC", "US"))
        for number in range(6):
            await store.queue_call(account.id, call(number), plan(max_retries=0), NOW)
    for claimed in await store.claim([Lane("t", 12)], NOW, 12):
        await store.close_attempt(ended(claimed))
    owed = (await store.deliveries(DeliveryQuery(), None, 100)).deliveries
    assert [one.call_id for one in owed] == list(range(12, 0, -1))
    accepted, lost = owed[0], owed[1]
    tried = DeliveryTry(accepted.id, NOW, True, 200, None, None, took=12, response="thanks")
    await store.record_try(tried)
    await store.record_try(DeliveryTry(lost.id, NOW, False, 500, "HTTP 500", None))

    async def listed(limit: int, **asked: object) -> list[int]:
        found: list[int] = []
        after = None
        while True:
            page = await store.deliveries(DeliveryQuery(**asked), after, limit)  # type: ignore[arg-type]
            found += [one.call_id for one in page.deliveries]
            if (after := page.next) is None:
                return found

    assert await listed(4) == list(range(12, 0, -1))
    assert await listed(4, account=AccountId(1)) == list(range(6, 0, -1))
    assert await listed(4, states=frozenset([DeliveryState.ACCEPTED])) == [accepted.call_id]
    assert await listed(1, states=frozenset([DeliveryState.ACCEPTED, DeliveryState.GIVEN_UP])) == [12, 11]
    assert await store.delivery_tries(accepted.id) == [tried]

    assert await store.redeliver(lost.id, Millis(NOW + 5))
    again = await store.delivery(lost.id)
    assert again is not None and (again.state, again.tries, again.next_at) == (DeliveryState.WAITING, 0, NOW + 5)
    due = {one.id: one for one in await store.due_deliveries(Millis(NOW + 5), 20, 20)}
    assert due[lost.id].since == NOW + 5
    assert not await store.redeliver("msg_none", NOW)
    await store.close()


async def test_the_calls_of_a_removed_campaign_are_in_no_list(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=POLICY)
    account = await store.add_account("one", "hash", AccountSettings("UTC", "US"))
    opened = await store.open_campaign(account.id, "c", plan(), NOW)
    await store.load_calls(opened, [call(1)], NOW)
    await store.discard_campaign(opened)
    assert (await store.calls(CallQuery(account=account.id), None, 10)).calls == ()
    await store.close()
