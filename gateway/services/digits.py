"""One call's typed digits, in order, each counted once, though AMI and AGI may both tell of it.

AMI's ``DTMFEnd`` has every digit while the link is up; an AGI command that a digit ended also returns it. Whoever
tells first puts the digit in; the other's word of the same digit is then dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

#: How long AMI's word of a digit is awaited after AGI returned it; on a live link it comes within a few milliseconds.
AMI_GRACE = 0.3
#: How long a digit taken from AGI may still arrive over AMI (a stalled link that recovers).
AMI_LATE = 10.0


class DigitBuffer:
    """The type-ahead buffer. ``ami_up`` tells whether AMI delivers digits now."""

    def __init__(self, ami_up: Callable[[], bool]) -> None:
        self._ami_up = ami_up
        self._digits: deque[str] = deque()
        self._heard_ami: deque[str] = deque(maxlen=64)  # since the AGI command in hand began
        self._owed: deque[tuple[str, float]] = deque()  # taken from AGI, not yet told by AMI
        self.arrived = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._digits)

    def command_begins(self) -> None:
        """An AGI command starts listening: what AMI told before belongs to the past."""
        self._heard_ami.clear()

    def feed_ami(self, digit: str) -> None:
        """AMI tells of a digit."""
        now = asyncio.get_running_loop().time()
        while self._owed and self._owed[0][1] < now:
            self._owed.popleft()
        if self._owed and self._owed[0][0] == digit:
            self._owed.popleft()
            return
        self._heard_ami.append(digit)
        self._put(digit)

    async def feed_agi(self, digit: str) -> None:
        """An AGI command was ended by a digit. Returns once the digit is in the buffer, whoever put it there."""
        if self._ami_up() and digit not in self._heard_ami:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + AMI_GRACE
            while digit not in self._heard_ami and (left := deadline - loop.time()) > 0 and self._ami_up():
                self.arrived.clear()
                try:
                    async with asyncio.timeout(left):
                        await self.arrived.wait()
                except TimeoutError:
                    break
        if digit in self._heard_ami:
            return
        if self._ami_up():
            self._owed.append((digit, asyncio.get_running_loop().time() + AMI_LATE))
        self._put(digit)

    def ami_lost(self) -> None:
        """The link is gone, and with it whatever it still had to tell: the next one starts with the next digit."""
        self._owed.clear()

    def take(self) -> str | None:
        """The oldest digit, taken out; None where none waits."""
        digit = self._digits.popleft() if self._digits else None
        if not self._digits:
            self.arrived.clear()
        return digit

    def flush(self) -> None:
        """Forget what was typed ahead (VoiceXML 2.0 §4.1.8)."""
        self._digits.clear()
        self.arrived.clear()

    def _put(self, digit: str) -> None:
        self._digits.append(digit)
        self.arrived.set()
