"""Sign in, sign out, sign out everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from gateway.core.lockout import Locked
from gateway.core.saying import span
from gateway.core.visiting import Visitor
from gateway.services.audit import Audit
from gateway.services.pages.sessions import Sessions
from gateway.services.pages.site import Site, inside, see
from gateway.services.pages.streams import Streams

log = structlog.get_logger()


class SignIn:
    """``first_link`` is where the first account is made, None where there is one."""

    def __init__(
        self, site: Site, sessions: Sessions, streams: Streams, audit: Audit,
        first_link: Callable[[], Awaitable[str | None]],
    ) -> None:  # fmt: skip
        self._site = site
        self._sessions = sessions
        self._streams = streams
        self._audit = audit
        self._first_link = first_link

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/signin", self.form)
        router.add_post("/signin", self._site.open_action(self.sign_in))
        router.add_post("/signout", self._site.action(self.sign_out))
        router.add_post("/signout/everywhere", self._site.action(self.sign_out))

    async def form(self, request: web.Request) -> web.StreamResponse:
        if await self._sessions.visitor(request) is not None:
            return see("/")
        if await self._first_link() is not None:
            return see("/first")
        return self._page(request, "", "")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        login, pin = str(form.get("login", ""))[:128], str(form.get("pin", ""))[:16]
        answer = see(inside(str(form.get("next", ""))))
        match await self._sessions.sign_in(request, login, pin, answer):
            case Locked(seconds):
                log.warning("signin.locked", address=request.remote)
                return self._page(request, login, f"Too many failed attempts. Try again in {span(seconds)}.", 429)
            case None:
                log.warning("signin.failed", address=request.remote)
                await self._audit.refused("somebody", "session.open", "the pages", "login or PIN is wrong")
                return self._page(request, login, "Login or PIN is wrong.", 403)
            case account:
                log.info("signin.done", account=account.login)
                await self._audit.note(account.login, "session.open", "the pages", account.id)
                return answer

    async def sign_out(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        answer = see("/signin")
        everywhere, account = request.path.endswith("everywhere"), visitor.account
        await self._sessions.sign_out(request, visitor, answer, everywhere=everywhere)
        which = "all of the account's" if everywhere else "its own"
        await self._audit.note(account.login, "session.end", "the pages", account.id, which)
        await self._streams.look()
        return answer

    def _page(self, request: web.Request, login: str, error: str, status: int = 200) -> web.Response:
        onward = inside(request.query.get("next", ""))
        return self._site.render("signin.html", request, None, status, login=login, error=error, onward=onward)
