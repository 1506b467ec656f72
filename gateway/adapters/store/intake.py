"""Writing accounts, calls and campaigns into the queue. Every function is one job of the writer thread."""

from __future__ import annotations

import functools
import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence

from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.receipts import put_receipt
from gateway.adapters.store.rows import plan_json, plan_of, settings_json
from gateway.core.access import Receipt
from gateway.core.model import (
    Account,
    AccountId,
    AccountSettings,
    CallId,
    CallPlan,
    CallState,
    CampaignId,
    CampaignState,
    Millis,
    NewCall,
)
from gateway.ports import NameTaken, StoreError, StoreRefused

DEFAULT_CAMPAIGN = "default"
#: Remains of an unfinished load are removed in steps of this many rows.
SWEEP = 5000
#: Rows that one INSERT carries; SQLite takes 32,766 parameters.
ROWS = 500

_INSERT_CALL = """INSERT INTO call (campaign_id, account_id, state, destination, dialed, trunk, ani, postd,
    message_reference, call_parameters, campaign_parameters, plan, due_at, expires_at, created_at)
    VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def add_account(db: Database, login: str, pin_hash: str, settings: AccountSettings, now: Millis | None) -> Account:
    try:
        done = db.conn.execute(
            "INSERT INTO account (login, pin_hash, settings, pin_set_at) VALUES (?, ?, ?, ?)",
            (login, pin_hash, settings_json(settings), now),
        )
    except sqlite3.IntegrityError as error:
        if "login" in str(error):
            raise NameTaken(f"there is an account {login!r} already") from error
        raise
    assert done.lastrowid is not None
    return Account(AccountId(done.lastrowid), login, pin_hash, settings, now)


def queue_call(
    db: Database, counts: Counts, account: AccountId, call: NewCall, plan: CallPlan, now: Millis,
    receipt: Callable[[CallId], Receipt] | None,
) -> CallId:  # fmt: skip
    """The receipt, where one is asked for, stands in the call's own transaction."""
    campaign = _default_campaign(db, account, now)
    done = db.conn.execute(
        _INSERT_CALL,
        (campaign, account, call.destination, call.dialed, call.trunk, call.ani, call.postd,
         call.message_reference or plan.message_reference, call.call_parameters, call.campaign_parameters,
         plan_json(plan), plan.scheduled_at, plan.expires_at, now),
    )  # fmt: skip
    counts.added(campaign, call.trunk, CallState.PENDING)
    assert done.lastrowid is not None
    call_id = CallId(done.lastrowid)
    if receipt is not None:
        put_receipt(db, receipt(call_id))
    return call_id


def _default_campaign(db: Database, account: AccountId, now: Millis) -> int:
    row = db.conn.execute(
        "SELECT id FROM campaign WHERE account_id = ? AND name = ? AND single", (account, DEFAULT_CAMPAIGN)
    ).fetchone()
    if row is not None:
        return int(row[0])
    return _new_campaign(db, account, DEFAULT_CAMPAIGN, CampaignState.ACTIVE, None, now)


def _new_campaign(
    db: Database, account: AccountId, name: str, state: CampaignState, plan: CallPlan | None, now: Millis
) -> int:
    done = db.conn.execute(
        "INSERT INTO campaign (account_id, name, single, state, plan, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (account, name, plan is None, state, None if plan is None else plan_json(plan), now),
    )
    assert done.lastrowid is not None
    db.conn.executemany("INSERT INTO tally VALUES (?, ?, 0)", [(done.lastrowid, state) for state in CallState])
    return done.lastrowid


def open_campaign(db: Database, account: AccountId, name: str, plan: CallPlan, now: Millis) -> CampaignId:
    if name == DEFAULT_CAMPAIGN:
        raise NameTaken(f"the campaign name {name!r} is the one of single calls")
    try:
        return CampaignId(_new_campaign(db, account, name, CampaignState.LOADING, plan, now))
    except sqlite3.IntegrityError as error:
        if "campaign.name" in str(error):
            raise NameTaken(f"the account already has a campaign named {name!r}") from error
        raise


