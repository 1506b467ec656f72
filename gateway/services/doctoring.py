"""What the running gateway does for ``voxgate doctor``: it lends it a FastAGI session, and says that it is there."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import web

from gateway.core.access import OPERATOR
from gateway.ports import Pbx
from gateway.services.audit import Audit

#: Only what no call of ours uses.
PREFIX = "doctor/"


class Loan(msgspec.Struct, forbid_unknown_fields=True):
    """The FastAGI path whose next session is served at ``port`` of the loopback interface."""

    path: str
    port: int


class Doctoring:
    """On the commands' socket only."""

    def __init__(self, pbx: Pbx, lend: Callable[[str, int], None], audit: Audit) -> None:
        self._pbx = pbx
        self._audit = audit
        self._lend = lend

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/v1/doctor", self.lend)

    async def lend(self, request: web.Request) -> web.Response:
        try:
            loan = msgspec.json.decode(await request.read(), type=Loan)
        except msgspec.MsgspecError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        if not loan.path.startswith(PREFIX) or not 0 < loan.port < 65536:
            raise web.HTTPBadRequest(text=f"path must begin with {PREFIX}, port must be a TCP port")
        self._lend(loan.path, loan.port)
        await self._audit.note(OPERATOR, "doctor.lend", f"a FastAGI session at port {loan.port}", None)
        return web.json_response({"ami": self._pbx.connected})
