"""Two ways to record a callee: by Asterisk into a folder that both see, or by the gateway from the media tap."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.ports import ChannelGone, Media, MediaError, PlaybackFailed
from gateway.services.dialog.line import Line

RATE = 8000
BYTES_A_SECOND = 2 * RATE
#: 20 ms, in bytes of 16-bit samples.
FRAME = BYTES_A_SECOND // 50
#: 20 ms are speech where their mean magnitude is above this (of 32,768).
SPEECH_LEVEL = 256
#: Seconds between looks at whether the callee has fallen silent.
LOOK_EVERY = 0.2
#: What a tap may lag: so much later than the longest recording, its end is not waited for.
LAG = 1.0


@dataclass(frozen=True, slots=True)
class Take:
    """One go at recording. ``name`` is the Media port's, ``wav`` is empty where nothing was recorded.

    ``key`` ended it and is taken out of the buffer; ``gone``: the callee's hang-up did.
    """

    name: str
    wav: bytes
    key: str | None = None
    gone: bool = False


class Recorder(Protocol):
    async def record(self, line: Line, keys: str, seconds: float, *, beep: bool, silence: float) -> Take:
        """Record until one of ``keys``, so much silence, the hang-up, or ``seconds`` end it.

        Raises :class:`PlaybackFailed` where nothing can be recorded.
        """
        ...


class Hears(Protocol):
    """What is tapped of a call: see :class:`gateway.services.hearing.LineEar`."""

    fallback: str

    @property
    def open(self) -> bool: ...
    def follow(self, take: Callable[[bytes], None]) -> Callable[[], None]: ...


class FileRecorder:
    """Asterisk records. It counts silence in whole seconds."""

    def __init__(self, media: Media) -> None:
        self._media = media

    async def record(self, line: Line, keys: str, seconds: float, *, beep: bool, silence: float) -> Take:
        taken = self._media.new_recording()
        gone = ended = False
        try:
            ended = await line.record(taken.asterisk_name, keys, seconds, beep=beep, silence=silence)
        except ChannelGone:
            gone = True
        try:
            wav = await self._media.recording(taken.name)
        except MediaError:
            wav = b""  # nothing was recorded
        return Take(taken.name, wav, line.digits.take() if ended else None, gone)


class TapRecorder:
    """The gateway records what its tap hears of the callee."""

    def __init__(self, media: Media, ear: Hears | None) -> None:
        self._media = media
        self._ear = ear

    async def record(self, line: Line, keys: str, seconds: float, *, beep: bool, silence: float) -> Take:
        if self._ear is None or not self._ear.open:
            why = "none was opened" if self._ear is None else self._ear.fallback
            raise PlaybackFailed(f"nothing can be recorded without a shared folder or a media tap: {why}")
        heard, key, gone = Heard(), None, False
        stop: Callable[[], None] = lambda: None  # noqa: E731
        try:
            if beep:
                await line.beep()
            stop = self._ear.follow(heard.take)
            key = await self._until(line, keys, heard, seconds, silence)
        except ChannelGone:
            gone = True
        finally:
            stop()
        name = self._media.new_recording().name
        pcm = bytes(heard.pcm[: round(seconds * RATE) * 2])
        return Take(name, await self._media.keep_recording(name, pcm) if pcm else b"", key, gone)

    async def _until(self, line: Line, keys: str, heard: Heard, seconds: float, silence: float) -> str | None:
        """The key that ended it. Other keys mean nothing in a recording."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds + LAG
        while heard.seconds < seconds and heard.quiet < silence and (left := end - loop.time()) > 0:
            key = await line.digit(min(left, LOOK_EVERY))
            if key is not None and key in keys:
                return key
        return None


class Heard:
    """The samples of a recording, and for how long nothing was said at its end."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self._looked = 0  # bytes
        self._spoke = 0  # where the last speech ended

    def take(self, pcm: bytes) -> None:
        self.pcm += pcm
        while len(self.pcm) - self._looked >= FRAME:
            if loud(self.pcm, self._looked):
                self._spoke = self._looked + FRAME
            self._looked += FRAME

    @property
    def seconds(self) -> float:
        return len(self.pcm) / BYTES_A_SECOND

    @property
    def quiet(self) -> float:
        return (self._looked - self._spoke) / BYTES_A_SECOND


def loud(samples: bytes | bytearray, start: int) -> bool:
    """Whether somebody speaks in the 20 ms of 16-bit samples that begin at byte ``start``."""
    count = FRAME // 2
    values: tuple[int, ...] = struct.unpack_from(f"<{count}h", samples, start)
    return sum(map(abs, values)) > SPEECH_LEVEL * count
