"""Rows to records and back: the one place that knows how a plan, a call or an attempt is stored."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
from sqlite_utils import Database

from gateway.core.model import (
    Account,
    AccountId,
    AccountSettings,
    Attempt,
    AttemptEnd,
    AttemptId,
    AttemptState,
    Call,
    CalleeType,
    CallId,
    CallPlan,
    CallState,
    CampaignId,
    EndKind,
    Millis,
)

CALL_COLUMNS = """call.id, campaign.account_id, call.campaign_id, call.state, call.destination, call.dialed, call.trunk,
    call.ani, call.postd, call.campaign_parameters, coalesce(call.plan, campaign.plan), call.message_reference,
    call.call_parameters, call.attempts, call.due_at, call.created_at, call.callee_type, call.last_attempt_at,
    call.duration, call.fault_since, call.fault_count, call.reason, call.application_error"""

SELECT_CALL = f"SELECT {CALL_COLUMNS} FROM call JOIN campaign ON campaign.id = call.campaign_id"

SELECT_ACCOUNT = "SELECT id, login, pin_hash, settings, pin_set_at, old_pin_hash, old_pin_until FROM account"

ATTEMPT_COLUMNS = """id, call_id, number, trunk, state, started_at, ringing_at, answered_at, ended_at, kind,
    callee_type, cause, tech_cause, reason, application_error, evidence"""


@contextmanager
def snapshot(db: Database) -> Iterator[None]:
    """Several statements see one state of the database."""
    db.conn.execute("BEGIN")
    try:
        yield
    finally:
        db.conn.execute("ROLLBACK")


def plan_json(plan: CallPlan) -> str:
    return msgspec.json.encode(plan).decode()


@functools.lru_cache(maxsize=1024)
def plan_of(text: str) -> CallPlan:
    return msgspec.json.decode(text, type=CallPlan)


def settings_json(settings: AccountSettings) -> str:
    return msgspec.json.encode(settings).decode()


def account_of(row: sqlite3.Row | tuple[object, ...]) -> Account:
    """A row of :data:`SELECT_ACCOUNT`."""
    return Account(
        id=AccountId(_int(row[0])),
        login=str(row[1]),
        pin_hash=str(row[2]),
        settings=msgspec.json.decode(str(row[3]), type=AccountSettings),
        pin_set_at=_millis(row[4]),
        old_pin_hash=_text(row[5]),
        old_pin_until=_millis(row[6]),
    )


def call_of(row: tuple[object, ...]) -> Call:
    """A row of :data:`SELECT_CALL`."""
    values = list(row)
    reference, parameters = values[11], values[12]
    plan = plan_of(str(values[10]))
    if reference is not None or parameters is not None:
        plan = replace(
            plan,
            message_reference=plan.message_reference if reference is None else str(reference),
            call_parameters=plan.call_parameters if parameters is None else str(parameters),
        )
    return Call(
        id=CallId(_int(values[0])),
        account_id=AccountId(_int(values[1])),
        campaign_id=CampaignId(_int(values[2])),
        state=CallState(str(values[3])),
        destination=str(values[4]),
        dialed=str(values[5]),
        trunk=str(values[6]),
        ani=_text(values[7]),
        postd=_text(values[8]),
        campaign_parameters=_text(values[9]),
        plan=plan,
        attempts=_int(values[13]),
        due_at=_millis(values[14]),
        created_at=Millis(_int(values[15])),
        callee_type=None if values[16] is None else CalleeType(str(values[16])),
        last_attempt_at=_millis(values[17]),
        duration=_int(values[18]),
        fault_since=_millis(values[19]),
        fault_count=_int(values[20]),
        reason=_text(values[21]),
        application_error=_text(values[22]),
    )


def attempt_of(row: tuple[object, ...]) -> tuple[Attempt, AttemptEnd | None]:
    """A row of :data:`ATTEMPT_COLUMNS`."""
    ident = AttemptId(str(row[0]))
    attempt = Attempt(
        id=ident,
        call_id=CallId(_int(row[1])),
        number=_int(row[2]),
        trunk=str(row[3]),
        state=AttemptState(str(row[4])),
        started_at=Millis(_int(row[5])),
        ringing_at=_millis(row[6]),
        answered_at=_millis(row[7]),
    )
    if row[8] is None:
        return attempt, None
    return attempt, AttemptEnd(
        attempt_id=ident,
        kind=EndKind(str(row[9])),
        callee_type=CalleeType(str(row[10])),
        ended_at=Millis(_int(row[8])),
        answered_at=attempt.answered_at,
        ringing_at=attempt.ringing_at,
        cause=None if row[11] is None else _int(row[11]),
        tech_cause=None if row[12] is None else _int(row[12]),
        reason=_text(row[13]),
        application_error=_text(row[14]),
        evidence=msgspec.json.decode(str(row[15] or "{}"), type=dict[str, Any]),
    )


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _millis(value: object) -> Millis | None:
    return None if value is None else Millis(_int(value))
