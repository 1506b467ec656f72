"""A disk without a byte left: what live calls need is written all the same, and nothing else until there is room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.volume import Volume, why_not

SCRIPT = """
import asyncio, sys
from contextlib import suppress
from pathlib import Path

from gateway.adapters.store import SqliteStore, reserve
from gateway.core.model import AccountSettings, AttemptEnd, CalleeType, CallState, EndKind
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane, StoreError
from tests.adapters.test_store import NOW, call, plan

reserve.AGAIN = 0.05
folder = Path(sys.argv[1])

def fill():
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))

async def main():
    store = SqliteStore(folder / "q.db", installation="abc", policy=RetryPolicy())
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for _ in range(300):
        await store.queue_call(account.id, call(), plan(), NOW)
    live = await store.claim([Lane("t", 200)], NOW, 200)
    fill()
    refused = 0
    while refused < 20:  # the write-ahead log may have room of its own left
        try:
            await store.queue_call(account.id, call(), plan(), NOW)
        except StoreError as error:
            assert "full" in str(error), error
            refused += 1
    for one in live:
        await store.mark_answered(one.attempt.id, NOW)
    fill()  # whoever else writes takes what is left
    ended = [
        await store.close_attempt(AttemptEnd(one.attempt.id, EndKind.REACHED, CalleeType.VOICE, NOW, evidence={"x": "y" * 2000}))
        for one in live
    ]
    assert {one.state for one in ended} == {CallState.COMPLETED}
    with suppress(StoreError):
        assert not await store.claim([Lane("t", 1)], NOW, 1), "dialed without room for the answer"
    (folder / "filling").unlink()
    await asyncio.sleep(0.1)
    await store.queue_call(account.id, call(), plan(), NOW)
    assert (folder / "q.db.reserve").stat().st_size == reserve.SIZE
    await store.close()

asyncio.run(main())
"""


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_live_calls_end_on_a_full_disk_and_nothing_new_begins(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with Volume(folder, 24) as volume:
        done = subprocess.run(
            [*volume.words, sys.executable, "-c", SCRIPT, folder], capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
