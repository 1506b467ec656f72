"""Writing accounts, calls and campaigns into the queue. Every function is one job of the writer thread."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.rows import plan_json, settings_json
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
from gateway.ports import NameTaken, StoreError

DEFAULT_CAMPAIGN = "default"
#: Remains of an unfinished load are removed in steps of this many rows.
SWEEP = 5000

_INSERT_CALL = """INSERT INTO call (campaign_id, state, destination, dialed, trunk, ani, postd, message_reference,
    call_parameters, campaign_parameters, plan, due_at, expires_at, created_at)
    VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def add_account(db: Database, login: str, pin_hash: str, settings: AccountSettings) -> Account:
    try:
        done = db.conn.execute(
            "INSERT INTO account (login, pin_hash, settings) VALUES (?, ?, ?)",
            (login, pin_hash, settings_json(settings)),
        )
    except sqlite3.IntegrityError as error:
        if "login" in str(error):
            raise NameTaken(f"there is an account {login!r} already") from error
        raise
    assert done.lastrowid is not None
    return Account(AccountId(done.lastrowid), login, pin_hash, settings)


def update_account(db: Database, account: Account) -> None:
    db.conn.execute(
        "UPDATE account SET pin_hash = ?, settings = ? WHERE id = ?",
        (account.pin_hash, settings_json(account.settings), account.id),
    )


def queue_call(db: Database, account: AccountId, call: NewCall, plan: CallPlan, now: Millis) -> CallId:
    execute = db.conn.execute
    campaign = _default_campaign(db, account, now)
    done = execute(
        _INSERT_CALL,
        (campaign, call.destination, call.dialed, call.trunk, call.ani, call.postd, call.message_reference,
         call.call_parameters, call.campaign_parameters, plan_json(plan), plan.scheduled_at, plan.expires_at, now),
    )  # fmt: skip
    execute("UPDATE tally SET calls = calls + 1 WHERE campaign_id = ? AND state = 'pending'", (campaign,))
    execute("INSERT INTO lane VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET waiting = waiting + 1", (campaign, call.trunk))
    assert done.lastrowid is not None
    return CallId(done.lastrowid)


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


def load_calls(db: Database, campaign: CampaignId, plan: CallPlan, calls: Sequence[NewCall], now: Millis) -> None:
    due, expires = plan.scheduled_at, plan.expires_at
    db.conn.executemany(
        _INSERT_CALL,
        [
            (campaign, one.destination, one.dialed, one.trunk, one.ani, one.postd, one.message_reference,
             one.call_parameters, one.campaign_parameters, None, due, expires, now)
            for one in calls
        ],
    )  # fmt: skip
    counts = Counts()
    for trunk, many in Counter(one.trunk for one in calls).items():
        counts.added(campaign, trunk, CallState.PENDING, many)
    counts.write(db)


def publish_campaign(db: Database, campaign: CampaignId, rejected: int) -> None:
    done = db.conn.execute(
        "UPDATE campaign SET state = 'active', rejected = ? WHERE id = ? AND state = 'loading'", (rejected, campaign)
    )
    if done.rowcount != 1:
        raise StoreError(f"campaign {campaign} is not being loaded")


def discard_some(db: Database, campaign: CampaignId) -> bool:
    """Remove a step's worth of an unpublished campaign; True once nothing of it is left."""
    execute = db.conn.execute
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
