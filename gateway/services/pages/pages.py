"""All pages together: made once by the wiring, added to the public application, and run beside the services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.core.model import AccountId
from gateway.ports import Clock, Store
from gateway.services.feed import Feed
from gateway.services.intake.desk import Desk
from gateway.services.intake.logins import Logins
from gateway.services.pages.books import Books
from gateway.services.pages.campaign import CampaignPage
from gateway.services.pages.chores import Chores
from gateway.services.pages.live import Live
from gateway.services.pages.outbound import Outbound
from gateway.services.pages.queueing import Queueing
from gateway.services.pages.rates import Rates
from gateway.services.pages.sessions import Sessions
from gateway.services.pages.signin import SignIn
from gateway.services.pages.site import Site
from gateway.services.why import Why


@dataclass(frozen=True, slots=True)
class PagesSettings:
    """``secure``: cookies are for https alone, also where a proxy in front of the gateway speaks it."""

    spool: Path
    secure: bool = False


class Pages:
    """``status`` is the gateway's state, ``live`` counts the live calls of an account, ``wake`` nudges the dialer."""

    def __init__(
        self, store: Store, books: Books, logins: Logins, feed: Feed, clock: Clock,
        desk: Desk, why: Why,
        status: Callable[[], Mapping[str, Any]], live: Callable[[AccountId | None], int], wake: Callable[[], None],
        settings: PagesSettings,
    ) -> None:  # fmt: skip
        sessions = Sessions(books, logins, clock, secure=settings.secure)
        self._site = site = Site(store, sessions, clock, status)
        self._rates = Rates(feed)
        self._live = Live(site, feed)
        self._queueing = Queueing(site, store, desk, clock, settings.spool)
        self._chores = Chores(store)
        publish = feed.publish
        outbound = Outbound(site, store, clock, self._rates, publish, lambda: status()["why_not_dialing"], wake, live)
        self._parts = (
            SignIn(site, sessions),
            outbound,
            CampaignPage(site, store, books, clock, outbound, self._chores, why, publish),
            self._queueing,
            self._live,
        )

    def setup(self, app: web.Application) -> None:
        self._site.setup(app)
        for part in self._parts:
            part.add_routes(app.router)
        app.on_shutdown.append(self._live.close)
        app.on_cleanup.append(self._queueing.close)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._rates.run())
            tasks.create_task(self._chores.run())
