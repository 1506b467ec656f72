"""When an answering machine may be spoken to: after its beep, or after a silence where none comes."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.core.hearing import Sound
from gateway.core.model import CalleeType
from gateway.services.hearing import LineEar

#: Seconds after which a greeting, or music, that does not end is spoken into all the same.
LONGEST: Final = 90.0
#: Seconds between looks at the silence; a beep is noticed at once.
LOOK: Final = 0.05


async def beep_over(ear: LineEar, silence: float) -> str:
    """Wait until the machine listens; why it is taken to. The caller ends the wait at a hang-up.

    A beep counts once something was said before it: one that comes first is the line's own, or announces the greeting.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + LONGEST
    while loop.time() < end:
        if ear.verdict is not None and ear.verdict.callee_type is CalleeType.VOICE:
            return "a person came to the telephone"
        if not ear.open:
            return "the tap ended"
        if _beeped(ear):
            return "after the beep"
        if ear.silent_for >= silence and _spoken(ear, ear.seconds):
            return f"after {silence:g} s of silence"
        try:
            async with asyncio.timeout(LOOK):
                await ear.change()
        except TimeoutError:
            pass
    return f"after {LONGEST:g} s without beep or silence"


def _beeped(ear: LineEar) -> bool:
    return any(
        one.sound is Sound.BEEP and one.start >= (ear.answered_at or 0.0) and _spoken(ear, one.start)
        for one in ear.timeline
    )


def _spoken(ear: LineEar, before: float) -> bool:
    """Whether the machine was heard, or judged by its words, before a moment of the stream."""
    return any(one.sound is Sound.SPEECH and one.start < before for one in ear.timeline) or any(
        one.callee_type is CalleeType.ANSWERINGMACHINE and one.at < before for one in ear.verdicts
    )
