"""Hands Asterisk's events to the open attempts, and puts the books right whenever the link comes up."""

from __future__ import annotations

import asyncio

import structlog

from gateway.ports import LinkDown, LinkUp, Pbx
from gateway.services.dialer import Dialer
from gateway.services.feed import EventKind, Publish, unheard
from gateway.services.livecalls import LiveCalls
from gateway.services.rescuer import Rescuer

log = structlog.get_logger()


class Switchboard:
    """Nothing is dialed between a link's coming up and the rescuer's word that the books are right."""

    def __init__(self, pbx: Pbx, live: LiveCalls, dialer: Dialer, rescuer: Rescuer, publish: Publish = unheard) -> None:
        self._pbx = pbx
        self._publish = publish
        self._live = live
        self._dialer = dialer
        self._rescuer = rescuer

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            rescue: asyncio.Task[None] | None = None
            async for event in self._pbx.events():
                match event:
                    case LinkUp():
                        log.info("ami.up", boot=event.boot)
                        self._publish(EventKind.LINK_CHANGED, None, {"up": True, "reason": None})
                        if rescue is not None:
                            rescue.cancel()
                        rescue = tasks.create_task(self._settle())
                    case LinkDown():
                        log.warning("ami.down", reason=event.reason)
                        self._publish(EventKind.LINK_CHANGED, None, {"up": False, "reason": event.reason})
                        self._dialer.suspend("the AMI link was lost")
                        for live in self._live:
                            live.unheard = True
                            live.digits.ami_lost()
                    case _:
                        self._live.hear(event)

    async def _settle(self) -> None:
        self._dialer.suspend("open attempts are being compared with Asterisk's channels")
        await self._rescuer.after_link_up()
        self._dialer.resume()
