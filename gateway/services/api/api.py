"""The API as a whole: its rooms, made of the house's parts, mounted on TCP and on the Unix socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from gateway.core.ratelimit import RateLimit
from gateway.ports import Clock, Pbx, Store
from gateway.services.accounts import Accounts
from gateway.services.api.callers import Authenticate, Callers, by_socket
from gateway.services.api.calls import Calls
from gateway.services.api.campaigns import Campaigns
from gateway.services.api.docs import add_docs
from gateway.services.api.events import Events
from gateway.services.api.openapi import BASE, document
from gateway.services.api.people import People
from gateway.services.api.problems import answer, problem_of
from gateway.services.api.results import Results
from gateway.services.api.routing import Handler, Limits, Served, operations
from gateway.services.api.system import System
from gateway.services.api.usage import Usage
from gateway.services.audit import Audit
from gateway.services.feed import Feed
from gateway.services.intake.desk import Desk
from gateway.services.intake.logins import Logins
from gateway.services.livecalls import LiveCalls
from gateway.services.notifier import Notifier
from gateway.services.posting import Poster
from gateway.services.preflight import Preflights
from gateway.services.receipts import ReceiptBook, Receipts
from gateway.services.signing import Signing
from gateway.services.tokens import Tokens
from gateway.services.why import Why


class Part(Protocol):
    """More routes for the Unix socket."""

    def add_routes(self, router: web.UrlDispatcher) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the API stands on. ``wake`` tells the dialer of work, ``spool`` is where large bodies wait on disk."""

    store: Store
    clock: Clock
    accounts: Accounts
    logins: Logins
    tokens: Tokens
    audit: Audit
    receipts: ReceiptBook
    desk: Desk
    feed: Feed
    live: LiveCalls
    pbx: Pbx
    notifier: Notifier
    poster: Poster
    signing: Signing
    why: Why
    preflights: Preflights
    status: Callable[[], Mapping[str, Any]]
    wake: Callable[[], None]
    spool: Path
    max_body: int


class Api:
    def __init__(self, parts: Parts, limit: RateLimit) -> None:
        receipts = Receipts(parts.receipts, parts.clock)
        publish = parts.feed.publish
        self._callers = Callers(parts.logins, parts.tokens, parts.accounts)
        self._events = Events(parts.feed, self._callers.valid)
        self._operations = operations(
            Calls(
                parts.store, parts.desk, parts.accounts, receipts, parts.live, parts.pbx, parts.why, parts.audit,
                publish, parts.spool, parts.max_body,
            ),
            Campaigns(
                parts.store, parts.desk, parts.accounts, receipts, parts.why, parts.preflights, parts.audit, publish,
                parts.wake, parts.spool,
            ),
            Results(parts.store, parts.accounts, parts.notifier, parts.poster, parts.clock, parts.audit),
            People(parts.accounts, parts.tokens, parts.signing, parts.audit, parts.clock),
            Usage(parts.store, parts.accounts, parts.audit, parts.clock, parts.wake),
            System(parts.status, parts.why),
            self._events,
        )  # fmt: skip
        self._limit = limit
        self._audit = parts.audit
        self._clock = parts.clock
        self._max_body = parts.max_body
        self.document = document(self._operations)

    def mount(self, app: web.Application) -> None:
        """On TCP: with authentication, rate limits, and the documentation at /docs."""
        self._mount(app, self._callers, Limits(self._limit, self._clock))
        add_docs(app, self.document)

    def on_socket(self, *parts: Part) -> web.Application:
        """The application of the Unix socket, whose file's rights are the authentication."""
        app = web.Application(client_max_size=self._max_body)
        self._mount(app, by_socket, Limits(None, self._clock))
        for part in parts:
            part.add_routes(app.router)
        return app

    def _mount(self, app: web.Application, authenticate: Authenticate, limits: Limits) -> None:
        for operation in self._operations:
            served = Served(operation, authenticate, limits, self._audit)
            app.router.add_route(operation.route.method, BASE + operation.pattern, served.serve)
        app.middlewares.append(_as_problems)
        app.on_shutdown.append(self._events.close)


@web.middleware
async def _as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What goes wrong under the API's path outside of an operation is a problem too: an unknown address, a part's."""
    if not request.path.startswith(f"{BASE}/"):
        return await handler(request)
    try:
        return await handler(request)
    except (ConnectionError, TimeoutError):
        raise
    except Exception as error:
        return answer(problem_of(error))
