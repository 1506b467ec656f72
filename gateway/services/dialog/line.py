"""The callee's line as the dialog uses it: plays audio, waits, and collects digits, each typed digit exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.ports import AgiChannel, ChannelGone, MediaRef, Pbx
from gateway.services.livecalls import LiveCall

T = TypeVar("T")

#: An AGI command ends at any of these; ``D`` is not typed by people and belongs to :meth:`Pbx.stop_playback`.
DIGITS = "0123456789*#ABC"
STOP = "D"
#: The longest single WAIT FOR DIGIT, so that a hang-up or a late digit over AMI is noticed in time.
WAIT_STEP = 1.0
#: How soon the loss of the AMI link is noticed while no AGI command listens, and what it may then add to a fetch.
LOOK_STEP = 0.1
#: No command lasts longer: the call itself is limited to less.
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Dialed:
    """How a Dial ended: ``status`` is DIALSTATUS, ``cause`` is Q.850, ``seconds`` count from the far end's answer."""

    status: str
    cause: int
    seconds: float


class Line:
    """One answered channel. Every method raises :class:`ChannelGone` once the callee has hung up.

    ``admitted`` is set when the callee may be spoken to; until then whatever needs the line waits. ``settle`` is then
    called once, before all else.
    """

    def __init__(
        self, channel: AgiChannel, live: LiveCall, pbx: Pbx, admitted: asyncio.Event | None = None,
        settle: Callable[[AgiChannel], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self._channel = channel
        self._live = live
        self._pbx = pbx
        self._admitted = admitted
        self._settle = settle
        self._called = asyncio.Event()
        self.digits = live.digits

    # --- interruptions that are no digits ---

    def interrupt(self) -> None:
        """End what lets itself be barged in on, and the wait for a digit, until :meth:`resume`."""
        self._called.set()

    def resume(self) -> None:
        self._called.clear()

    @property
    def called(self) -> bool:
        """Whether :meth:`interrupt` is in force."""
        return self._called.is_set()

    @property
    def interrupted(self) -> bool:
        """Whether a digit or :meth:`interrupt` passes over what lets itself be barged in on."""
        return bool(self.digits) or self.called

    # --- the callee ---

    @property
    def gone(self) -> bool:
        return self._live.gone.is_set() or self._channel.hung_up

    async def play(self, media: MediaRef, *, bargein: bool) -> bool:
        """Play one file to its end, or, with ``bargein``, until a digit is there. Whether it was heard to its end."""
        await self._check()
        if bargein and self.interrupted:
            return False
        if not bargein:
            await self._channel.stream_file(media.asterisk_name, "")
            return True
        return not await self._until_digit(self._channel.stream_file(media.asterisk_name, DIGITS + STOP))

    async def beep(self) -> None:
        """Asterisk's own."""
        await self._check()
        await self._channel.stream_file("beep", "")

    async def record(self, name: str, keys: str, seconds: float, *, beep: bool, silence: float) -> bool:
        """Record into ``name``; any of ``keys`` ends it and is in the buffer then. Whether one did.

        Raises :class:`PlaybackFailed` where Asterisk cannot write there.
        """
        await self._check()
        self.digits.command_begins()
        digit = await self._channel.record_file(
            name, "wav", keys, max(1, round(seconds * 1000)), beep=beep, silence=max(1, round(silence))
        )
        if digit:
            await self.digits.feed_agi(digit)
        return bool(digit)

    async def play_until(self, media: MediaRef, done: asyncio.Event) -> None:
        """Play one file to its end or until ``done`` is set; digits typed meanwhile stay in the buffer."""
        if self._admitted is not None and not self._admitted.is_set():
            await _first_of(done, self._admitted)
            if done.is_set():
                return
        await self._check()
        keys = STOP if self._pbx.connected else DIGITS + STOP  # without AMI only AGI tells of a digit, and ends
        await self._until_digit(self._channel.stream_file(media.asterisk_name, keys), done)

    async def dial(self, way: str, *, ring: float, longest: float) -> Dialed:
        """Connect the callee to somebody else, until one of them hangs up. ``longest`` 0 is without end."""
        await self._check()
        limit = f"S({math.ceil(longest)})" if longest else ""
        await self._channel.execute("Dial", f"{way},{max(1, round(ring))},g{limit}", timeout=DAY)
        status, cause, answered = [
            await self._channel.get_variable(name) for name in ("DIALSTATUS", "HANGUPCAUSE", "ANSWEREDTIME_MS")
        ]
        return Dialed(status or "", _number(cause), _number(answered) / 1000)

    async def _until_digit(self, command: Coroutine[Any, Any, str], stop: asyncio.Event | None = None) -> str:
        """Carry out an AGI command that a digit, or ``stop``, ends, and put that digit in the buffer."""
        self.digits.command_begins()
        events = (self.digits.arrived, self._called) if stop is None else (stop,)
        stopper = asyncio.create_task(self._stop_on(*events))
        try:
            digit = await command
        finally:
            stopper.cancel()
            await asyncio.gather(stopper, return_exceptions=True)
        if digit and digit != STOP:
            await self.digits.feed_agi(digit)
        return digit

    async def _stop_on(self, *events: asyncio.Event) -> None:
        """A digit typed between two commands never reaches AGI: AMI told of it, and it ends the command."""
        while True:
            await _first_of(*events)
            await asyncio.sleep(0.02)  # a digit typed during the command ends it without help
            if self._pbx.connected:
                await self._pbx.stop_playback(self._live.id)
            await asyncio.sleep(0.2)

    async def pause(self, seconds: float, *, bargein: bool) -> bool:
        """Be silent for ``seconds``; with ``bargein`` a digit ends it. Whether the whole time passed."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        stop = None if bargein else asyncio.Event()  # what nothing may end needs no stopping
        while (left := end - loop.time()) > 0:
            if bargein and self.interrupted:
                return False
            await self._listen(min(left, WAIT_STEP), stop)
        return True

    async def digit(self, timeout: float) -> str | None:
        """The next digit, typed ahead or typed within ``timeout`` seconds; None when the time has passed, or
        :meth:`interrupt` ended it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            if self.called:
                return None  # what was keyed stays for the next input
            if (digit := self.digits.take()) is not None:
                return digit
            if (left := end - loop.time()) <= 0:
                return None
            await self._listen(min(left, WAIT_STEP))

    async def meanwhile(self, work: Awaitable[T]) -> T:
        """Wait for ``work``, which needs no line. AMI tells of digits typed meanwhile; without it AGI must listen."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                closed = self._admitted is not None and not self._admitted.is_set()
                if self._pbx.connected or self.gone or closed:
                    await asyncio.wait((task,), timeout=LOOK_STEP)
                else:
                    with contextlib.suppress(ChannelGone):  # the work goes on: it may be a submit
                        await self._listen(LOOK_STEP)
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, seconds: float, stop: asyncio.Event | None = None) -> None:
        """One WAIT FOR DIGIT; returns early where a digit is in the buffer by then."""
        await self._check()
        await self._until_digit(self._channel.wait_for_digit(max(1, round(seconds * 1000))), stop)

    async def _check(self) -> None:
        """Wait until the callee may be spoken to."""
        if self._admitted is not None and not self._admitted.is_set() and not self.gone:
            waits: list[asyncio.Task[Any]] = [
                asyncio.create_task(one)
                for one in (self._admitted.wait(), self._live.gone.wait(), self._channel.until_hung_up())
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in waits:
                    one.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
        if self.gone:
            raise ChannelGone("the callee hung up")
        settle, self._settle = self._settle, None
        if settle is not None:
            await settle(self._channel)


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    if len(events) == 1:
        await events[0].wait()
        return
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
