"""All pages together: made once by the wiring, added to the public application, and run beside the services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.core.model import AccountId, AttemptId, CallId
from gateway.ports import Clock, Store, Vitals
from gateway.services.accounts import Accounts
from gateway.services.audit import Audit
from gateway.services.exports import Exports
from gateway.services.feed import Feed
from gateway.services.intake.desk import Desk
from gateway.services.intake.logins import Logins
from gateway.services.pages.books import Books
from gateway.services.pages.callinfo import CallInfo
from gateway.services.pages.campaign import CampaignPage
from gateway.services.pages.chores import Chores
from gateway.services.pages.firstrun import FirstRun
from gateway.services.pages.gauges import Gauges
from gateway.services.pages.live import Live
from gateway.services.pages.outbound import Outbound
from gateway.services.pages.phone import Bridge, Phone, PhoneSettings
from gateway.services.pages.queueing import Queueing
from gateway.services.pages.rates import Rates
from gateway.services.pages.results import Results
from gateway.services.pages.runner import Runner
from gateway.services.pages.sessions import Sessions
from gateway.services.pages.settings import SettingsPage
from gateway.services.pages.signin import SignIn
from gateway.services.pages.site import Site
from gateway.services.pages.streams import Streams
from gateway.services.pages.system import System
from gateway.services.posting import Poster
from gateway.services.receipts import ReceiptBook, Receipts
from gateway.services.signing import Signing
from gateway.services.why import Why


@dataclass(frozen=True, slots=True)
class PagesSettings:
    """``secure``: cookies are for https alone, also where a proxy in front of the gateway speaks it.

    ``doctor`` is the command that examines the gateway and prints JSON, ``walk`` the one that walks through the
    application whose URL is its first line of input; empty where there is none.
    """

    spool: Path
    secure: bool = False
    doctor: tuple[str, ...] = ()
    walk: tuple[str, ...] = ()
    phone: PhoneSettings = field(default_factory=PhoneSettings)


@dataclass(frozen=True, slots=True)
class Around:
    """The services that the pages stand among, and what else they ask of the gateway.

    ``live_of`` counts the live calls of an account, or all; ``hang_up`` tells whether the call was live; ``so_far`` is
    what evidence an open attempt has; ``trunks`` are their limits, calls a second and calls at once, by name;
    ``audio`` reads a file of evidence; ``bridge`` passes the test phone's WebSocket on.
    """

    store: Store
    books: Books
    logins: Logins
    accounts: Accounts
    audit: Audit
    receipts: ReceiptBook
    feed: Feed
    clock: Clock
    desk: Desk
    why: Why
    poster: Poster
    signing: Signing
    gauges: Gauges
    status: Callable[[], Mapping[str, Any]]
    vitals: Callable[[], Awaitable[Vitals]]
    trunks: Callable[[], Mapping[str, tuple[float, int]]]
    live_of: Callable[[AccountId | None], int]
    hang_up: Callable[[CallId], Awaitable[bool]]
    so_far: Callable[[AttemptId], Mapping[str, Any]]
    audio: Callable[[str], bytes | None]
    exports: Exports
    bridge: Bridge
    wake_dialer: Callable[[], None]
    wake_notifier: Callable[[], None]


class Pages:
    def __init__(self, around: Around, settings: PagesSettings) -> None:
        store, books, clock, publish = around.store, around.books, around.clock, around.feed.publish
        sessions = Sessions(books, around.accounts, around.logins, clock, secure=settings.secure)
        self._site = site = Site(store, sessions, clock, around.audit, around.status)
        self._rates, self._gauges, self._chores = Rates(around.feed), around.gauges, Chores(store)
        self._streams = Streams(sessions)
        self._runner = Runner(site, self._streams, settings.walk)
        self._queueing = Queueing(
            site, store, around.desk, clock, Receipts(around.receipts, clock), settings.spool, around.audit
        )
        outbound = Outbound(
            site, store, clock, self._rates, publish, around.why, around.wake_dialer,
            around.live_of, around.audit,
        )  # fmt: skip
        self._first = FirstRun(site, store, around.accounts, sessions, around.audit, settings.phone, around.status)
        self._parts = (
            SignIn(site, sessions, self._streams, around.audit, self._first.link),
            self._first,
            outbound,
            CampaignPage(
                site,
                store,
                books,
                around.accounts,
                clock,
                outbound,
                self._chores,
                around.why,
                around.audit,
                around.exports,
                publish,
            ),
            CallInfo(site, store, clock, around.why, around.hang_up, around.so_far, around.audio, around.audit),
            self._queueing,
            SettingsPage(
                site, store, clock, around.accounts, around.signing, self._streams, around.audit, around.wake_dialer
            ),
            Phone(
                site, store, clock, around.desk, Receipts(around.receipts, clock), settings.phone, self._runner,
                self._streams, around.bridge, around.so_far,
            ),
            Results(site, store, clock, around.poster, around.audit, around.wake_notifier),
            System(site, clock, around.status, around.vitals, self._gauges, around.trunks, settings.doctor),
            Live(site, around.feed, self._streams),
        )  # fmt: skip

    def setup(self, app: web.Application) -> None:
        self._site.setup(app)
        for part in self._parts:
            part.add_routes(app.router)
        app.on_shutdown.append(self._close)
        app.on_cleanup.append(self._queueing.close)

    async def _close(self, app: web.Application) -> None:
        self._streams.close()

    async def first_link(self) -> str | None:
        """The path that makes the first account; None where there is one."""
        return await self._first.link()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for part in (self._rates, self._gauges, self._chores, self._runner, self._streams):
                tasks.create_task(part.run())
