"""What the doctor reads out of the last calls, on a real database that the gateway has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.cli.doctor.finding import Finding, State
from gateway.cli.doctor.history import examine_history
from gateway.core.model import AccountSettings, AttemptEnd, CalleeType, EndKind, Millis
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane
from gateway.settings import Ami, Config, DatabaseSection
from tests.adapters.test_store import call, plan

START = Millis(1_800_000_000_000)


async def after(tmp_path: Path, *calls: tuple[int | None, dict[str, str] | None]) -> list[Finding]:
    """The findings after calls over one trunk: the carrier's answer, or what the evidence says of an answered one."""
    path = tmp_path / "q.db"
    store = SqliteStore(path, installation="abc", policy=RetryPolicy())
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for _ in calls:
        await store.queue_call(account.id, call(), plan(scheduled_at=START), START)
    for claimed, (sip, evidence) in zip(await store.claim([Lane("t", 500)], START, 500), calls, strict=True):
        kind, callee = (EndKind.NOT_REACHED, CalleeType.UNKNOWN) if sip else (EndKind.REACHED, CalleeType.VOICE)
        answered = None if sip else START
        end = AttemptEnd(claimed.attempt.id, kind, callee, START, answered, tech_cause=sip, evidence=evidence or {})
        await store.close_attempt(end)
    # Beside the gateway that has the database open.
    found = examine_history(Config(installation="abc", ami=Ami(secret="x"), database=DatabaseSection(path=str(path))))
    await store.close()
    return found


HEARD = (None, {"detector": "tap"})
UNHEARD = (None, {"detector": "agi", "fallback": "the tap never began"})


@pytest.mark.parametrize(
    ("calls", "key", "words"),
    [
        ([(488, None)] * 3 + [HEARD] * 7, "codecs", "SIP 488 to 3 of the last 10 attempts"),
        ([(401, None)] * 4, "credentials", "SIP 401 to 4 of the last 4"),
        ([UNHEARD] * 3 + [HEARD] * 7, "taps-missing", "3 of the last 10 answered calls were judged without"),
    ],
)
async def test_what_many_calls_show_is_a_trouble(
    tmp_path: Path, calls: list[tuple[int | None, dict[str, str] | None]], key: str, words: str
) -> None:
    (found,) = await after(tmp_path, *calls)
    assert found.trouble == key
    assert words in found.what


async def test_a_single_call_is_none(tmp_path: Path) -> None:
    (found,) = await after(tmp_path, (488, None), (401, None), UNHEARD, *[HEARD] * 17, (486, None))
    assert (found.state, found.trouble) == (State.OK, "")


def test_a_database_that_is_none_is_not_looked_into(tmp_path: Path) -> None:
    config = Config(installation="abc", ami=Ami(secret="x"), database=DatabaseSection(path=str(tmp_path / "q.db")))
    assert [one.state for one in examine_history(config)] == [State.OK]
    (tmp_path / "q.db").write_text("this is no database, and long enough to be taken for one " * 20)
    assert [one.state for one in examine_history(config)] == [State.SKIPPED]
