"""Claiming due calls fairly, at a cost that does not grow with what is due, paused or waiting for a full trunk."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.rows import SELECT_ACCOUNT, SELECT_CALL, account_of, call_of
from gateway.adapters.store.usage import Look, dialed
from gateway.core.caps import Spending
from gateway.core.model import Account, AccountId, Attempt, AttemptId, AttemptState, Call, CampaignId, Claimed, Millis
from gateway.core.pacing import Pace
from gateway.core.states import CallEvent, advance_call
from gateway.ports import Backlog, Lane

_DUE = """SELECT id FROM call INDEXED BY call_due WHERE campaign_id = ? AND trunk = ?
    AND state IN ('pending', 'retrying') AND due_at <= ? AND (expires_at IS NULL OR expires_at > ?)
    ORDER BY due_at, id LIMIT 1"""

_LANES = """SELECT lane.campaign_id, lane.trunk, campaign.account_id, campaign.single
    FROM lane JOIN campaign ON campaign.id = lane.campaign_id
    WHERE lane.waiting > 0 AND campaign.state = 'active'
    AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.account_id IN (0, campaign.account_id))"""


@dataclass(slots=True)
class _Queue:
    campaign: int
    trunk: str
    account: int
    single: bool


class Claims:
    """The turn of every account and of its campaigns. Turns are remembered while the process lives; losing them
    costs no call, only a place in the round."""

    def __init__(self, new_attempt_id: Callable[[], AttemptId]) -> None:
        self._new_attempt_id = new_attempt_id
        self._paces: dict[int, Pace] = {}
        self._turn = 0
        self._account_turn: dict[tuple[bool, int], int] = {}
        self._queue_turn: dict[tuple[int, str], int] = {}

    def claim(
        self, db: Database, counts: Counts, lanes: Sequence[Lane], now: Millis, limit: int, spending: Spending
    ) -> list[Claimed]:
        """Caps are asked before every call, in the transaction that takes it: no race passes them."""
        look = Look(db, spending, self._paces, now)
        slots = {lane.trunk: lane.slots for lane in lanes}
        queues = [_Queue(row[0], row[1], row[2], bool(row[3])) for row in db.conn.execute(_LANES).fetchall()]
        turns = [(self._order(queue), place, queue) for place, queue in enumerate(queues)]
        heapq.heapify(turns)
        claimed: list[Claimed] = []
        accounts: dict[int, Account] = {}
        while turns and len(claimed) < limit:
            order, place, chosen = heapq.heappop(turns)
            if slots.get(chosen.trunk, 0) <= 0 or look.hold(chosen.account) is not None:
                continue
            if (now_at := self._order(chosen)) != order:  # another queue of its account had its turn meanwhile
                heapq.heappush(turns, (now_at, place, chosen))
                continue
            row = db.conn.execute(_DUE, (chosen.campaign, chosen.trunk, now, now)).fetchone()
            if row is None:
                continue
            one = self._take(db, int(row[0]), now, counts, accounts)
            claimed.append(one)
            look.took(chosen.account, one.call.dialed)
            self._turn += 1
            self._account_turn[chosen.single, chosen.account] = self._turn
            self._queue_turn[chosen.campaign, chosen.trunk] = self._turn
            slots[chosen.trunk] -= 1
            heapq.heappush(turns, (self._order(chosen), place, chosen))
        return claimed

    def _order(self, queue: _Queue) -> tuple[bool, int, int]:
        """Single calls first; then the account, then the campaign, whose turn is longest ago."""
        return (
            not queue.single,
            self._account_turn.get((queue.single, queue.account), 0),
            self._queue_turn.get((queue.campaign, queue.trunk), 0),
        )

    def _take(self, db: Database, call_id: int, now: Millis, counts: Counts, accounts: dict[int, Account]) -> Claimed:
        execute = db.conn.execute
        call = call_of(execute(f"{SELECT_CALL} WHERE call.id = ?", (call_id,)).fetchone())
        state = advance_call(call.state, CallEvent.CLAIMED)
        execute(
            "UPDATE call SET state = ?, due_at = NULL, last_attempt_at = ? WHERE id = ? AND state = ?",
            (state, now, call_id, call.state),
        )
        row = execute("SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE call_id = ?", (call_id,)).fetchone()
        attempt = Attempt(self._new_attempt_id(), call.id, row[0], call.trunk, AttemptState.DIALING, now)
        execute(
            "INSERT INTO attempt (id, call_id, number, trunk, state, started_at) VALUES (?, ?, ?, ?, ?, ?)",
            (attempt.id, call_id, attempt.number, attempt.trunk, attempt.state, now),
        )
        counts.moved(call.campaign_id, call.trunk, call.state, state)
        account = accounts.get(call.account_id)
        if account is None:
            account = accounts[call.account_id] = account_of(
                execute(f"{SELECT_ACCOUNT} WHERE id = ?", (call.account_id,)).fetchone()
            )
        dialed(db, call, account.settings.time_zone, now)
        return Claimed(replace(call, state=state, due_at=None, last_attempt_at=now), attempt, account)

    # --- what the caps say, to readers ---

    def look(self, db: Database, spending: Spending, now: Millis) -> Look:
        """It changes nothing of the paces."""
        return Look(db, spending, {account: replace(pace) for account, pace in list(self._paces.items())}, now)

    def next_due(
        self, db: Database, spending: Spending, now: Millis, opens: Mapping[str, Millis] | None
    ) -> Millis | None:
        """When the next waiting call of an active campaign may be claimed; at or before ``now`` where one may already.

        A call whose account or trunk waits for the end of another has no such time.
        """
        look, soonest = self.look(db, spending, now), None
        for campaign, trunk, account, _ in db.conn.execute(_LANES).fetchall():
            opening = now if opens is None else opens.get(trunk)
            hold = look.hold(account)
            if opening is None or (hold is not None and hold.until is None):
                continue
            row = db.conn.execute(_FIRST, (campaign, trunk)).fetchone()
            if row is None:
                continue
            due: int = row[0]
            if opening > now:
                due = max(due, opening)
            if hold is not None and hold.until is not None:
                due = max(due, hold.until)
            soonest = due if soonest is None else min(soonest, due)
            if soonest <= now:
                break
        return None if soonest is None else Millis(soonest)


_FIRST = """SELECT due_at FROM call INDEXED BY call_due WHERE campaign_id = ? AND trunk = ?
    AND state IN ('pending', 'retrying') ORDER BY due_at, id LIMIT 1"""


def backlogs(db: Database, campaign: int | None) -> list[Backlog]:
    where = "campaign.state = 'active'" if campaign is None else "campaign.id = ?"
    lanes = db.conn.execute(
        "SELECT lane.campaign_id, lane.trunk, lane.waiting, campaign.account_id"
        " FROM lane JOIN campaign ON campaign.id = lane.campaign_id"
        f" WHERE lane.waiting > 0 AND {where}"
        " AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.account_id = campaign.account_id)",
        () if campaign is None else (campaign,),
    ).fetchall()
    return [
        Backlog(CampaignId(owner), AccountId(account), trunk, waiting, Millis(row[0]))
        for owner, trunk, waiting, account in lanes
        if (row := db.conn.execute(_FIRST, (owner, trunk)).fetchone()) is not None
    ]


#: In place of an account: the hold on everybody's calls.
_EVERYBODY = 0


def hold(db: Database, account: int | None) -> None:
    db.conn.execute("INSERT OR IGNORE INTO hold VALUES (?)", (account or _EVERYBODY,))


def release(db: Database, account: int | None) -> None:
    db.conn.execute("DELETE FROM hold WHERE account_id = ?", (account or _EVERYBODY,))


def held(db: Database) -> frozenset[AccountId | None]:
    rows = db.conn.execute("SELECT account_id FROM hold").fetchall()
    return frozenset(None if row[0] == _EVERYBODY else AccountId(row[0]) for row in rows)


def ahead_of(db: Database, call: Call, limit: int) -> int:
    row = db.conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM call INDEXED BY call_due WHERE campaign_id = ? AND trunk = ?"
        " AND state IN ('pending', 'retrying') AND (due_at, id) < (?, ?) LIMIT ?)",
        (call.campaign_id, call.trunk, call.due_at, call.id, limit),
    ).fetchone()
    return int(row[0])


def mean_attempt_seconds(db: Database) -> float | None:
    row = db.conn.execute(
        "SELECT avg(ended_at - started_at) / 1000 FROM (SELECT kind, started_at, ended_at FROM attempt"
        " ORDER BY rowid DESC LIMIT 1000) WHERE kind <> 'trunk_fault'"
    ).fetchone()
    return None if row[0] is None else float(row[0])