def load_calls(
    db: Database, counts: Counts, campaign: CampaignId, plan: CallPlan, calls: Sequence[NewCall], now: Millis
) -> None:
    """Insert in statements of :data:`ROWS` rows: SQLite works on each without Python's lock, beside the reader."""
    rows = [
        (one.destination, one.dialed, one.trunk, one.ani, one.postd, one.message_reference, one.call_parameters,
         one.campaign_parameters)
        for one in calls
    ]  # fmt: skip
    owner = db.conn.execute("SELECT account_id FROM campaign WHERE id = ?", (campaign,)).fetchone()
    constant = {
        "campaign": campaign,
        "account": owner[0],
        "due": plan.scheduled_at,
        "expires": plan.expires_at,
        "now": now,
    }
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        values = [*constant.values(), *itertools.chain.from_iterable(some)]
        db.conn.execute(_insert_rows(len(some)), values)
    for trunk, many in Counter(one.trunk for one in calls).items():
        counts.added(campaign, trunk, CallState.PENDING, many)


@functools.lru_cache(maxsize=4)
def _insert_rows(count: int) -> str:
    """Parameters: campaign, account, due, expires, now, then eight for each row."""
    row = "(?1, ?2, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?3, ?4, ?5)"
    columns = (
        "campaign_id, account_id, state, destination, dialed, trunk, ani, postd, message_reference, call_parameters,"
        " campaign_parameters, due_at, expires_at, created_at"
    )
    first = "(?1, ?2, 'pending', ?6, ?, ?, ?, ?, ?, ?, ?, ?3, ?4, ?5)"
    return f"INSERT INTO call ({columns}) VALUES {', '.join([first] + [row] * (count - 1))}"


def add_calls(
    db: Database, counts: Counts, campaign: CampaignId, calls: Sequence[NewCall], now: Millis, receipt: Receipt | None
) -> None:
    """Let calls join a campaign that runs or is paused, all of them at once."""
    row = db.conn.execute("SELECT state, plan FROM campaign WHERE id = ?", (campaign,)).fetchone()
    if row is None or row[1] is None or row[0] not in (CampaignState.ACTIVE, CampaignState.PAUSED):
        what = "no campaign" if row is None else "the campaign of single calls" if row[1] is None else row[0]
        raise StoreRefused(f"campaign {campaign} is {what}: calls cannot join it")
    load_calls(db, counts, campaign, plan_of(row[1]), calls, now)
    if receipt is not None:
        put_receipt(db, receipt)


def dialed_in(db: Database, campaign: CampaignId, numbers: Sequence[str]) -> set[str]:
    """Which of the numbers the campaign holds already."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM call INDEXED BY call_dialed WHERE account_id ="
        " (SELECT account_id FROM campaign WHERE id = ?1) AND dialed = ?2 AND campaign_id = ?1)"
    )
    return {number for number in numbers if db.conn.execute(sql, (campaign, number)).fetchone()[0]}


def publish_campaign(
    db: Database, campaign: CampaignId, state: CampaignState, rejected: int, receipt: Receipt | None
) -> None:
    done = db.conn.execute(
        "UPDATE campaign SET state = ?, rejected = ? WHERE id = ? AND state = 'loading'", (state, rejected, campaign)
    )
    if done.rowcount != 1:
        raise StoreError(f"campaign {campaign} is not being loaded")
    if receipt is not None:
        put_receipt(db, receipt)


def discard_some(db: Database, counts: Counts, campaign: CampaignId) -> bool:
    """Remove a step's worth of an unpublished campaign; True once nothing of it is left."""
    execute = db.conn.execute
    counts.write(db)
    gone = execute(
        "DELETE FROM call WHERE id IN (SELECT id FROM call INDEXED BY call_due WHERE campaign_id = ?"
        " AND trunk IN (SELECT trunk FROM lane WHERE campaign_id = ?1) AND state IN ('pending', 'retrying') LIMIT ?)",
        (campaign, SWEEP),
    ).rowcount
    if gone == SWEEP:
        return False
    execute("DELETE FROM lane WHERE campaign_id = ?", (campaign,))
    execute("DELETE FROM tally WHERE campaign_id = ?", (campaign,))
    execute("DELETE FROM campaign WHERE id = ? AND state = 'loading'", (campaign,))
    return True


def unpublished(db: Database) -> list[CampaignId]:
    return [CampaignId(row[0]) for row in db.conn.execute("SELECT id FROM campaign WHERE state = 'loading'")]
