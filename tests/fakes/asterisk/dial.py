"""Asterisk's Dial over AGI: connects the callee to another number, as a transfer does."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from tests.fakes.asterisk import lines
from tests.fakes.asterisk.channel import RINGING, UP, Channel

if TYPE_CHECKING:
    from tests.fakes.asterisk.agi import Session

_WAY = re.compile(r"PJSIP/(([^@/]+)@(?:carrier|silent)),(\d+),g(?:S\((\d+)\))?")
#: DIALSTATUS and Q.850 cause of a refusal.
REFUSALS = {486: ("BUSY", 17), 404: ("CHANUNAVAIL", 1), 503: ("CONGESTION", 34)}


async def dial(session: Session, arguments: str) -> str:
    """Until one of the parties hangs up; ``gone`` where it was the callee."""
    pbx, channel = session.pbx, session.channel
    if (way := _WAY.fullmatch(arguments)) is None:
        channel.variables |= {"DIALSTATUS": "CHANUNAVAIL", "HANGUPCAUSE": "20", "ANSWEREDTIME_MS": ""}
        return ""
    number, limit = way[2], float(way[4] or "inf")
    line = lines.line_of(number)
    leg = pbx.new_channel(pbx.next_id(), "PJSIP/carrier")
    pbx.ring(number, leg.id)
    leg.state = RINGING
    try:
        both = f"{channel.headers()}{leg.headers('Dest')}"
        pbx.manager.tell("DialBegin", f"{both}DialString: {way[1]}\r\n")
        ring = float("inf") if line.ring is None else line.ring / pbx.speed
        status, cause = "NOANSWER", 17
        if not await _ended(session, leg, min(ring, int(way[3]))) and ring < int(way[3]):
            status, cause = ("ANSWER", 16) if line.code is None else REFUSALS.get(line.code, ("NOANSWER", 19))
        if status == "ANSWER":
            leg.state = UP
        pbx.manager.tell("DialEnd", f"{channel.headers()}{leg.headers('Dest')}DialStatus: {status}\r\n")
        lasted = ""
        if status == "ANSWER":
            began = time.monotonic()
            stays = float("inf") if line.hangs_up is None else line.hangs_up / pbx.speed
            await _ended(session, leg, min(limit, stays))
            lasted = f"{(time.monotonic() - began) * 1000:.0f}"
        channel.variables |= {"DIALSTATUS": status, "HANGUPCAUSE": str(cause), "ANSWEREDTIME_MS": lasted}
        return "gone" if channel.gone.is_set() else ""
    finally:
        pbx.channels.pop(leg.id, None)


async def _ended(session: Session, leg: Channel, seconds: float) -> bool:
    """Whether one of the parties hangs up within so many seconds."""
    waits = [asyncio.create_task(one.gone.wait()) for one in (leg, session.channel)]
    try:
        done, _ = await asyncio.wait(
            waits, timeout=None if seconds == float("inf") else seconds, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)
    finally:
        for one in waits:
            one.cancel()
