"""The house's records as the API's models."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, TypeVar, overload

import msgspec

from gateway.core.access import AuditEntry, Token
from gateway.core.admission import Hold
from gateway.core.lists import Position
from gateway.core.model import Account, Attempt, AttemptEnd, Call, Millis
from gateway.core.signing import SigningKeys
from gateway.core.states import CALL_WORDS
from gateway.ports import CallHistory, Campaign, DeliveryRecord, DeliveryTry
from gateway.services.api.problems import invalid
from gateway.services.intake.desk import Load
from gateway.services.preflight import Preflight
from voxgate import models

T = TypeVar("T")


@overload
def moment(at: Millis) -> datetime: ...
@overload
def moment(at: Millis | None) -> datetime | None: ...
def moment(at: Millis | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)


def millis(at: datetime | None) -> Millis | None:
    return None if at is None else Millis(round(at.timestamp() * 1000))


def call(one: Call, login: str) -> models.Call:
    return models.Call(**_call(one, login))


def call_detail(found: CallHistory, login: str) -> models.CallDetail:
    return models.CallDetail(
        **_call(found.call, login),
        history=[attempt(begun, end) for begun, end in found.attempts],
        delivery=None if found.delivery is None else delivery(found.delivery, login),
    )


def _call(one: Call, login: str) -> dict[str, Any]:
    plan = one.plan
    return {
        "id": one.id,
        "account": login,
        "campaign_id": one.campaign_id,
        "state": one.state,
        "shown": CALL_WORDS[one.state],
        "phone_number": one.destination,
        "dialed": one.dialed,
        "trunk": one.trunk,
        "caller_id": one.ani,
        "start_url": plan.start_url,
        "result_url": plan.result_url,
        "message_reference": plan.message_reference,
        "call_parameters": plan.call_parameters,
        "campaign_parameters": one.campaign_parameters,
        "max_retries": plan.max_retries,
        "retry_interval": plan.retry_interval,
        "expires_at": moment(plan.expires_at),
        "created_at": moment(one.created_at),
        "due_at": moment(one.due_at),
        "attempts": one.attempts,
        "callee_type": one.callee_type,
        "last_attempt_at": moment(one.last_attempt_at),
        "duration": one.duration,
        "reason": one.reason,
        "application_error": one.application_error,
    }


def attempt(one: Attempt, end: AttemptEnd | None) -> models.Attempt:
    return models.Attempt(
        number=one.number,
        id=None if end is None else one.id,
        state=one.state,
        trunk=one.trunk,
        started_at=moment(one.started_at),
        ringing_at=moment(one.ringing_at),
        answered_at=moment(one.answered_at),
        ended_at=None if end is None else moment(end.ended_at),
        kind=None if end is None else end.kind,
        callee_type=None if end is None else end.callee_type,
        cause=None if end is None else end.cause,
        tech_cause=None if end is None else end.tech_cause,
        reason=None if end is None else end.reason,
        application_error=None if end is None else end.application_error,
        evidence={} if end is None else dict(end.evidence),
    )


def delivery(one: DeliveryRecord, login: str) -> models.Delivery:
    return models.Delivery(**_delivery(one, login))


def delivery_detail(one: DeliveryRecord, login: str, tries: list[DeliveryTry]) -> models.DeliveryDetail:
    return models.DeliveryDetail(**_delivery(one, login), history=[_tried(each) for each in tries])


def _delivery(one: DeliveryRecord, login: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "call_id": one.call_id,
        "account": login,
        "state": one.state,
        "url": one.url,
        "form": dict(one.form),
        "tries": one.tries,
        "created_at": moment(one.created_at),
        "next_at": moment(one.next_at),
        "accepted_at": moment(one.accepted_at),
        "given_up_at": moment(one.given_up_at),
        "last_status": one.last_status,
        "last_error": one.last_error,
    }


def _tried(one: DeliveryTry) -> models.DeliveryTry:
    return models.DeliveryTry(
        at=moment(one.at),
        accepted=one.accepted,
        status=one.status,
        error=one.error,
        took=one.took,
        response=one.response,
        next_at=moment(one.next_at),
    )


def campaign(one: Campaign, login: str) -> models.Campaign:
    plan = one.plan
    return models.Campaign(
        id=one.id,
        account=login,
        name=one.name,
        state=one.state,
        single=one.single,
        created_at=moment(one.created_at),
        start_url=None if plan is None else plan.start_url,
        result_url=None if plan is None else plan.result_url,
        scheduled_at=None if plan is None else moment(plan.scheduled_at),
        expires_at=None if plan is None else moment(plan.expires_at),
        counts=dict(one.counts),
        rejected=one.rejected,
    )


def loaded(load: Load) -> models.Loaded:
    assert load.campaign is not None
    return models.Loaded(
        campaign_id=load.campaign,
        name=load.name,
        queued=load.queued,
        rejected=load.rejected,
        first_rejected=[models.Rejected(line=line, text=text, reason=why) for line, text, why in load.first_rejected],
    )


def upload(load: Load, login: str) -> models.Upload:
    return models.Upload(
        name=load.name,
        account=login,
        campaign_id=load.campaign,
        bytes_total=load.bytes_total,
        bytes_read=load.bytes_read,
        queued=load.queued,
        rejected=load.rejected,
        done=load.done,
    )


def hold(one: Hold) -> models.Hold:
    return models.Hold(reason=one.reason, text=one.text, change=one.change, until=moment(one.until))


def preflight(one: Preflight) -> models.Preflight:
    foreseen = one.forecast
    return models.Preflight(
        dialable=one.dialable,
        blocked=[models.Refusal(reason=each.reason, example=each.example, calls=each.calls) for each in one.blocked],
        problems=list(one.problems),
        hold=None if one.hold is None else hold(one.hold),
        forecast=None if foreseen is None else models.Forecast(
            starts_at=moment(foreseen.starts_at),
            finishes_at=moment(foreseen.finishes_at),
            expiring=foreseen.expiring,
            trunks=[
                models.TrunkForecast(
                    trunk=each.trunk, calls=each.calls, others=each.others, rate=each.rate,
                    starts_at=moment(each.starts_at), finishes_at=moment(each.finishes_at),
                )
                for each in foreseen.trunks
            ],
        ),
        expires_at=moment(one.expires_at),
        call_seconds=one.call_seconds,
        call_seconds_measured=one.call_seconds_measured,
    )  # fmt: skip


def account(one: Account) -> models.Account:
    return models.Account(
        id=one.id,
        login=one.login,
        pin_set_at=moment(one.pin_set_at),
        old_pin_until=moment(one.old_pin_until),
        settings=one.settings,
    )


def signing(keys: SigningKeys | None) -> models.Signing:
    return models.Signing(**_signing(keys))


def issued_signing(keys: SigningKeys) -> models.IssuedSigning:
    return models.IssuedSigning(**_signing(keys), secret=keys.secret)


def _signing(keys: SigningKeys | None) -> dict[str, Any]:
    return {
        "signed": keys is not None,
        "set_at": None if keys is None else moment(keys.set_at),
        "old_until": None if keys is None else moment(keys.old_until),
    }


def token(one: Token, login: str | None, issuer: str | None) -> models.Token:
    return models.Token(
        id=one.id,
        account=login,
        name=one.name,
        scopes=sorted(one.scopes),
        created_at=moment(one.created_at),
        expires_at=moment(one.expires_at),
        used_at=moment(one.used_at),
        revoked_at=moment(one.revoked_at),
        issuer=issuer,
    )


def audit_line(one: AuditEntry, login: str | None) -> models.AuditLine:
    return models.AuditLine(
        id=one.id,
        at=moment(one.at),
        actor=one.actor,
        action=one.action,
        subject=one.subject,
        account=login,
        detail=one.detail,
        origin=one.origin,
        outcome=one.outcome,
    )


# --- cursors ---


def cursor(position: Position | int | None) -> str | None:
    """Where a list goes on, as text that means nothing to its reader."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(position)).decode().rstrip("=")


def position_of(text: str | None) -> Position | None:
    """Raises :class:`Problem`."""
    return None if text is None else _decoded(text, Position)


def number_of(text: str | None) -> int | None:
    """Raises :class:`Problem`."""
    return None if text is None else _decoded(text, int)


def _decoded(text: str, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise invalid("after", "is no cursor: pass the `next` of the page before") from None
