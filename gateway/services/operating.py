"""The operator's part of the JSON API: what our own command line asks beyond queueing and listing."""

from __future__ import annotations

from pathlib import Path

import msgspec
from aiohttp import web

from gateway.core.admission import Hold
from gateway.core.model import CallId, CampaignId
from gateway.ports import Store
from gateway.services.intake.api import campaign_form
from gateway.services.preflight import Preflights
from gateway.services.why import Why

BASE = "/api/v1"


class Operating:
    def __init__(self, store: Store, why: Why, preflights: Preflights, spool: Path) -> None:
        self._store = store
        self._why = why
        self._preflights = preflights
        self._spool = spool

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(f"{BASE}/why", self.why_all)
        router.add_get(f"{BASE}/calls/{{id:[0-9]{{1,18}}}}/why", self.why_call)
        router.add_get(f"{BASE}/campaigns/{{id:[0-9]{{1,18}}}}/why", self.why_campaign)

        router.add_post(f"{BASE}/campaigns/preflight", self.preflight_list)
        router.add_get(f"{BASE}/campaigns/{{id:[0-9]{{1,18}}}}/preflight", self.preflight_campaign)

    async def why_all(self, request: web.Request) -> web.Response:
        return _json(await self._why.why_all())

    async def why_call(self, request: web.Request) -> web.Response:
        return _hold(await self._why.why_call(CallId(_ident(request))), "call", request)

    async def why_campaign(self, request: web.Request) -> web.Response:
        return _hold(await self._why.why_campaign(CampaignId(_ident(request))), "campaign", request)

    async def preflight_list(self, request: web.Request) -> web.Response:
        """The form of ``POST /campaigns``; nothing of it is queued."""
        async with campaign_form(request, self._store, self._spool) as (account, submission, path):
            return _json(await self._preflights.of_list(account, submission, path))

    async def preflight_campaign(self, request: web.Request) -> web.Response:
        found = await self._preflights.of_campaign(CampaignId(_ident(request)))
        return _missing("campaign", request) if found is None else _json(found)


def _hold(hold: Hold | None, what: str, request: web.Request) -> web.Response:
    return _missing(what, request) if hold is None else _json(hold)


def _ident(request: web.Request) -> int:
    return int(request.match_info["id"])


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


def _missing(what: str, request: web.Request) -> web.Response:
    return _json({"error": {"field": None, "message": f"there is no {what} {_ident(request)}"}}, 404)
