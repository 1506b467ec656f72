"""Claiming one call with 1,000 due, 1,000,000 due, and 1,000,000 paused beside 1,000 due."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator

from bench.common import NOW, PLAN, fresh_store
from gateway.core.model import CampaignState, NewCall
from gateway.ports import Lane

CLAIMS = 400


async def latency(due: int, paused: int) -> float:
    """Median seconds of a claim."""
    async with fresh_store() as (store, account, _):
        for name, count in (("paused", paused), ("due", due)):
            if not count:
                continue
            campaign = await store.open_campaign(account.id, name, PLAN, NOW)
            for start in range(0, count, 2000):
                batch = [NewCall(str(n), f"+{n}", "t") for n in range(start, min(start + 2000, count))]
                await store.load_calls(campaign, batch, NOW)
            await store.publish_campaign(campaign, 0)
            if name == "paused":
                await store.set_campaign_state(campaign, CampaignState.PAUSED)
        spent = []
        for _ in range(CLAIMS):
            started = time.perf_counter()
            assert len(await store.claim([Lane("t", 1)], NOW, 1)) == 1
            spent.append(time.perf_counter() - started)
        return statistics.median(spent)


def run() -> str:
    small, large, beside = (asyncio.run(latency(*sizes)) for sizes in ((1000, 0), (1_000_000, 0), (1000, 1_000_000)))
    print(
        f"claim: 1k due {small * 1e6:.0f} us, 1M due {large * 1e6:.0f} us, 1M paused {beside * 1e6:.0f} us", flush=True
    )
    return f"claim at 1M due {large / small:.2f}, beside 1M paused {beside / small:.2f} of 1k due (goal 1.5)"


def parts() -> Iterator[Callable[[], str]]:
    yield run
