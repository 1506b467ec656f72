"""Each page of a campaign of 1,000,000 calls against that of 1,000, and how soon an open page hears of a call."""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

from aiohttp.test_utils import TestClient, TestServer

from bench.common import NOW, PLAN
from gateway.core.lists import CallQuery
from gateway.core.model import AccountSettings, AttemptEnd, CalleeType, EndKind, Millis, NewCall
from gateway.parts import open_store
from gateway.ports import Lane
from gateway.services.feed import EventKind, call_data
from gateway.services.intake.logins import hasher
from gateway.settings import Agi, Ami, Config, DatabaseSection
from gateway.wiring import Gateway

SMALL, LARGE = 1000, 1_000_000
ENDED = 500
REQUESTS = 25
#: Events a second while an open page's delay is measured.
EVENTS = 100
HTML = {"Accept": "text/html"}


@asynccontextmanager
async def gateway_with(calls: int) -> AsyncIterator[tuple[Gateway, TestClient]]:  # type: ignore[type-arg]
    """The pages of a gateway without an Asterisk, over a campaign of so many calls, some of them ended."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            installation="bench", ami=Ami(secret=""), database=DatabaseSection(path=f"{folder}/q.db"),
            agi=Agi(port=0),
        )  # fmt: skip
        store = open_store(config)
        account = await store.add_account("user", hasher.hash("12345678"), AccountSettings("UTC", "US"))
        campaign = await store.open_campaign(account.id, "c", PLAN, NOW)
        for start in range(0, calls, 2000):
            batch = [
                NewCall(str(n), f"+{10_000_000 + n}", "t", message_reference=f"r{n}")
                for n in range(start, min(start + 2000, calls))
            ]
            await store.load_calls(campaign, batch, NOW)
        await store.publish_campaign(campaign, 0)
        for claimed in await store.claim([Lane("t", ENDED)], NOW, ENDED):
            callee = CalleeType.VOICE if claimed.call.id % 2 else CalleeType.BUSY
            kind = EndKind.REACHED if callee.reached else EndKind.NOT_REACHED
            await store.close_attempt(AttemptEnd(claimed.attempt.id, kind, callee, Millis(NOW + 1000)))
        gateway = Gateway(config, store)
        running = asyncio.create_task(gateway.pages.run())
        try:
            async with TestClient(TestServer(gateway.app)) as client:
                await client.post("/signin", data={"login": "user", "pin": "12345678"})
                yield gateway, client
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await store.close()


async def pages_of(gateway: Gateway) -> dict[str, str]:
    """The pages that may depend on how many calls there are: a late place of the list among them."""
    last = (await gateway.store.calls(CallQuery(descending=True), None, 1)).calls[0]
    base = f"/campaigns/{last.campaign_id}"
    return {
        "outbound": "/", "queue": base, "by status": f"{base}?order=status", "by callee": f"{base}?order=callee_type",
        "by last attempt": f"{base}?order=last_attempt&dir=down", "backwards": f"{base}?dir=down",
        "one number": f"{base}?number=%2B{10_000_000 + SMALL // 2}", "beginning": f"{base}?number=%2B100004*",
        "reference": f"{base}?reference=r500", "status and order": f"{base}?status=failed&order=last_attempt",
        "call": "/calls/1", "waiting call": f"/calls/{last.id}", "results": "/results",
    }  # fmt: skip


async def times(calls: int) -> dict[str, float]:
    """Median seconds of server time, and of the client that waits for it in the same process, by page."""
    async with gateway_with(calls) as (gateway, client):
        found: dict[str, list[float]] = {}
        for name, path in (await pages_of(gateway)).items():
            for _ in range(REQUESTS):
                began = time.perf_counter()
                async with client.get(path, headers=HTML) as answer:
                    assert answer.status == 200, (path, answer.status)
                    await answer.read()
                found.setdefault(name, []).append(time.perf_counter() - began)
        return {name: statistics.median(spent) for name, spent in found.items()}


def ratios() -> str:
    small, large = asyncio.run(times(SMALL)), asyncio.run(times(LARGE))
    ratio = {name: large[name] / small[name] for name in small}
    for name in small:
        print(
            f"page {name}: 1k {small[name] * 1e3:.1f} ms, 1M {large[name] * 1e3:.1f} ms, {ratio[name]:.2f}", flush=True
        )
    worst = max(ratio, key=lambda name: ratio[name])
    slowest = max(large.values()) * 1e3
    return f"pages at 1M calls at most {ratio[worst]:.2f} of 1k ({worst}; goal 2), slowest {slowest:.0f} ms"


async def delays() -> Sequence[float]:
    """Seconds from each of a stream of events until an open page, told of them, has been read anew."""
    async with gateway_with(SMALL) as (gateway, client):
        call = (await gateway.store.calls(CallQuery(), None, 1)).calls[0]
        spent: list[float] = []

        async def publish() -> None:
            for _ in range(EVENTS * 10):
                gateway.feed.publish(EventKind.CALL_CHANGED, call.account_id, call_data(call))
                await asyncio.sleep(1 / EVENTS)

        async def watch() -> None:
            async with client.get(f"/live?topic=campaign:{call.campaign_id}") as stream:
                async for line in stream.content:
                    if (told := re.search(rb'"since": (\d+)', line)) is not None:
                        async with client.get(f"/campaigns/{call.campaign_id}", headers=HTML) as page:
                            await page.read()
                        spent.append(time.time() - int(told[1]) / 1000)

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.2)
        await publish()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return spent


def live() -> str:
    spent = sorted(asyncio.run(delays()))
    late = spent[int(len(spent) * 0.99)]
    print(
        f"live: {len(spent)} updates, median {statistics.median(spent) * 1e3:.0f} ms, p99 {late * 1e3:.0f} ms",
        flush=True,
    )
    return f"an open page is up to date {late * 1e3:.0f} ms (p99) after an event at {EVENTS} a second (goal 1000)"


def parts() -> Iterator[Callable[[], str]]:
    yield ratios
    yield live
