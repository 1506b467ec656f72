"""/status and /why: the gateway as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway import __version__
from gateway.core.access import Scope
from gateway.services.api import shaping
from gateway.services.api.callers import Caller
from gateway.services.api.routing import route
from gateway.services.why import Why
from voxgate import models


class System:
    def __init__(self, status: Callable[[], Mapping[str, Any]], why: Why) -> None:
        self._status = status
        self._why = why

    @route("GET", "/status", Scope.OPERATOR)
    async def get_status(self, who: Caller) -> models.Status:
        """The gateway now: its link to Asterisk, its trunks, and how many calls are live."""
        now = self._status()
        return models.Status(
            version=__version__,
            pid=now["pid"],
            ami=now["ami"],
            why_not_dialing=now["why_not_dialing"],
            live=now["live"],
            detector=now["detector"],
            trunks={name: models.TrunkStatus(**trunk) for name, trunk in now["trunks"].items()},
        )

    @route("GET", "/why", Scope.OPERATOR)
    async def why_all(self, who: Caller) -> models.Hold:
        """The one reason for which nothing is being dialed now, and what would change it."""
        return shaping.hold(await self._why.why_all())
