"""<transfer> on a line (VoiceXML 2.0 §2.3.7, 2.1 §8): the callee is connected to somebody else by Asterisk's Dial."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.core.numbers import NumberError
from gateway.core.routes import Refused, Unrouted
from gateway.ports import AgiChannel, ChannelGone, Pbx
from gateway.services.dialog.line import Dialed, Line
from gateway.services.livecalls import Leg, LiveCall, LiveCalls
from vxml import Hangup, Transfer, TransferFailed, Transferred
from vxml.grammar.automaton import MatchState

log = structlog.get_logger()

#: A detector that never finds anything keeps the bridge from handing the media from leg to leg by itself, where
#: Asterisk would tell of no digits.
KEEP_HEARING, STOP_HEARING = "TONE_DETECT(100,60000,r)", "TONE_DETECT(0,,x)"
#: Asterisk's DIALSTATUS as the form item's value.
OUTCOMES = {"BUSY": "busy", "NOANSWER": "noanswer", "CONGESTION": "network_busy"}


@dataclass(frozen=True, slots=True)
class Way:
    """A destination's number, what Asterisk dials for it, and the number that it shows there."""

    dialed: str
    dial_string: str
    caller_id: str | None


#: From a tel: or sip: URI to the way there. Raises :class:`Refused` and :class:`NumberError`.
FindWay = Callable[[str], Way]


@dataclass(slots=True)
class Transfers:
    """The transfers of one call. ``away`` is the one after which the interpreter has the callee no longer."""

    calls: LiveCalls
    live: LiveCall
    line: Line
    channel: AgiChannel
    pbx: Pbx
    find_way: FindWay
    away: asyncio.Task[Dialed] | None = field(default=None, init=False)

    async def connect(self, action: Transfer) -> Transferred | TransferFailed | Hangup:
        try:
            way = self.find_way(action.destination)
        except NumberError as error:
            return TransferFailed("error.connection.baddestination", f"{action.destination} {error}")
        except Unrouted as error:
            return TransferFailed("error.connection.noroute", f"{action.destination}: {error}")
        except Refused as error:
            return TransferFailed("error.connection.noauthorization", f"{action.destination}: {error}")
        if way.caller_id is not None:
            await self.channel.set_variable("CALLERID(num)", way.caller_id)
        listens = action.kind == "bridge" and bool(action.matcher)
        if listens:
            await self.channel.set_variable(KEEP_HEARING, "")
        leg = self.calls.transferred(self.live, way.dialed)
        log.info("transfer.dialing", attempt_id=self.live.id, kind=action.kind)
        dialing = asyncio.create_task(self._dial(way, leg, action))
        if action.kind == "blind":
            self.away = dialing
            return Transferred("")
        try:
            outcome = await self._attend(action, leg, dialing)
        finally:
            if self.away is None:
                dialing.cancel()
                await asyncio.gather(dialing, return_exceptions=True)
        if listens:
            await self.channel.set_variable(STOP_HEARING, "")
        return outcome

    async def _dial(self, way: Way, leg: Leg, action: Transfer) -> Dialed:
        dialed = await self.line.dial(way.dial_string, ring=action.connect_timeout, longest=action.max_time)
        self.calls.leg_ended(self.live, leg, dialed.seconds)
        return dialed

    async def _attend(
        self, action: Transfer, leg: Leg, dialing: asyncio.Task[Dialed]
    ) -> Transferred | TransferFailed | Hangup:
        keys = asyncio.create_task(self._hotword(action))
        answered = asyncio.create_task(leg.answered.wait())
        awaited = {dialing, keys} if action.kind == "bridge" else {dialing, keys, answered}
        keyed = ""
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if action.kind == "consultation" and answered.done():
                self.away = dialing
                return Transferred("")
            if keys.done():
                keyed = keys.result()
                await self._end(leg, dialing)
            return _outcome(action, await dialing, keyed)
        finally:
            for task in (keys, answered):
                task.cancel()
            await asyncio.gather(keys, answered, return_exceptions=True)

    async def _hotword(self, action: Transfer) -> str:
        """Wait until the callee has keyed what a grammar of the <transfer> takes; other keys go by."""
        digits, match = self.line.digits, action.matcher.start()
        digits.flush()
        while True:
            await digits.arrived.wait()
            while (key := digits.take()) is not None:
                state = match.feed(key)
                if state is MatchState.NO_MATCH:  # it may be the first of another input
                    match = action.matcher.start()
                    state = match.feed(key)
                if state in (MatchState.FINAL, MatchState.CAN_GROW):
                    return match.text
                if state is MatchState.NO_MATCH:
                    match = action.matcher.start()

    async def _end(self, leg: Leg, dialing: asyncio.Task[Dialed]) -> None:
        while not dialing.done():
            if leg.channel:
                await self.pbx.hangup_leg(leg.channel)
            await asyncio.wait((dialing,), timeout=0.5)

    async def finish(self) -> None:
        """Wait until the parties that were left alone with each other have ended."""
        if self.away is not None:
            with contextlib.suppress(ChannelGone):
                await self.away

    def cancel(self) -> None:
        if self.away is not None:
            self.away.cancel()


def _outcome(action: Transfer, dialed: Dialed, keyed: str) -> Transferred | TransferFailed:
    if keyed:
        return Transferred("near_end_disconnect", dialed.seconds, keyed=keyed)
    if dialed.status == "ANSWER":
        if action.kind == "consultation":  # answered and over before AMI told of it
            return Transferred("")
        ended = action.max_time and dialed.seconds >= action.max_time - 0.5
        return Transferred("maxtime_disconnect" if ended else "far_end_disconnect", dialed.seconds)
    if dialed.status == "CHANUNAVAIL":
        return TransferFailed("error.connection.noroute", f"{action.destination}: cause {dialed.cause}")
    return Transferred(OUTCOMES.get(dialed.status, "unknown"))
