"""What accounts used of their days, kept in the transactions that dial and end calls; account 0 is everybody."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, MutableMapping

import msgspec
from sqlite_utils import Database

from gateway.core.admission import Hold
from gateway.core.caps import RESERVED, Spending, Used, capped, day_of, overspent, paced
from gateway.core.model import AccountSettings, AttemptId, Call, Millis
from gateway.core.pacing import Limit, Pace

EVERYBODY = 0
_NO_LIMIT = 1 << 30
_OPEN = """SELECT call.account_id, call.dialed, attempt.answered_at FROM attempt
    JOIN call ON call.id = attempt.call_id WHERE attempt.state <> 'ended'"""
#: Rows of open attempts alone.
_LEGS = """SELECT call.account_id, leg.dialed, leg.answered_at, leg.seconds FROM leg
    JOIN attempt ON attempt.id = leg.attempt_id JOIN call ON call.id = attempt.call_id"""


@functools.lru_cache(maxsize=1024)
def _decoded(text: str) -> AccountSettings:
    return msgspec.json.decode(text, type=AccountSettings)


def settings_of(db: Database, account: int) -> AccountSettings:
    return _decoded(db.conn.execute("SELECT settings FROM account WHERE id = ?", (account,)).fetchone()[0])


class Look:
    """What was used by ``now``, read where it is asked for and counted on as calls are taken.

    ``paces`` are the accounts' own, which outlive a look.
    """

    def __init__(self, db: Database, spending: Spending, paces: MutableMapping[int, Pace], now: Millis) -> None:
        self._db = db
        self._spending = spending
        self._paces = paces
        self._now = now
        self._settings: dict[int, AccountSettings] = {}
        self._used: dict[int, Used] = {}
        self._holds: dict[int, Hold] = {}
        self._open: dict[int, list[tuple[str, int | None]]] | None = None
        self._transferred: list[tuple[int, str, int | None, int | None]] | None = None

    def hold(self, account: int) -> Hold | None:
        """What the ceilings and the account's caps hold its next call by: within one look no hold ends."""
        if (hold := self._holds.get(account)) is None and (hold := self._held(account)) is not None:
            self._holds[account] = hold
        return hold

    def _held(self, account: int) -> Hold | None:
        if (hold := self.hold_of_all()) is not None:
            return hold
        settings = self.settings(account)
        limits = (settings.max_calls, settings.daily_calls, settings.daily_minutes, settings.daily_cost)
        bounded = any(one is not None for one in limits)
        if bounded and (hold := capped(settings, self.used(account), self._now)) is not None:
            return hold
        pace = self._pace(account)
        return None if pace is None else paced(pace, self._now)

    def hold_of_all(self) -> Hold | None:
        spending = self._spending
        if spending.daily_minutes is None and spending.daily_cost is None:
            return None
        return overspent(spending, self.used(EVERYBODY), self._now)

    def settings(self, account: int) -> AccountSettings:
        if (found := self._settings.get(account)) is None:
            found = self._settings[account] = settings_of(self._db, account)
        return found

    def used(self, account: int) -> Used:
        if (used := self._used.get(account)) is not None:
            return used
        zone = None if account == EVERYBODY else self.settings(account).time_zone
        row = self._db.conn.execute(
            "SELECT attempts, seconds, cost, lifted FROM usage WHERE account_id = ? AND day = ?",
            (account, day_of(self._now, zone)),
        ).fetchone()
        used = self._used[account] = Used() if row is None else Used(0, row[0], row[1], row[2], bool(row[3]))
        rates = self._spending.rates
        for dialed, answered_at in self._live(account):
            used.reserve(rates, dialed, _since(answered_at, self._now))
        for owner, dialed, answered_at, seconds in self._legs():
            if account in (EVERYBODY, owner):
                talked = max(RESERVED, _since(answered_at, self._now)) if seconds is None else seconds
                used.spend(rates, dialed, talked)
        return used

    def took(self, account: int, dialed: str) -> None:
        """A call is claimed in this look."""
        for owner in (account, EVERYBODY):
            if (used := self._used.get(owner)) is not None:
                used.reserve(self._spending.rates, dialed)
                used.attempts += 1
        if (pace := self._pace(account)) is not None:
            pace.tokens -= 1

    def _pace(self, account: int) -> Pace | None:
        cps = self.settings(account).cps
        if cps is None:
            return None
        pace = self._paces.get(account)
        if pace is None:
            pace = self._paces[account] = Pace(Limit(cps, _NO_LIMIT))
        elif pace.limit.cps != cps:
            pace.limit = Limit(cps, _NO_LIMIT)
        pace.refill(self._now)
        return pace

    def _live(self, account: int) -> Iterable[tuple[str, int | None]]:
        """What was dialed and is not over, and since when it is answered."""
        if self._open is None:
            self._open = {}
            for owner, *one in self._db.conn.execute(_OPEN):
                self._open.setdefault(owner, []).append((one[0], one[1]))
        if account == EVERYBODY:
            return itertools.chain.from_iterable(self._open.values())
        return self._open.get(account, ())

    def _legs(self) -> list[tuple[int, str, int | None, int | None]]:
        """Whom live calls were transferred to."""
        if self._transferred is None:
            self._transferred = self._db.conn.execute(_LEGS).fetchall()
        return self._transferred


