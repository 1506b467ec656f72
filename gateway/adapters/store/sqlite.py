"""The Store port on SQLite: each method hands one job to the writer thread, or reads on the reading thread."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from gateway.adapters.store import claims, closing, intake, lists, outbox, relabelling, usage, vitals, writer
from gateway.adapters.store.counts import Counts
from gateway.adapters.store.file import connect, lock
from gateway.adapters.store.rows import ATTEMPT_COLUMNS, SELECT_ACCOUNT, account_of, attempt_of, plan_of, snapshot
from gateway.adapters.store.upgrading import prepare
from gateway.core.access import Receipt
from gateway.core.admission import Hold
from gateway.core.caps import Spending, Used
from gateway.core.lists import CallQuery, DeliveryQuery, Position
from gateway.core.model import (
    Account,
    AccountId,
    AccountSettings,
    Attempt,
    AttemptEnd,
    AttemptId,
    Call,
    CalleeType,
    CallId,
    CallPlan,
    CallState,
    CampaignId,
    CampaignState,
    Claimed,
    Millis,
    NewCall,
)
from gateway.core.retry import RetryPolicy
from gateway.core.states import AttemptEvent
from gateway.ports import (
    Backlog,
    CallHistory,
    CallPage,
    Campaign,
    Delivery,
    DeliveryPage,
    DeliveryRecord,
    DeliveryTry,
    Lane,
    StoreError,
    StoreRefused,
    Vitals,
)

T = TypeVar("T")

_CAMPAIGN = "SELECT id, account_id, name, state, single, created_at, plan, rejected FROM campaign"
CANCEL_STEP = 1000


class SqliteStore:
    """Owns its file for as long as it is open. What an upgrade is about to change is copied into ``backups`` first."""

    def __init__(
        self,
        path: Path,
        *,
        installation: str,
        policy: RetryPolicy,
        retry_unknown_outcome: bool = False,
        backups: Path | None = None,
        spending: Spending | None = None,
        clock: Callable[[], Millis] = lambda: Millis(time.time_ns() // 1_000_000),
    ) -> None:
        self._clock = clock
        self._path = path
        self._spending = spending or Spending()
        self._policy = policy
        self._retry_unknown = retry_unknown_outcome
        self._lock = lock(path)
        try:
            prepare(path, backups or path.parent / "backups")
        except BaseException:
            self._lock.close()
            raise
        self._writer = writer.Writer(path)
        self._writer.start()
        self._reader_thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._reader: Database = self._reader_thread.submit(connect, path, readonly=True).result()
        self._claims = claims.Claims(lambda: AttemptId(f"vg-{installation}-{secrets.token_hex(12)}"))
        self._plans: dict[CampaignId, CallPlan] = {}

    def reconfigure(self, policy: RetryPolicy, spending: Spending, *, retry_unknown_outcome: bool) -> None:
        """Another policy from the next attempt's end on, other ceilings from the next claim on."""
        self._policy, self._spending, self._retry_unknown = policy, spending, retry_unknown_outcome

    async def close(self) -> None:
        """Finish what was handed in, then let the file go."""
        self._writer.close()
        await asyncio.to_thread(self._writer.join)
        await asyncio.get_running_loop().run_in_executor(self._reader_thread, self._reader.close)
        self._reader_thread.shutdown()
        self._lock.close()

    async def read(self, work: Callable[[Database], T]) -> T:
        """Run a query on the reading thread."""
        return await self._read(work)

    async def write(self, work: Callable[[Database, Counts], T]) -> T:
        """Run a job on the writer thread; it is durable on return."""
        return await self._writer.run(work)

    async def _read(self, work: Callable[[Database], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader_thread, work, self._reader)
        except sqlite3.Error as error:
            raise StoreError(f"the database could not be read: {error}") from error

    # --- accounts ---

    async def add_account(
        self, login: str, pin_hash: str, settings: AccountSettings, now: Millis | None = None
    ) -> Account:
        return await self._writer.run(lambda db, counts: intake.add_account(db, login, pin_hash, settings, now))

    async def accounts(self) -> list[Account]:
        return await self._read(
            lambda db: [account_of(row) for row in db.conn.execute(f"{SELECT_ACCOUNT} ORDER BY login")]
        )

    async def account_by_login(self, login: str) -> Account | None:
        def read(db: Database) -> Account | None:
            row = db.conn.execute(f"{SELECT_ACCOUNT} WHERE login = ?", (login,)).fetchone()
            return None if row is None else account_of(row)

        return await self._read(read)

    # --- intake ---

    async def queue_call(
        self, account: AccountId, call: NewCall, plan: CallPlan, now: Millis,
        receipt: Callable[[CallId], Receipt] | None = None,
    ) -> CallId:  # fmt: skip
        return await self._writer.run(
            lambda db, counts: intake.queue_call(db, counts, account, call, plan, now, receipt)
        )

    async def open_campaign(self, account: AccountId, name: str, plan: CallPlan, now: Millis) -> CampaignId:
        campaign = await self._writer.run(lambda db, counts: intake.open_campaign(db, account, name, plan, now))
        self._plans[campaign] = plan
        return campaign

    async def load_calls(self, campaign: CampaignId, calls: Sequence[NewCall], now: Millis) -> None:
        plan = self._plans[campaign]
        await self._writer.run(lambda db, counts: intake.load_calls(db, counts, campaign, plan, calls, now))

    async def publish_campaign(
        self, campaign: CampaignId, rejected: int, receipt: Receipt | None = None, *, paused: bool = False
    ) -> None:
        state = CampaignState.PAUSED if paused else CampaignState.ACTIVE
        await self._writer.run(lambda db, counts: intake.publish_campaign(db, campaign, state, rejected, receipt))
        self._plans.pop(campaign, None)

    async def add_calls(
        self, campaign: CampaignId, calls: Sequence[NewCall], now: Millis, receipt: Receipt | None = None
    ) -> None:
        await self._writer.run(lambda db, counts: intake.add_calls(db, counts, campaign, calls, now, receipt))

    async def dialed_in(self, campaign: CampaignId, numbers: Sequence[str]) -> set[str]:
        return await self._read(lambda db: intake.dialed_in(db, campaign, numbers))

    async def discard_campaign(self, campaign: CampaignId) -> None:
        self._plans.pop(campaign, None)
        while not await self._writer.run(lambda db, counts: intake.discard_some(db, counts, campaign)):
            pass

    async def discard_unpublished(self) -> int:
        found = await self._read(intake.unpublished)
        for campaign in found:
            await self.discard_campaign(campaign)
        return len(found)

    # --- dialing ---

    async def claim(self, lanes: Sequence[Lane], now: Millis, limit: int) -> list[Claimed]:
        return await self._writer.run(
            lambda db, counts: self._claims.claim(db, counts, lanes, now, limit, self._spending)
        )

    async def next_due(self, now: Millis, opens: Mapping[str, Millis] | None = None) -> Millis | None:
        return await self._read(lambda db: self._claims.next_due(db, self._spending, now, opens))

    async def capped(self, accounts: Collection[AccountId | None], now: Millis) -> dict[AccountId | None, Hold]:
        def read(db: Database) -> dict[AccountId | None, Hold]:
            look = self._claims.look(db, self._spending, now)
            held = {one: look.hold_of_all() if one is None else look.hold(one) for one in accounts}
            return {one: hold for one, hold in held.items() if hold is not None}

        return await self._read(read)

    async def used(self, account: AccountId | None, now: Millis) -> Used:
        return await self._read(lambda db: self._claims.look(db, self._spending, now).used(account or usage.EVERYBODY))

    async def lift(self, account: AccountId | None, now: Millis) -> None:
        await self._writer.run(lambda db, counts: usage.lift(db, account or usage.EVERYBODY, now))

    async def mark_ringing(self, attempt: AttemptId, at: Millis) -> None:
        await self._writer.run(lambda db, counts: closing.mark(db, counts, attempt, AttemptEvent.RANG, at), last=True)

    async def mark_answered(self, attempt: AttemptId, at: Millis) -> None:
        event = AttemptEvent.ANSWERED
        await self._writer.run(lambda db, counts: closing.mark(db, counts, attempt, event, at), last=True)

    async def mark_leg(
        self, attempt: AttemptId, number: int, dialed: str, answered_at: Millis | None, seconds: int | None
    ) -> None:
        leg = (attempt, number, dialed, answered_at, seconds)
        await self._writer.run(lambda db, counts: usage.mark_leg(db, leg), last=True)

    async def close_attempt(self, end: AttemptEnd) -> Call:
        return await self._writer.run(
            lambda db, counts: closing.close_attempt(
                db, counts, end, self._policy, self._retry_unknown, self._spending
            ),
            last=True,
        )

    async def open_attempts(self) -> list[Claimed]:
        return await self._read(lambda db: self._attempts_with_calls(db, "state <> 'ended'", ()))

    async def claimed(self, attempt: AttemptId) -> Claimed | None:
        found = await self._read(lambda db: self._attempts_with_calls(db, "id = ?", (attempt,)))
        return found[0] if found else None

    @staticmethod
    def _attempts_with_calls(db: Database, where: str, values: tuple[str, ...]) -> list[Claimed]:
        found = []
        for row in db.conn.execute(f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE {where}", values).fetchall():
            attempt, _ = attempt_of(row)
            call = closing.read_call(db, attempt.call_id)
            assert call is not None
            account = account_of(db.conn.execute(f"{SELECT_ACCOUNT} WHERE id = ?", (call.account_id,)).fetchone())
            found.append(Claimed(call, attempt, account))
        return found

    async def expire(self, now: Millis, limit: int) -> list[Call]:
        return await self._writer.run(lambda db, counts: closing.expire(db, counts, now, limit))

    async def other_lanes(self, trunks: Collection[str]) -> list[tuple[CampaignId, str]]:
        found = await self._read(
            lambda db: db.conn.execute("SELECT campaign_id, trunk FROM lane WHERE waiting > 0").fetchall()
        )
        return [(CampaignId(campaign), trunk) for campaign, trunk in found if trunk not in trunks]

    async def waiting(
        self, campaign: CampaignId, trunk: str, after: tuple[Millis, CallId] | None, limit: int
    ) -> list[Call]:
        return await self._read(lambda db: closing.waiting(db, campaign, trunk, after or (-1, 0), limit))

    async def backlogs(self, campaign: CampaignId | None) -> list[Backlog]:
        return await self._read(lambda db: claims.backlogs(db, campaign))

    async def ahead_of(self, call: Call, limit: int) -> int:
        return await self._read(lambda db: claims.ahead_of(db, call, limit))

    async def mean_attempt_seconds(self) -> float | None:
        return await self._read(claims.mean_attempt_seconds)

    async def move_calls(self, moves: Mapping[CallId, str]) -> None:
        await self._writer.run(lambda db, counts: closing.move_calls(db, counts, moves))

    # --- holding, cancelling, pausing ---

    async def hold(self, account: AccountId | None) -> None:
        await self._writer.run(lambda db, counts: claims.hold(db, account))

    async def release(self, account: AccountId | None) -> None:
        await self._writer.run(lambda db, counts: claims.release(db, account))

    async def held(self) -> frozenset[AccountId | None]:
        return await self._read(claims.held)

    async def cancel_call(self, account: AccountId | None, call: CallId) -> CallState | None:
        return await self._writer.run(lambda db, counts: closing.cancel_call(db, counts, account, call, self._clock()))

    async def relabel(self, account: AccountId | None, call: CallId, callee: CalleeType) -> Call | None:
        return await self._writer.run(lambda db, counts: relabelling.relabel(db, account, call, callee))

    async def set_campaign_state(self, campaign: CampaignId, state: CampaignState) -> Campaign:
        """Pause, resume or cancel. Cancelling goes on in steps after the state is set; live calls end by themselves."""

        def write(db: Database, counts: Counts) -> None:
            row = db.conn.execute("SELECT state, single FROM campaign WHERE id = ?", (campaign,)).fetchone()
            if row is None:
                raise StoreRefused(f"no campaign {campaign}")
            if row[0] in (CampaignState.LOADING, CampaignState.CANCELLED) and row[0] != state:
                raise StoreRefused(f"campaign {campaign} is {row[0]} and cannot become {state}")
            if row[1] and state is CampaignState.CANCELLED:
                raise StoreRefused("the campaign of single calls cannot be cancelled: cancel its calls")
            db.conn.execute("UPDATE campaign SET state = ? WHERE id = ?", (state, campaign))

        await self._writer.run(write)
        if state is CampaignState.CANCELLED:
            while await self._writer.run(
                lambda db, counts: closing.cancel_some(db, counts, campaign, CANCEL_STEP, self._clock())
            ):
                pass
        found = await self.campaign(campaign)
        assert found is not None
        return found

    # --- reading ---

    async def campaign(self, campaign: CampaignId) -> Campaign | None:
        return next(iter(await self._read(lambda db: _campaigns(db, "WHERE id = ?", (campaign,)))), None)

    async def campaign_by_name(self, account: AccountId, name: str) -> Campaign | None:
        where = "WHERE account_id = ? AND name = ?"
        return next(iter(await self._read(lambda db: _campaigns(db, where, (account, name)))), None)

    async def campaigns(
        self, account: AccountId | None, after: CampaignId | None = None, limit: int | None = None
    ) -> list[Campaign]:
        where = "WHERE (?1 IS NULL OR account_id = ?1) AND id > ?2 ORDER BY id LIMIT ?3"
        values = (account, after or 0, -1 if limit is None else limit)
        return await self._read(lambda db: _campaigns(db, where, values))

    async def call(self, call: CallId) -> Call | None:
        return await self._read(lambda db: closing.read_call(db, call))

    async def history(self, call: CallId) -> CallHistory | None:
        def read(db: Database) -> CallHistory | None:
            with snapshot(db):
                found = closing.read_call(db, call)
                if found is None:
                    return None
                return CallHistory(found, tuple(_attempts(db, call)), outbox.of_call(db, call))

        return await self._read(read)

    async def attempts(self, call: CallId) -> list[tuple[Attempt, AttemptEnd | None]]:
        return await self._read(lambda db: _attempts(db, call))

    async def calls(self, query: CallQuery, after: Position | None, limit: int) -> CallPage:
        return await self._read(lambda db: lists.calls(db, query, after, limit))

    # --- outbox ---

    async def due_deliveries(self, now: Millis, per_host: int, limit: int) -> list[Delivery]:
        return await self._read(lambda db: outbox.due(db, now, per_host, limit))

    async def record_try(self, tried: DeliveryTry) -> None:
        await self._writer.run(lambda db, counts: outbox.record_try(db, tried))

    async def next_delivery(self) -> Millis | None:
        return await self._read(outbox.next_delivery)

    async def delivery(self, delivery: str) -> DeliveryRecord | None:
        return await self._read(lambda db: outbox.one(db, delivery))

    async def delivery_of(self, call: CallId) -> DeliveryRecord | None:
        return await self._read(lambda db: outbox.of_call(db, call))

    async def delivery_tries(self, delivery: str) -> list[DeliveryTry]:
        return await self._read(lambda db: outbox.tries(db, delivery))

    async def deliveries(self, query: DeliveryQuery, after: CallId | None, limit: int) -> DeliveryPage:
        return await self._read(lambda db: outbox.page(db, query, after, limit))

    async def redeliver(self, delivery: str, now: Millis) -> bool:
        return await self._writer.run(lambda db, counts: outbox.redeliver(db, delivery, now))

    async def vitals(self) -> Vitals:
        return await self._read(lambda db: vitals.read(db, self._path))


def _attempts(db: Database, call: CallId) -> list[tuple[Attempt, AttemptEnd | None]]:
    sql = f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE call_id = ? ORDER BY number"
    return [attempt_of(row) for row in db.conn.execute(sql, (call,))]


def _campaigns(db: Database, where: str, values: tuple[object, ...]) -> list[Campaign]:
    found = []
    for row in db.conn.execute(f"{_CAMPAIGN} {where}", values).fetchall():
        counts = dict(db.conn.execute("SELECT state, calls FROM tally WHERE campaign_id = ?", (row[0],)).fetchall())
        found.append(
            Campaign(
                id=CampaignId(row[0]),
                account_id=AccountId(row[1]),
                name=row[2],
                state=CampaignState(row[3]),
                single=bool(row[4]),
                created_at=Millis(row[5]),
                plan=None if row[6] is None else plan_of(row[6]),
                counts={state: counts.get(state, 0) for state in CallState},
                rejected=row[7],
            )
        )
    return found
