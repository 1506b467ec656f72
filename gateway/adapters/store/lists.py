"""Pages of calls, each read along indexes: what a page costs does not grow with the rows there are.

A list merges ranges of an index in which rows already stand in order, one for each owner, callee type and state.
Only a search by number or reference looks at rows that it then passes over, at most LOOK.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import assert_never

from sqlite_utils import Database

from gateway.adapters.store.rows import SELECT_CALL, call_of, snapshot
from gateway.core.lists import CALLEE_RANK, STATUS_RANK, CallOrder, CallQuery, Position
from gateway.core.model import Call, CalleeType, CallState
from gateway.ports import CallPage

#: Rows that one page may pass over; a page that did ends early, and the next goes on there.
LOOK = 20_000

#: Sorts after every number that begins with what stands before it.
_BEYOND = "\U0010ffff"


#: Positions, and what a search passes over by: campaign, state, callee type and reference.
Rows = Generator[tuple[Position, tuple[object, ...]], None, None]


@dataclass(frozen=True, slots=True)
class _Range:
    """Rows of one index that share their leading columns. ``key`` is the column that orders them, None for the id."""

    index: str
    where: str
    values: tuple[int | str, ...]
    rank: int = 0
    key: str | None = None

    def rows(self, db: Database, after: Position | None, down: bool) -> Rows:
        """In order, from beyond ``after`` on."""
        where, values = self.where, list(self.values)
        sign, direction = ("<", "DESC") if down else (">", "ASC")
        if after is not None and after.rank != self.rank:
            if (after.rank > self.rank) != down:
                return  # all of this range stands before that position
        elif after is not None and self.key is None:
            where += f" AND id {sign} ?"
            values.append(after.id)
        elif after is not None:
            where += f" AND ({self.key}, id) {sign} (?, ?)"
            values += after.key, after.id
        order = f"id {direction}" if self.key is None else f"{self.key} {direction}, id {direction}"
        source = f"call INDEXED BY {self.index}" if self.index else "call"
        sql = (
            f"SELECT {self.key or 0}, id, campaign_id, state, callee_type, message_reference FROM {source}"
            f" WHERE {where} ORDER BY {order}"
        )
        with closing(db.conn.execute(sql, values)) as cursor:
            for row in cursor:
                yield Position(self.rank, row[0], row[1]), row[2:]


def calls(db: Database, query: CallQuery, after: Position | None, limit: int) -> CallPage:
    """At most ``limit`` calls beyond ``after``. A page may be short, or empty, and yet have a next one."""
    found: list[int] = []
    at = after
    with snapshot(db), ExitStack() as open_cursors:
        shared = _sharing(db, query)
        each = [
            open_cursors.enter_context(closing(one.rows(db, after, query.descending)))
            for one in _ranges(db, query, shared)
        ]
        fits = _filter(query, shared)
        for looked, (position, row) in enumerate(heapq.merge(*each, reverse=query.descending)):
            if len(found) == limit or looked == LOOK:
                return CallPage(_full(db, found), at)
            at = position
            if fits(row):
                found.append(position.id)
        return CallPage(_full(db, found), None)


def _full(db: Database, ids: list[int]) -> tuple[Call, ...]:
    places = ",".join("?" * len(ids))
    rows = db.conn.execute(f"{SELECT_CALL} WHERE call.id IN ({places})", ids)
    by_id = {row[0]: call_of(row) for row in rows}
    return tuple(by_id[one] for one in ids)


# --- which rows ---


def _ranges(db: Database, query: CallQuery, shared: frozenset[int]) -> Iterator[_Range]:
    if query.number is not None or query.prefix is not None:
        for account in _accounts(db, query):
            yield _by_number(query, account)
    elif query.reference is not None:
        for account in _accounts(db, query):
            yield _Range("call_reference", "account_id = ? AND message_reference = ?", (account, query.reference))
        for campaign in shared:
            for state in query.states or CallState:
                yield from _of_state(query, "campaign", campaign, state)
    elif query == CallQuery(descending=query.descending):
        yield _Range("", "TRUE", ())
    else:
        for owner, ident, state in _held(db, query):
            yield from _of_state(query, owner, ident, state)


def _by_number(query: CallQuery, account: int) -> _Range:
    if query.prefix is None:
        return _Range("call_dialed", "account_id = ? AND dialed = ?", (account, query.number or ""))
    where = "account_id = ? AND dialed >= ? AND dialed < ?"
    return _Range("call_dialed", where, (account, query.prefix, query.prefix + _BEYOND), key="dialed")


def _of_state(query: CallQuery, owner: str, ident: int, state: CallState) -> Iterator[_Range]:
    """The calls of one campaign or account in one state, a range (or two) for each callee type."""
    index, last = f"call_by_{owner}", f"call_last_by_{owner}"
    kinds: list[CalleeType | None] = [*query.callee_types] if query.callee_types else [*CALLEE_RANK]
    for kind in kinds:
        where = f"{owner}_id = ? AND callee_type {'IS NULL' if kind is None else '= ?'} AND state = ?"
        values: tuple[int | str, ...] = (ident, str(state)) if kind is None else (ident, str(kind), str(state))
        match query.order:
            case CallOrder.QUEUE | CallOrder.NUMBER:
                yield _Range(index, where, values)
            case CallOrder.STATUS:
                yield _Range(index, where, values, STATUS_RANK[state])
            case CallOrder.CALLEE_TYPE:
                yield _Range(index, where, values, CALLEE_RANK[kind])
            case CallOrder.LAST_ATTEMPT:  # what was never dialed comes before all that was
                yield _Range(last, f"{where} AND last_attempt_at IS NULL", values, 0)
                yield _Range(last, f"{where} AND last_attempt_at IS NOT NULL", values, 1, "last_attempt_at")
            case _:
                assert_never(query.order)


def _held(db: Database, query: CallQuery) -> list[tuple[str, int, CallState]]:
    """The states that calls of the campaign, or of each account, are in, as the counters tell."""
    owner, column = ("account", "account_id") if query.campaign is None else ("campaign", "campaign.id")
    rows = db.conn.execute(
        f"SELECT DISTINCT {column}, tally.state FROM campaign JOIN tally ON tally.campaign_id = campaign.id"
        " WHERE calls > 0 AND (?1 IS NULL OR campaign.id = ?1) AND (?2 IS NULL OR account_id = ?2)",
        (query.campaign, query.account),
    )
    held = [(owner, int(ident), CallState(state)) for ident, state in rows]
    return [one for one in held if not query.states or one[2] in query.states]


def _accounts(db: Database, query: CallQuery) -> list[int]:
    rows = db.conn.execute(
        "SELECT DISTINCT account_id FROM campaign WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR account_id = ?2)",
        (query.campaign, query.account),
    )
    return [int(row[0]) for row in rows]


def _sharing(db: Database, query: CallQuery) -> frozenset[int]:
    """The campaigns whose own reference is the one sought: it is that of all their calls that have none."""
    if query.reference is None:
        return frozenset()
    rows = db.conn.execute(
        "SELECT id FROM campaign WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR account_id = ?2)"
        " AND json_extract(plan, '$.message_reference') = ?3",
        (query.campaign, query.account, query.reference),
    )
    return frozenset(int(row[0]) for row in rows)


def _filter(query: CallQuery, shared: frozenset[int]) -> Callable[[tuple[object, ...]], bool]:
    """Whether a row that a search met has all else that was asked for."""
    states = {str(one) for one in query.states or CallState}
    kinds = {str(one) for one in query.callee_types} or None

    def fits(row: tuple[object, ...]) -> bool:
        campaign, state, callee_type, reference = row
        return (
            (query.campaign is None or campaign == query.campaign)
            and state in states
            and (kinds is None or callee_type in kinds)
            and (
                query.reference is None
                or reference == query.reference
                or (reference is None and campaign in shared)
            )
        )  # fmt: skip

    return fits
