"""The life of a dialed channel: rings, is refused or answered, and walks through our dialplan."""

from __future__ import annotations

import asyncio
import time

from tests.fakes.asterisk.agi import AgiEnded, serve_agi
from tests.fakes.asterisk.channel import RINGING, UP, Channel
from tests.fakes.asterisk.lines import Line
from tests.fakes.asterisk.manager import Fields
from tests.fakes.asterisk.pbx import Pbx

#: Q.850 cause of a SIP code, as Asterisk maps them.
CAUSE = {401: 21, 404: 1, 408: 18, 480: 19, 486: 17, 503: 34, 603: 21}
TIMED_OUT = 3
ANSWERED = 4
#: Seconds that "sorry, please try your call later" takes.
NOTICE = 3.5
#: Seconds between two keys.
KEYS_APART = 0.35


async def begin_call(pbx: Pbx, channel: Channel, action: Fields, number: str, line: Line) -> None:
    """From the INVITE to the Hangup event."""
    try:
        await Call(pbx, channel, action, number, line).run()
    finally:
        pbx.channels.pop(channel.id, None)


class Call:
    def __init__(self, pbx: Pbx, channel: Channel, action: Fields, number: str, line: Line) -> None:
        self.pbx = pbx
        self.channel = channel
        self.action = action
        self.number = number
        self.line = line
        self.timeout = int(action.get("Timeout", "30000")) / 1000
        self._early: list[tuple[str, str]] | None = [] if pbx.faults.strike("response_first") is not None else None

    async def run(self) -> None:
        pbx, channel = self.pbx, self.channel
        rung_before = pbx.ring(self.number, channel.id)
        await asyncio.sleep(0)  # Asterisk answers the action first
        self._tell("Newchannel", channel.headers())
        channel.caller = self.action.get("CallerID", "<unknown>")
        channel.account = self.action.get("Account", "")
        busy = rung_before < self.line.busy_first
        reason = await self._dial(486 if busy else self.line.code, 0.05 if busy else self.line.ring)
        if reason != ANSWERED:
            pbx.respond(self.action, channel.id, "Failure", self.action["Channel"], reason)
            self._release()
        else:
            pbx.respond(self.action, channel.id, "Success", channel.name, ANSWERED)
            self._release()
            await self._answered()
        pbx.channels.pop(channel.id, None)
        pbx.manager.tell("Hangup", channel.hangup_headers())

    def _tell(self, name: str, headers: str) -> None:
        if self._early is None:
            self.pbx.manager.tell(name, headers)
        else:
            self._early.append((name, headers))  # OriginateResponse overtakes them

    def _release(self) -> None:
        early, self._early = self._early or [], None
        for name, headers in early:
            self.pbx.manager.tell(name, headers)

    async def _dial(self, code: int | None, ring: float | None) -> int:
        """Ring until the answer or the end; OriginateResponse's Reason."""
        channel, line = self.channel, self.line
        if code is None and not line.mute:
            if line.progress:
                self._tell("DialState", f"{channel.headers('Dest')}DialStatus: PROGRESS\r\n")
            else:
                self._tell("DialState", f"{channel.headers('Dest')}DialStatus: RINGING\r\n")
                channel.state = RINGING
                self._tell("Newstate", channel.headers())
        rings = self.timeout if ring is None else ring / self.pbx.speed
        if await _gone_within(channel, min(rings, self.timeout)):
            return 0
        if rings >= self.timeout:
            channel.hang_up(19, 480)  # as Asterisk cancels it
            return TIMED_OUT
        if code is not None:
            channel.hang_up(CAUSE[code], code)
            return 0
        channel.state, channel.answered_at = UP, time.monotonic()
        self._tell("Newstate", channel.headers())
        return ANSWERED

    async def _answered(self) -> None:
        """voxgate-answered of asterisk-conf/extensions.conf."""
        channel, pbx, line = self.channel, self.pbx, self.line
        channel.context, channel.exten, channel.priority = self.action["Context"], self.action["Exten"], 2
        channel.application, channel.data = "AGI", f"agi://127.0.0.1:{pbx.agi_port}/call/{channel.id}"
        loop = asyncio.get_running_loop()
        limit = loop.call_later(int(channel.exten), channel.hang_up)
        ends = None
        if line.hangs_up is not None:
            ends = loop.call_later(line.hangs_up / pbx.speed, channel.hang_up, 16)
        keying = asyncio.create_task(self._key()) if line.keys else None
        try:
            if pbx.faults.strike("agi_never") is not None:
                await channel.gone.wait()
            elif await serve_agi(pbx, channel, line) is AgiEnded.FAILURE:
                channel.application, channel.data = "Playback", "sorry&please-try-call-later"
                await _gone_within(channel, NOTICE / pbx.speed)
            channel.hang_up(16)
        finally:
            limit.cancel()
            if ends is not None:
                ends.cancel()
            if keying is not None:
                keying.cancel()

    async def _key(self) -> None:
        await self.channel.prompted.wait()
        await asyncio.sleep(self.line.think / self.pbx.speed)
        for digit in self.line.keys:
            self.pbx.key(self.channel, digit)
            await asyncio.sleep(KEYS_APART / self.pbx.speed)


async def _gone_within(channel: Channel, seconds: float) -> bool:
    """Whether the channel is hung up within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await channel.gone.wait()
    except TimeoutError:
        return False
    return True
