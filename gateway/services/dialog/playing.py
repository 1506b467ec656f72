"""Plays prompts on a line: in order, passed over by what was typed ahead, with the marks that were reached."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

import structlog

from gateway.ports import PlaybackFailed
from gateway.services.dialog.line import Line
from gateway.services.dialog.prompts import Piece, PromptRenderer
from vxml import Audio, Mark, Marked, Prompt

log = structlog.get_logger()


class Player:
    """:meth:`play` returns the last mark that was reached (VoiceXML 2.1 §6), and how long before the end."""

    def __init__(self, line: Line, renderer: PromptRenderer, call_id: int) -> None:
        self._line = line
        self._renderer = renderer
        self._call_id = call_id

    async def play(self, prompts: Sequence[Prompt]) -> Mark | None:
        """A digit in the buffer passes over all that let themselves be barged in on."""
        loop = asyncio.get_running_loop()
        reached: tuple[str, float] | None = None
        for prompt in prompts:
            if not prompt.bargein:
                self._line.digits.flush()  # VoiceXML 2.0 §4.1.8
            elif self._line.interrupted:
                continue
            async with contextlib.aclosing(self._renderer.pieces(prompt.segments)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Marked):
                        reached = (piece.name, loop.time())
                        continue
                    if isinstance(piece, float | int):
                        heard = await self._line.pause(piece, bargein=prompt.bargein)
                    else:
                        try:
                            heard = await self._line.play(piece, bargein=prompt.bargein)
                        except PlaybackFailed as error:
                            log.error("prompt.not_played", call_id=self._call_id, error=str(error))
                            continue
                    if not heard:
                        break
            if not prompt.bargein:
                self._line.digits.flush()
        return None if reached is None else Mark(reached[0], loop.time() - reached[1])

    async def play_until(self, url: str, done: asyncio.Event) -> None:
        """One file, cut short when ``done`` is set; digits stay in the buffer (fetchaudio, transferaudio)."""
        async with contextlib.aclosing(self._renderer.pieces((Audio(url),))) as pieces:
            while not done.is_set() and (piece := await _unless(done, pieces)) is not None:
                if isinstance(piece, float | int | Marked):
                    continue
                try:
                    await self._line.play_until(piece, done)
                except PlaybackFailed as error:
                    log.error("prompt.not_played", call_id=self._call_id, error=str(error))


async def _unless(done: asyncio.Event, pieces: AsyncGenerator[Piece, None]) -> Piece | None:
    """The next piece; None at the end, and once ``done`` is set while the piece is still being fetched."""
    coming = asyncio.ensure_future(anext(pieces, None))
    ending = asyncio.create_task(done.wait())
    try:
        await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
        ending.cancel()
        await asyncio.gather(coming, ending, return_exceptions=True)
