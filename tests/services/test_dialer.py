"""The dialer's loop when what it leans on fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from gateway.adapters.store import SqliteStore
from gateway.core.model import AccountSettings, Claimed, Millis
from gateway.core.pacing import Limit, Pacer
from gateway.core.retry import RetryPolicy
from gateway.parts import SystemClock
from gateway.ports import Lane, Originate, Placed, Placement, StoreError
from gateway.services import dialer, spending
from gateway.services.dialer import Dialer, Dialing, NoRoute
from gateway.services.hearing import Hearing
from gateway.services.livecalls import LiveCalls
from gateway.services.notifier import Notifier, NotifierSettings
from gateway.services.rerouter import Rerouter
from gateway.services.spending import SpendWatch
from tests.adapters.test_store import call, plan
from tests.services.test_rescuer import Clock, StubPbx


@pytest.mark.parametrize("method", ["next_due", "expire", "claim"])
async def test_a_store_that_fails_for_a_while_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    works: Callable[..., object] = getattr(store, method)
    failures, worked = 2, asyncio.Event()

    async def fails(*arguments: object) -> object:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreError("disk I/O error")
        worked.set()
        return await works(*arguments)  # type: ignore[misc]

    monkeypatch.setattr(dialer, "IDLE_LOOK", 0.02)
    monkeypatch.setattr(store, method, fails)
    pbx, clock = StubPbx(), Clock(Millis(1_800_000_000_000))
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(5, 5), {"t": Limit(5, 5)})
    running = asyncio.create_task(Dialer(store, pbx, live, clock, pacer, lambda claimed: None).run())  # type: ignore
    async with asyncio.timeout(5):
        await worked.wait()
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_while_asterisk_does_not_answer_no_more_calls_are_put_at_risk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent to an Asterisk that stalls is never dialed again, so little may be sent."""
    monkeypatch.setattr(dialer, "UNANSWERED", 0.2)
    monkeypatch.setattr(dialer, "IDLE_LOOK", 0.05)
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()),
        SystemClock(),
        StubPbx(),
    )
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for number in range(50):
        await store.queue_call(account.id, call(number), plan(scheduled_at=clock.now()), clock.now())
    sent, answers = 0, asyncio.Event()

    async def originate(request: Originate) -> Placement:
        nonlocal sent
        sent += 1
        await answers.wait()
        return Placement(Placed.QUEUED)

    monkeypatch.setattr(pbx, "originate", originate, raising=False)
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(20, 99), {"t": Limit(20, 99)})
    made = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    running = asyncio.create_task(made.run())
    await asyncio.sleep(1.0)
    assert 0 < sent <= 6  # of the 20 that the pace allows
    assert "does not answer" in (made.why_not_dialing or "")
    answers.set()
    before = sent
    await asyncio.sleep(0.5)
    assert sent > before + 3
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_a_slow_pace_does_not_keep_a_faster_one_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "IDLE_LOOK", 0.05)
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for number in range(2):
        await store.queue_call(account.id, call(number), plan(scheduled_at=clock.now()), clock.now())
    sent: asyncio.Queue[Originate] = asyncio.Queue()

    async def originate(request: Originate) -> Placement:
        sent.put_nowait(request)
        return Placement(Placed.QUEUED)

    monkeypatch.setattr(pbx, "originate", originate, raising=False)
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(0.01, 9), {"t": Limit(0.01, 9)})
    made = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(5):
        await sent.get()
        made.relimit(Limit(20, 9), {"t": Limit(20, 9)})  # a reload
        await sent.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_the_pace_of_an_account_is_dialed_as_it_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialer wakes when the account's own pace lets the next call start, and not with its next idle look."""
    monkeypatch.setattr(dialer, "IDLE_LOOK", 60.0)
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    account = await store.add_account("u", "h", AccountSettings("UTC", "US", cps=10))
    for number in range(40):
        await store.queue_call(account.id, call(number), plan(scheduled_at=clock.now()), clock.now())
    sent = 0

    async def originate(request: Originate) -> Placement:
        nonlocal sent
        sent += 1
        return Placement(Placed.QUEUED)

    monkeypatch.setattr(pbx, "originate", originate, raising=False)
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(100, 99), {"t": Limit(100, 99)})
    made = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(20):
        while sent < 16:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_numbers_that_may_not_be_dialed_let_no_trunk_rest(tmp_path: Path) -> None:
    """What one account may no longer dial says nothing of the trunk that all accounts use."""
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for number in range(15):
        await store.queue_call(account.id, call(number), plan(scheduled_at=clock.now()), clock.now())
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(100, 99), {"t": Limit(100, 99)})

    def refuse(claimed: object) -> Dialing:
        raise NoRoute("may not be dialed: the account's blocked list holds +1617")

    made = Dialer(store, pbx, live, clock, pacer, refuse)  # type: ignore[arg-type]
    closed: list[str] = []
    live.on_closed(lambda one, end, ended: closed.append(end.reason or ""))
    running = [asyncio.create_task(part) for part in (live.run(), made.run())]
    async with asyncio.timeout(10):
        while len(closed) < 15:
            await asyncio.sleep(0.02)
    assert made.health["t"].faults == 0 and made.health["t"].may_dial(clock.now()) is None
    for task in reversed(running):  # what the dialer closes, the live calls still write down
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await store.close()


