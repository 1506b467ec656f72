"""System, for operators: trunks, Asterisk, troubles with what to do, the doctor, the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from gateway import __version__
from gateway.core.visiting import Visitor
from gateway.ports import Clock, Vitals
from gateway.recent import RECENT
from gateway.services.pages.gauges import Gauges
from gateway.services.pages.site import Refused, Site, see

log = structlog.get_logger()

#: Seconds that the doctor may take: it makes calls to itself.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class TrunkRow:
    name: str
    live: int
    limit: int
    cps: float
    cps_limit: float
    attempts: int
    answers: int
    suspended: bool
    faults: int
    last_fault: str


class System:
    """``trunks`` are the limits by name, ``doctor`` the command that examines, empty where it cannot be run."""

    def __init__(
        self, site: Site, clock: Clock, status: Callable[[], Mapping[str, Any]],
        vitals: Callable[[], Awaitable[Vitals]], gauges: Gauges, trunks: Callable[[], Mapping[str, tuple[float, int]]],
        doctor: Sequence[str],
    ) -> None:  # fmt: skip
        self._site = site
        self._clock = clock
        self._status = status
        self._vitals = vitals
        self._gauges = gauges
        self._trunks = trunks
        self._doctor = list(doctor)
        self._findings: list[dict[str, str]] = []
        self._examined = 0
        self._examining = False

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/system", self._site.page(self.show, operator=True))
        router.add_post("/system/doctor", self._site.action(self.examine, operator=True))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        return self._site.render(
            "system.html", request, visitor, trunks=self._rows(self._status()), vitals=await self._vitals(),
            ami_lag=self._gauges.ami_lag, troubles=RECENT.newest(), findings=self._findings, examined=self._examined,
            examining=self._examining, version=__version__, doctor=bool(self._doctor),
        )  # fmt: skip

    def _rows(self, status: Mapping[str, Any]) -> list[TrunkRow]:
        now, limits = self._clock.now(), self._trunks()
        rows = []
        for name, told in status["trunks"].items():
            attempts, answers, cps = self._gauges.trunk(name, now)
            cps_limit, limit = limits.get(name, (0.0, 0))
            rows.append(
                TrunkRow(
                    name,
                    told["live"],
                    limit,
                    cps,
                    cps_limit,
                    attempts,
                    answers,
                    told["suspended"],
                    told["faults"],
                    told["last_fault"] or "",
                )
            )
        return rows

    async def examine(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Run the doctor as a command of its own: what it does must not hold the gateway up."""
        if not self._doctor:
            raise Refused("Run `voxgate doctor` on the gateway's machine.", 409)
        if self._examining:
            raise Refused("The doctor is at work already: wait a moment.", 409)
        self._examining = True
        try:
            self._findings = await self._run()
            self._examined = self._clock.now()
        finally:
            self._examining = False
        return see("/system#doctor")

    async def _run(self) -> list[dict[str, str]]:
        process = await asyncio.create_subprocess_exec(
            *self._doctor, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE):
                said, faults = await process.communicate()
        except TimeoutError:
            raise Refused(f"The doctor took longer than {PATIENCE:.0f} s and was stopped.", 504) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            found: list[dict[str, str]] = json.loads(said)
        except ValueError:
            log.error("system.doctor_failed", said=faults.decode(errors="replace")[-300:])
            raise Refused(f"The doctor failed: {faults.decode(errors='replace')[-300:]}", 502) from None
        return found
