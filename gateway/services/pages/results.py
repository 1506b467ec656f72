"""The result outbox: every post with its tries, posting again, and a test post."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from gateway.core.lists import DeliveryQuery, DeliveryState
from gateway.core.model import CallId
from gateway.core.plum import FieldError, read_url
from gateway.core.result import example_form
from gateway.core.visiting import Visitor
from gateway.ports import Clock, Store
from gateway.services.audit import Audit
from gateway.services.pages.site import NotHere, Site, back
from gateway.services.posting import Posted, Poster

PAGE = 25


class Results:
    """``wake`` tells the notifier that there is work."""

    def __init__(
        self, site: Site, store: Store, clock: Clock, poster: Poster, audit: Audit, wake: Callable[[], None]
    ) -> None:
        self._site = site
        self._store = store
        self._clock = clock
        self._poster = poster
        self._audit = audit
        self._wake = wake

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/results", self._site.page(self.show))
        router.add_post("/results/test", self._site.action(self.test))
        router.add_post("/results/{id}/retry", self._site.action(self.retry))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        return await self._page(request, visitor)

    async def _page(
        self, request: web.Request, visitor: Visitor, url: str = "", tested: Posted | None = None,
        error: str = "",
    ) -> web.Response:  # fmt: skip
        asked, after = request.query.get("state", ""), request.query.get("after", "")
        state = DeliveryState(asked) if asked in list(DeliveryState) else None
        query = DeliveryQuery(account=visitor.scope, states=frozenset({state} if state else ()))
        place = CallId(int(after)) if after.isascii() and after.isdigit() and len(after) <= 10 else None
        page = await self._store.deliveries(query, place, PAGE)
        shown = [(one, await self._store.delivery_tries(one.id)) for one in page.deliveries]
        return self._site.render(
            "results.html", request, visitor, 422 if error else 200, deliveries=shown, state=state,
            states=list(DeliveryState), following=page.next, first=place is None, url=url, tested=tested, error=error,
            example=example_form(self._clock.now()),
        )  # fmt: skip

    async def retry(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        ident = request.match_info["id"]
        found = await self._store.delivery(ident)
        if found is None or not visitor.sees(found.account_id):
            raise NotHere
        await self._store.redeliver(ident, self._clock.now())
        await self._audit.note(visitor.account.login, "result.redeliver", f"call {found.call_id}", found.account_id)
        self._wake()
        return back(request, "/results")

    async def test(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """One post of the contract's variables, so that a Result URL can be tried before any call."""
        url = str((await request.post()).get("url", ""))[:255]
        try:
            target = read_url("url", url)
        except FieldError as error:
            return await self._page(request, visitor, url, None, error.rule)
        _, tested = await self._poster.try_out(visitor.account.id, target)
        return await self._page(request, visitor, url, tested)
