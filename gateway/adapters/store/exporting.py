"""Reads calls for an export: short reads along the ids, so that the write-ahead log can always be checkpointed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlite_utils import Database

from gateway.core.exporting import ExportQuery, Row

CHUNK = 5000
#: Sorts after every number that begins with what stands before it.
BEYOND = "\U0010ffff"

#: The columns of gateway.core.exporting. What a call does not say itself, its plan says.
_REFERENCE = "coalesce(message_reference, json_extract(coalesce(call.plan, campaign.plan), '$.message_reference'))"
_SELECT = f"""SELECT call.id, account.login, call.campaign_id, campaign.name, destination, dialed, trunk, call.state,
    attempts, callee_type,
    {_REFERENCE},
    coalesce(call_parameters, json_extract(coalesce(call.plan, campaign.plan), '$.call_parameters')),
    campaign_parameters, call.created_at, due_at, last_attempt_at, duration, reason, application_error
    FROM call JOIN campaign ON campaign.id = call.campaign_id JOIN account ON account.id = campaign.account_id
    WHERE call.id > ? AND call.id <= ? AND campaign.state <> 'loading'"""


def chunks(db: Database, query: ExportQuery) -> Iterator[list[Row]]:
    where, values = _where(query)
    at, last = _ids(db, query)
    sql = f"{_SELECT} {where} ORDER BY call.id LIMIT {CHUNK}"
    while True:
        rows = db.conn.execute(sql, (at, last, *values)).fetchall()
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        at = rows[-1][0]


def _ids(db: Database, query: ExportQuery) -> tuple[int, int]:
    """Beyond which id to begin, and the last: a campaign's calls stand close together."""
    bounds = "SELECT coalesce(min(id), 1) - 1, coalesce(max(id), 0) FROM call"
    if query.campaign is not None:
        begin, end = db.conn.execute(f"{bounds} WHERE campaign_id = ?", (query.campaign,)).fetchone()
    elif query.account is not None:
        begin, end = db.conn.execute(f"{bounds} WHERE account_id = ?", (query.account,)).fetchone()
    else:
        begin, end = db.conn.execute(bounds).fetchone()
    return int(begin), int(end)


def _where(query: ExportQuery) -> tuple[str, list[int | str]]:
    parts: list[str] = []
    values: list[int | str] = []
    restricting: tuple[tuple[str, int | str | None], ...] = (
        ("campaign.account_id = ?", query.account), ("call.campaign_id = ?", query.campaign),
        ("call.created_at >= ?", query.since), ("call.created_at < ?", query.until), ("call.dialed = ?", query.number),
        ("call.dialed >= ?", query.prefix), (f"{_REFERENCE} = ?", query.reference),
    )  # fmt: skip
    for condition, value in restricting:
        if value is not None:
            # The unary + keeps SQLite on the primary key: any other index would be sorted anew for every chunk.
            parts.append(f"AND +{condition}")
            values.append(value)
    if query.prefix is not None:
        parts.append("AND +call.dialed < ?")
        values.append(query.prefix + BEYOND)
    for column, several in (("call.state", query.states), ("call.callee_type", query.callee_types)):
        if several:
            parts.append(f"AND +{column} IN ({', '.join('?' * len(several))})")
            values += [str(one) for one in several]
    return " ".join(parts), values