def _since(answered_at: int | None, now: int) -> int:
    return 0 if answered_at is None else (now - answered_at) // 1000


def mark_leg(db: Database, leg: tuple[AttemptId, int, str, Millis | None, int | None]) -> None:
    """What comes after its attempt's end changes nothing: that counted it."""
    db.conn.execute(
        "INSERT INTO leg SELECT ?1, ?2, ?3, ?4, ?5 FROM attempt WHERE id = ?1 AND state <> 'ended'"
        " ON CONFLICT DO UPDATE SET answered_at = ?4, seconds = ?5",
        leg,
    )


def legs_left(db: Database, attempt: AttemptId, now: Millis) -> list[tuple[str, int]]:
    """The legs of an attempt that nobody told of at its end: a crash came between."""
    rows = db.conn.execute("SELECT dialed, answered_at, seconds FROM leg WHERE attempt_id = ?", (attempt,)).fetchall()
    return [(row[0], max(0, _since(row[1], now)) if row[2] is None else row[2]) for row in rows]


def dialed(db: Database, call: Call, zone: str, now: Millis) -> None:
    """An attempt begins."""
    _add(db, call.account_id, day_of(now, zone), attempts=1)


def undialed(db: Database, call: Call, zone: str, began: Millis) -> None:
    """An attempt that rang nobody, through a fault of ours."""
    db.conn.execute(
        "UPDATE usage SET attempts = max(0, attempts - 1) WHERE account_id = ? AND day = ?",
        (call.account_id, day_of(began, zone)),
    )


def talked(db: Database, call: Call, zone: str, spending: Spending, now: Millis, legs: list[tuple[str, int]]) -> None:
    """A call ends that was answered: what was dialed, and for how many seconds; the parties it was transferred to
    beside it."""
    seconds = sum(one for _, one in legs)
    cost = sum(spending.rates.cost(number, one) for number, one in legs)
    _add(db, call.account_id, day_of(now, zone), seconds=seconds, cost=cost)
    _add(db, EVERYBODY, day_of(now, None), seconds=seconds, cost=cost)


def lift(db: Database, account: int, now: Millis) -> None:
    """Let an account, or everybody, spend beyond the ceiling until its day ends."""
    zone = None if account == EVERYBODY else settings_of(db, account).time_zone
    _add(db, account, day_of(now, zone), lifted=1)


def _add(
    db: Database, account: int, day: str, *, attempts: int = 0, seconds: int = 0, cost: int = 0, lifted: int = 0
) -> None:
    db.conn.execute(
        "INSERT INTO usage VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET attempts = attempts + ?3,"
        " seconds = seconds + ?4, cost = cost + ?5, lifted = max(lifted, ?6)",
        (account, day, attempts, seconds, cost, lifted),
    )
