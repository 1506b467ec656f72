"""A list of 1,000,000 numbers: killed in mid-upload and sent again, then claimed from, on the same database."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.model import CallPlan, CampaignState, Claimed, Millis, NewCall
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane
from lab import clients
from lab.application import SampleApplication
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab

COUNT = 1_000_000
NAME = "million"
#: Seconds ahead for which the list is scheduled, so that nothing of it is dialed meanwhile.
WEEK = 7 * 86_400
PLAN = CallPlan("http://a/s", None, None, None, 0, 60, Millis(0), None)


def upload(gateway: GatewayProcess, start_url: str, listed: Path) -> subprocess.Popen[str]:
    """Send the list as PHP 5 did: by curl, as a file."""
    form = {
        "login": LOGIN, "pin": PIN, "campaign_name": NAME, "start_url": start_url,
        "scheduled_timestamp": str(int(time.time()) + WEEK), "phone_list": f"@{listed}",
    }  # fmt: skip
    parts = [word for name, value in form.items() for word in ("-F", f"{name}={value}")]
    command = [*clients.curl(), *parts, f"{gateway.base}/webservice/queuecalls.php"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rows(database: Path, sql: str) -> tuple[int, ...]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        found: tuple[int, ...] = connection.execute(sql).fetchone()
        return found


@pytest.fixture(scope="module")
def million(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The database after a kill -9 at 40 % of the list, and the same list sent again."""
    folder = tmp_path_factory.mktemp("million")
    listed = folder / "list.txt"
    with listed.open("w") as file:
        file.writelines(f"1617{number:07d}\n" for number in range(2_000_000, 2_000_000 + COUNT))
    gateway = GatewayProcess(lab, name="million")
    gateway.add_account()
    database = gateway.folder / "voxgate.db"
    with SampleApplication() as application:
        try:
            gateway.start()
            sending = upload(gateway, application.start_url, listed)
            while sending.poll() is None and rows(database, "SELECT count(*) FROM call")[0] < 0.4 * COUNT:
                time.sleep(0.1)
            gateway.kill()
            said, _ = sending.communicate(timeout=30)
            assert 0 < rows(database, "SELECT count(*) FROM call")[0] < COUNT, said
            assert "queued" not in said
            gateway.start()
            said, errors = upload(gateway, application.start_url, listed).communicate(timeout=300)
        finally:
            status = gateway.stop()
    assert status == 0
    reply = ElementTree.fromstring(said or f"<none>{errors}</none>")
    assert [reply.get(name) for name in ("status", "queued", "rejected")] == ["queued", str(COUNT), "0"]
    yield database
    shutil.rmtree(folder)


def test_a_list_killed_at_two_fifths_and_sent_again_holds_each_number_once(million: Path) -> None:
    assert rows(million, "SELECT count(*), count(DISTINCT dialed) FROM call") == (COUNT, COUNT)
    assert rows(million, "SELECT sum(calls) FROM tally WHERE state = 'pending'") == (COUNT,)
    assert rows(million, "SELECT sum(waiting) FROM lane") == (COUNT,)
    assert rows(million, f"SELECT count(*), max(state = 'active') FROM campaign WHERE name = '{NAME}'") == (1, 1)


@pytest.mark.parametrize("crowd", ["due", "paused", "full trunk"])
async def test_a_million_others_hold_up_nobody(million: Path, tmp_path: Path, crowd: str) -> None:
    """A single call queued behind 1,000,000, and a small campaign beside them, are dialed within two pacing slots."""
    path = tmp_path / "queue.db"
    shutil.copy(million, path)
    store = SqliteStore(path, installation="test", policy=RetryPolicy())
    try:
        now = Millis(int((time.time() + 2 * WEEK) * 1000))
        account = (await store.accounts())[0].id
        big = await store.campaign_by_name(account, NAME)
        assert big is not None
        if crowd == "paused":
            await store.set_campaign_state(big.id, CampaignState.PAUSED)
        trunk = "phones" if crowd == "full trunk" else "carrier"
        small = await store.open_campaign(account, "small", PLAN, now)
        await store.load_calls(small, [NewCall(str(n), f"+{n}", trunk) for n in range(10)], now)
        await store.publish_campaign(small, 0)
        single = await store.queue_call(account, NewCall("1", "+1", trunk), PLAN, now)

        async def slot() -> Claimed:
            (claimed,) = await store.claim([Lane(trunk, 1)], now, 1)
            return claimed

        assert single in [(await slot()).call.id for _ in range(2)]
        assert small in [(await slot()).call.campaign_id for _ in range(2)]
    finally:
        await store.close()
