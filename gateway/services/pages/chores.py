"""What takes longer than a page may: goes on behind, and the page tells how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from gateway.core.lists import CallOrder, CallQuery
from gateway.core.model import CallState, CampaignId
from gateway.core.states import WAITING
from gateway.ports import Store, StoreError
from gateway.services.pages.site import Refused

log = structlog.get_logger()

BATCH = 500
#: Ended chores that are still told of.
TOLD = 100


@dataclass(slots=True)
class Chore:
    """``text`` says what goes on, then how it ended."""

    text: str
    running: bool = True
    failed: bool = False


class Chores:
    """At most one a campaign. :meth:`run` holds their tasks; what a stop of the gateway interrupts is not resumed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._chores: dict[CampaignId, Chore] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.Event().wait()

    def of(self, campaign: CampaignId) -> Chore | None:
        return self._chores.get(campaign)

    def start(self, campaign: CampaignId, text: str, work: Callable[[], Awaitable[str]]) -> None:
        """Raises :class:`Refused` where one goes on already."""
        if (old := self._chores.pop(campaign, None)) is not None and old.running:
            self._chores[campaign] = old
            raise Refused(f"{old.text}: wait until it is done.", 409)
        if self._tasks is None:
            raise Refused("The gateway is starting or stopping: try again.", 503)
        while len(self._chores) >= TOLD:
            self._chores.pop(next(iter(self._chores)))
        chore = self._chores[campaign] = Chore(text)
        self._tasks.create_task(self._do(chore, work))

    async def _do(self, chore: Chore, work: Callable[[], Awaitable[str]]) -> None:
        try:
            chore.text = await work()
        except StoreError as error:
            log.error("chore.failed", what=chore.text, error=str(error))
            chore.text, chore.failed = f"{chore.text} failed: {error}", True
        finally:
            chore.running = False

    async def delete(self, query: CallQuery) -> int:
        """Cancel the calls of ``query`` that wait; how many there were."""
        if query.order is not CallOrder.NUMBER:
            # Ordered by what changes as it is dialed, a call might be passed over, and ring although it was deleted.
            query = replace(query, order=CallOrder.QUEUE, descending=False)
        deleted, after = 0, None
        while True:
            page = await self._store.calls(query, after, BATCH)
            waiting = [call.id for call in page.calls if call.state in WAITING]
            states = await asyncio.gather(*(self._store.cancel_call(None, ident) for ident in waiting))
            deleted += states.count(CallState.CANCELLED)
            if page.next is None:
                return deleted
            after = page.next
