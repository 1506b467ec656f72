"""Calls as CSV and JSON Lines, streamed page by page: a million rows need no more memory than one page."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from gateway.core import saying
from gateway.core.cells import cell
from gateway.core.lists import CallQuery
from gateway.core.model import Call
from gateway.core.states import CALL_WORDS
from gateway.ports import Store
from gateway.services.pages.site import HEADERS

BATCH = 2000
CSV, JSONL = "text/csv", "application/jsonl"
COLUMNS = (
    "call_id", "campaign_id", "phone_number", "dialed", "status", "attempts", "callee_type", "message_reference",
    "call_parameters", "campaign_parameters", "created", "due", "last_attempt", "duration", "reason",
    "application_error",
)  # fmt: skip


async def stream(request: web.Request, store: Store, query: CallQuery, kind: str, name: str) -> web.StreamResponse:
    answer = web.StreamResponse(headers={
        **HEADERS, "Cache-Control": "no-store", "Content-Type": f"{kind}; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}.{"csv" if kind == CSV else "jsonl"}"',
    })  # fmt: skip
    await answer.prepare(request)
    if kind == CSV:
        await answer.write(_csv([COLUMNS]))
    after = None
    while True:
        page = await store.calls(query, after, BATCH)
        await answer.write(await asyncio.to_thread(_lines if kind == JSONL else _rows, page.calls))
        if page.next is None:
            break
        after = page.next
    await answer.write_eof()
    return answer


def _plain(call: Call) -> dict[str, Any]:
    plan = call.plan
    values = (
        call.id, call.campaign_id, call.destination, call.dialed, CALL_WORDS[call.state], call.attempts,
        call.callee_type, plan.message_reference, plan.call_parameters, call.campaign_parameters,
        saying.iso(call.created_at), None if call.due_at is None else saying.iso(call.due_at),
        None if call.last_attempt_at is None else saying.iso(call.last_attempt_at), call.duration, call.reason,
        call.application_error,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _rows(calls: Sequence[Call]) -> bytes:
    return _csv([[cell(value) for value in _plain(call).values()] for call in calls])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _lines(calls: Sequence[Call]) -> bytes:
    return b"".join(msgspec.json.encode(_plain(call)) + b"\n" for call in calls)