async def test_nothing_is_committed_while_asterisk_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialer, "IDLE_LOOK", 0.02)
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for number in range(9):
        await store.queue_call(account.id, call(number), plan(scheduled_at=clock.now()), clock.now())
    answering, sent, asked = False, 0, 0

    async def answers(within: float) -> bool:
        nonlocal asked
        asked += 1
        return answering

    async def originate(request: Originate) -> Placement:
        nonlocal sent
        sent += 1
        return Placement(Placed.QUEUED)

    monkeypatch.setattr(pbx, "answers", answers)
    monkeypatch.setattr(pbx, "originate", originate, raising=False)
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(100, 99), {"t": Limit(100, 99)})
    made = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(5):
        while asked < 5:
            await asyncio.sleep(0.01)
        assert await store.open_attempts() == [] and sent == 0
        assert "does not answer" in (made.why_not_dialing or "")
        answering = True
        while sent < 9:
            await asyncio.sleep(0.01)
    assert made.why_not_dialing is None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_a_trunk_is_dialed_at_its_pace_beside_one_that_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room on another trunk is no reason to wait for the next idle look."""
    monkeypatch.setattr(dialer, "IDLE_LOOK", 60.0)
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    for number in range(40):
        await store.queue_call(account.id, call(number), plan(scheduled_at=clock.now()), clock.now())
    sent = 0

    async def originate(request: Originate) -> Placement:
        nonlocal sent
        sent += 1
        return Placement(Placed.QUEUED)

    monkeypatch.setattr(pbx, "originate", originate, raising=False)
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(100, 99), {"t": Limit(10, 99), "idle": Limit(10, 99)})
    made = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    running = asyncio.create_task(made.run())
    async with asyncio.timeout(20):
        while sent < 16:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


@pytest.mark.parametrize("part", ["dialer", "notifier", "rerouter", "spending"])
async def test_what_waits_for_work_ends_when_it_is_told_to_though_work_comes_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Python 3.11's wait_for takes what it waited for and forgets that it was cancelled: a stop would never end."""
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(1, 1), {"t": Limit(1, 1)})
    monkeypatch.setattr(spending, "PAUSE", 0.0)
    parts: dict[str, tuple[Callable[[], Coroutine[None, None, None]], Callable[[], None]]] = {}
    dialing = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    parts["dialer"] = dialing.run, dialing.wake
    posting = Notifier(store, None, clock, NotifierSettings())  # type: ignore[arg-type]  # nothing is owed
    parts["notifier"] = posting.run, posting.wake
    finding = Rerouter(store, frozenset({"t"}), lambda call, account: "t")
    parts["rerouter"] = finding.run, finding.nudge
    telling = SpendWatch(store, clock)
    parts["spending"] = telling.run, telling.wake
    run, wake = parts[part]
    running = asyncio.create_task(run())
    await asyncio.sleep(0.5)  # it waits now
    wake()
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    await store.close()


async def test_what_is_being_claimed_when_it_stops_is_dialed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its attempt is in the books: dropped, it would be one whose phone may have rung, and its call would be lost."""
    store, clock, pbx = (
        SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy()), SystemClock(), StubPbx(),
    )  # fmt: skip
    account = await store.add_account("u", "h", AccountSettings("UTC", "US"))
    await store.queue_call(account.id, call(), plan(scheduled_at=clock.now()), clock.now())
    claiming, slow, whole, sent = asyncio.Event(), asyncio.Event(), store.claim, list[Originate]()

    async def claim(lanes: list[Lane], now: Millis, limit: int) -> list[Claimed]:
        found = await whole(lanes, now, limit)
        claiming.set()
        await slow.wait()
        return found

    async def originate(request: Originate) -> Placement:
        sent.append(request)
        return Placement(Placed.QUEUED)

    monkeypatch.setattr(store, "claim", claim)
    monkeypatch.setattr(pbx, "originate", originate, raising=False)
    live = LiveCalls(store, pbx, clock, Hearing(pbx, None))  # type: ignore[arg-type]
    pacer = Pacer.of(Limit(5, 5), {"t": Limit(5, 5)})
    made = Dialer(store, pbx, live, clock, pacer, lambda claimed: Dialing("PJSIP/1@t", None, 45, 60))  # type: ignore
    running = asyncio.create_task(made.run())
    await claiming.wait()
    stopping = asyncio.create_task(made.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    slow.set()
    async with asyncio.timeout(5):
        await stopping
    assert len(sent) == 1 and len(live) == 1
    await running
    await store.close()
