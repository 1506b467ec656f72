"""Posts results from the outbox until they are accepted or, visibly, given up; one slow host delays no other."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

import structlog

from gateway.core.model import Millis
from gateway.happenings import Observe, ResultPosted, Stopwatch, of_call, unobserved
from gateway.ports import Clock, Delivery, DeliveryTry, Store, StoreError
from gateway.services.feed import EventKind, Publish, unheard
from gateway.services.posting import Poster

log = structlog.get_logger()

IDLE_LOOK = 1.0
BATCH = 200


@dataclass(frozen=True, slots=True)
class NotifierSettings:
    """Times in seconds. After ``give_up_after`` a result is kept, shown, and posted no more."""

    timeout: float = 15.0
    backoff: float = 10.0
    backoff_limit: float = 3600.0
    give_up_after: float = 86_400.0
    per_host: int = 8
    in_all: int = 64


class Notifier:
    def __init__(
        self,
        store: Store,
        poster: Poster,
        clock: Clock,
        settings: NotifierSettings,
        publish: Publish = unheard,
        observe: Observe = unobserved,
    ) -> None:
        self._store = store
        self._publish = publish
        self._poster = poster
        self._clock = clock
        self._settings = settings
        self._observe = observe
        self._work = asyncio.Event()
        self._under_way: dict[str, str] = {}

    def reconfigure(self, settings: NotifierSettings) -> None:
        """Other settings from the next try on."""
        self._settings = settings

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._work.clear()
                try:
                    # What is under way now may be accepted before the store tells what was owed now.
                    now, under_way = self._clock.now(), set(self._under_way)
                    due = await self._store.due_deliveries(now, self._settings.per_host, BATCH)
                    self._start(tasks, [one for one in due if one.id not in under_way])
                except StoreError as error:
                    log.error("notifier.store", error=str(error))
                try:
                    async with asyncio.timeout(IDLE_LOOK):
                        await self._work.wait()
                except TimeoutError:
                    pass

    def _start(self, tasks: asyncio.TaskGroup, due: list[Delivery]) -> None:
        hosts = Counter(self._under_way.values())
        for delivery in due:
            if hosts[delivery.host] >= self._settings.per_host:
                continue
            if len(self._under_way) >= self._settings.in_all:
                break
            hosts[delivery.host] += 1
            self._under_way[delivery.id] = delivery.host
            with of_call(delivery.call_id):
                tasks.create_task(self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            watch = Stopwatch()
            tried = await self._try(delivery)
            self._observe(ResultPosted(delivery, tried, watch.seconds))
            await self._recorded(tried)
            given_up = not tried.accepted and tried.next_at is None
            log.info(
                "result.posted" if tried.accepted else "result.not_accepted",
                tries=delivery.tries + 1, status=tried.status, error=tried.error,
                given_up=given_up,
            )  # fmt: skip
            self._publish(
                EventKind.DELIVERY_TRIED, delivery.account_id,
                {"delivery_id": delivery.id, "call_id": delivery.call_id, "accepted": tried.accepted,
                 "given_up": given_up, "tries": delivery.tries + 1, "status": tried.status, "error": tried.error,
                 "next_at": tried.next_at},
            )  # fmt: skip
        except StoreError as error:
            log.error("notifier.store", error=str(error))
            await asyncio.sleep(IDLE_LOOK)
        finally:
            del self._under_way[delivery.id]
            self._work.set()

    async def _recorded(self, tried: DeliveryTry) -> None:
        """Write the try down, however long that takes: until then it is not posted again."""
        while True:
            try:
                return await self._store.record_try(tried)
            except StoreError as error:
                log.error("notifier.store", error=str(error))
                await asyncio.sleep(IDLE_LOOK)

    async def _try(self, delivery: Delivery) -> DeliveryTry:
        posted = await self._poster.post(
            delivery.account_id, delivery.id, delivery.url, delivery.form, self._settings.timeout
        )
        now = self._clock.now()
        return DeliveryTry(
            delivery.id, now, accepted=posted.accepted, status=posted.status, error=posted.error,
            next_at=None if posted.accepted else self._next(delivery, now), took=posted.took, response=posted.response,
        )  # fmt: skip

    def _next(self, delivery: Delivery, now: Millis) -> Millis | None:
        settings = self._settings
        gap = min(settings.backoff * 2 ** min(delivery.tries, 20), settings.backoff_limit)
        gap *= random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        due = Millis(now + round(gap * 1000))
        return due if due - delivery.since <= settings.give_up_after * 1000 else None
