"""The operator's part of the JSON API: what our own command line asks beyond queueing and listing."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.core.admission import Hold
from gateway.core.model import CallId, CampaignId
from gateway.services.why import Why

BASE = "/api/v1"


class Operating:
    def __init__(self, why: Why) -> None:
        self._why = why

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(f"{BASE}/why", self.why_all)
        router.add_get(f"{BASE}/calls/{{id:[0-9]{{1,18}}}}/why", self.why_call)
        router.add_get(f"{BASE}/campaigns/{{id:[0-9]{{1,18}}}}/why", self.why_campaign)

    async def why_all(self, request: web.Request) -> web.Response:
        return _json(await self._why.why_all())

    async def why_call(self, request: web.Request) -> web.Response:
        return _hold(await self._why.why_call(CallId(_ident(request))), "call", request)

    async def why_campaign(self, request: web.Request) -> web.Response:
        return _hold(await self._why.why_campaign(CampaignId(_ident(request))), "campaign", request)


def _hold(hold: Hold | None, what: str, request: web.Request) -> web.Response:
    return _missing(what, request) if hold is None else _json(hold)


def _ident(request: web.Request) -> int:
    return int(request.match_info["id"])


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


def _missing(what: str, request: web.Request) -> web.Response:
    return _json({"error": {"field": None, "message": f"there is no {what} {_ident(request)}"}}, 404)
