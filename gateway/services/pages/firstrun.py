"""An empty system's welcome: the first account, then three steps to a ringing phone."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
import structlog
from aiohttp import web

from gateway.core.model import AccountSettings
from gateway.core.plum import FieldError
from gateway.core.visiting import Visitor
from gateway.ports import Store
from gateway.services.accounts import Accounts
from gateway.services.audit import Audit
from gateway.services.pages.phone import PhoneSettings
from gateway.services.pages.sessions import Sessions
from gateway.services.pages.site import HEADERS, Site, see

log = structlog.get_logger()


class FirstRun:
    """The first account is made by whoever has the link that the log shows at the start: nobody else on the network.

    ``status`` is the gateway's state.
    """

    def __init__(
        self, site: Site, store: Store, accounts: Accounts, sessions: Sessions, audit: Audit, phone: PhoneSettings,
        status: Callable[[], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._accounts = accounts
        self._sessions = sessions
        self._audit = audit
        self._phone = phone
        self._status = status
        self._token = secrets.token_urlsafe(24)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/first", self.form)
        router.add_get("/first/{token}", self.form)
        router.add_post("/first/{token}", self._site.open_action(self.begin))
        router.add_get("/welcome", self._site.page(self.welcome))

    async def link(self) -> str | None:
        """The path that makes the first account; None where there is one."""
        return None if await self._accounts.all() else f"/first/{self._token}"

    async def form(self, request: web.Request) -> web.StreamResponse:
        if await self._accounts.all():
            return see("/signin")
        return self._page(request, {})

    def _page(
        self, request: web.Request, values: Mapping[str, str], error: str = "", status: int = 200
    ) -> web.Response:
        token = request.match_info.get("token", "")
        known = self._known(token)
        return self._site.render(
            "first.html", request, None, status, token=token, known=known, values=values, error=error,
            zones=sorted(available_timezones()), countries=sorted(phonenumbers.SUPPORTED_REGIONS),
        )  # fmt: skip

    def _known(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(errors="surrogatepass"), self._token.encode())

    async def begin(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        if not self._known(request.match_info["token"]) or await self._accounts.all():
            return web.Response(status=403, text="This link is not valid any more.", headers=HEADERS)
        settings = AccountSettings(form.get("time_zone", ""), form.get("country", ""), operator=True)
        try:
            account = await self._accounts.add(form.get("login", ""), form.get("pin", ""), settings)
        except FieldError as error:
            return self._page(request, form, f"{error.field.replace('_', ' ').capitalize()} {error.rule}.", 422)
        log.info("first.account", account=account.login)
        await self._audit.note(account.login, "account.add", account.login, account.id, "the first one")
        answer = see("/welcome")
        await self._sessions.open(request, account, answer)
        return answer

    async def welcome(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        campaigns = await self._store.campaigns(visitor.scope)
        status = self._status()
        return self._site.render(
            "welcome.html", request, visitor, called=any(any(one.counts.values()) for one in campaigns),
            connected=status["ami"], trunks=list(status["trunks"]), phone=self._phone,
        )  # fmt: skip
