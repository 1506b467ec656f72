"""Writes the present schema, with rows of every kind, to tests/adapters/schemas/VERSION.sql: once for each release.

The test of upgrades opens each of these files with the code of today.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from gateway import __version__
from gateway.adapters.store import SqliteStore
from gateway.core.lists import CallQuery
from gateway.core.model import AccountSettings, AttemptEnd, CalleeType, CallPlan, CallState, EndKind, Millis, NewCall
from gateway.core.retry import RetryPolicy
from gateway.ports import DeliveryTry, Lane

SCHEMAS = Path(__file__).parent.parent / "tests/adapters/schemas"
NOW = Millis(1_800_000_000_000)
ENDS = (
    (EndKind.REACHED, CalleeType.VOICE), (EndKind.NOT_REACHED, CalleeType.BUSY),
    (EndKind.TRUNK_FAULT, CalleeType.UNKNOWN), (EndKind.LOST_AFTER_ANSWER, CalleeType.UNKNOWN),
    (EndKind.REACHED, CalleeType.ANSWERINGMACHINE),
)  # fmt: skip


def plan(result_url: str | None = "http://a/r", expires_at: Millis | None = None) -> CallPlan:
    return CallPlan("http://a/s", result_url, "m", None, 1, 60, NOW, expires_at)


def call(number: int) -> NewCall:
    return NewCall(f"1617555{number:04d}", f"+1617555{number:04d}", "t")


async def fill(store: SqliteStore) -> None:
    settings = AccountSettings("America/New_York", "US", allowed_prefixes=("+1",))
    account = await store.add_account("user1", "$argon2id$v=19$m=65536,t=3,p=4$eA$eA", settings)
    campaign = await store.open_campaign(account.id, "spring", plan(), NOW)
    await store.load_calls(campaign, [call(number) for number in range(8)], NOW)
    await store.publish_campaign(campaign, 2)
    await store.queue_call(account.id, call(100), plan(None, Millis(NOW + 86_400_000)), NOW)
    claimed = await store.claim([Lane("t", 6)], NOW, 6)
    for one, (kind, callee) in zip(claimed, ENDS, strict=False):
        at = Millis(NOW + 5000)
        answered = Millis(NOW + 3000) if kind is EndKind.REACHED else None
        await store.close_attempt(
            AttemptEnd(
                one.attempt.id, kind, callee, at, answered, None, 17, 486, "because", evidence={"detector": "agi"}
            )
        )
    await store.mark_answered(claimed[5].attempt.id, Millis(NOW + 3000))
    accepted, refused = await store.due_deliveries(Millis(NOW + 6000), 9, 9)
    await store.record_try(DeliveryTry(accepted.id, Millis(NOW + 6000), True, 200, None, None))
    await store.record_try(DeliveryTry(refused.id, Millis(NOW + 6000), False, 500, "HTTP 500", Millis(NOW + 16_000)))
    query = CallQuery(campaign=campaign, states=frozenset({CallState.PENDING}))
    await store.cancel_call(None, (await store.calls(query, None, 1)).calls[0].id)


async def dump() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "q.db"
        store = SqliteStore(path, installation="abc", policy=RetryPolicy())
        try:
            await fill(store)
        finally:
            await store.close()
        with closing(sqlite3.connect(path)) as db:
            return "\n".join(db.iterdump()) + "\n"


def main() -> None:
    target = SCHEMAS / f"{__version__}.sql"
    if target.exists():
        sys.exit(f"{target} is there: a released schema is never changed")
    target.write_text(asyncio.run(dump()))
    print(target)


if __name__ == "__main__":
    main()
