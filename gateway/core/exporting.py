"""Calls as files: which columns, and rows as CSV that no spreadsheet takes for formulas, or as JSON Lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from gateway.core.cells import cell
from gateway.core.lists import CallQuery
from gateway.core.model import AccountId, CalleeType, CallState, CampaignId, Millis
from gateway.core.saying import iso


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def content_type(self) -> str:
        return {
            Format.CSV: "text/csv; charset=utf-8",
            Format.JSONL: "application/x-ndjson",
            Format.PARQUET: "application/vnd.apache.parquet",
        }[self]


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """Which calls, in the order in which they were queued; what is None or empty does not restrict.

    ``since`` and ``until`` bound the time at which they were queued, ``until`` not included. ``number`` is a dialed
    number in full, ``prefix`` its beginning.
    """

    account: AccountId | None = None
    campaign: CampaignId | None = None
    states: tuple[CallState, ...] = ()
    callee_types: tuple[CalleeType, ...] = ()
    since: Millis | None = None
    until: Millis | None = None
    number: str | None = None
    prefix: str | None = None
    reference: str | None = None

    @classmethod
    def of(cls, query: CallQuery) -> ExportQuery:
        """What a list shows, in the order of the queue."""
        return cls(
            query.account, query.campaign, tuple(query.states), tuple(query.callee_types), number=query.number,
            prefix=query.prefix, reference=query.reference,
        )  # fmt: skip


#: A row is these, in this order; times are Unix milliseconds, and ISO 8601 in UTC once they are written.
COLUMNS = (
    "call_id", "account", "campaign_id", "campaign", "phone_number", "dialed", "trunk", "state", "attempts",
    "callee_type", "message_reference", "call_parameters", "campaign_parameters", "queued_at", "due_at",
    "last_attempt_at", "duration", "reason", "application_error",
)  # fmt: skip
INTEGERS = frozenset({"call_id", "campaign_id", "attempts", "duration"})
TIMES = frozenset({"queued_at", "due_at", "last_attempt_at"})
_TIMES = tuple(COLUMNS.index(name) for name in COLUMNS if name in TIMES)
#: Texts that others wrote: only these can begin a formula.
_FOREIGN = tuple(
    COLUMNS.index(name)
    for name in (
        "account", "campaign", "phone_number", "dialed", "trunk", "message_reference", "call_parameters",
        "campaign_parameters", "reason", "application_error",
    )
)  # fmt: skip
Row = Sequence[object]


def csv_head() -> bytes:
    return (",".join(COLUMNS) + "\r\n").encode()


def csv_of(rows: Sequence[Row]) -> bytes:
    """RFC 4180."""
    columns = _told(rows)
    for index in _FOREIGN:
        columns[index] = [value if value is None else cell(value) for value in columns[index]]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def jsonl_of(rows: Sequence[Row]) -> bytes:
    return msgspec.json.Encoder().encode_lines(
        [dict(zip(COLUMNS, row, strict=True)) for row in zip(*_told(rows), strict=True)]
    )


def _told(rows: Sequence[Row]) -> list[Iterable[object]]:
    """The rows' columns, times written out."""
    columns: list[Iterable[object]] = [*zip(*rows, strict=True)]
    for index in _TIMES:
        columns[index] = [None if value is None else iso(value) for value in columns[index]]  # type: ignore[arg-type]
    return columns
