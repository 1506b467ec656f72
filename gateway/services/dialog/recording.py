"""<record> on a line (VoiceXML 2.0 §2.3.6): takes until something was said, a key, a silence or the time ends it."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass, field

from gateway.ports import ChannelGone, FilePart, Media, MediaError
from gateway.services.dialog.line import DIGITS, Line
from vxml import Digits, Hangup, NoInput, Record, Recorded
from vxml.grammar.automaton import MatchState

#: How the interpreter names a recording: in <audio expr>, and as a part of a multipart submit.
SCHEME = "voxgate:"
HEADER = 44
RATE = 8000
#: 20 ms are speech where their mean magnitude is above this (of 32,768), and so many such frames are somebody speaking.
SPEECH_LEVEL, SPEECH_FRAMES = 256, 5
EXTENSIONS = {"audio/basic": "ul", "audio/x-alaw-basic": "al"}


@dataclass(slots=True)
class Recordings:
    """One session's recordings, by reference; they are removed with it."""

    media: Media
    types: dict[str, str] = field(default_factory=dict)

    async def take(self, line: Line, action: Record) -> Recorded | Digits | NoInput | Hangup:
        """Record. A key of a grammar that it matches alone ends the recording, and is Digits where nothing was said
        before it; grammars of several keys cannot interrupt.

        Asterisk counts silence in whole seconds and does not tell silence from none: while nothing was said, takes
        follow each other until ``action.timeout`` has passed.
        """
        if line.digits:  # §2.3.6: keyed in the prompt, there is no recording
            typed = line.digits.take() or ""
            return Digits(typed) if _matches(action, typed) else Recorded("", 0.0, 0)
        own = "".join(key for key in DIGITS if _matches(action, key))
        keys = DIGITS if action.any_key else own
        loop = asyncio.get_running_loop()
        began, beep = loop.time(), action.beep
        while True:
            taken = self.media.new_recording()
            gone = ended = False
            try:
                ended = await line.record(
                    taken.asterisk_name, keys, action.max_time, beep=beep, silence=action.final_silence
                )
            except ChannelGone:
                gone = True
            wav = await self._read(taken.name)
            seconds = max(0, len(wav) - HEADER) / 2 / RATE
            key = line.digits.take() if ended else None
            heard = await asyncio.to_thread(spoken, wav[HEADER:])
            if key is not None and key in own and not heard:  # §2.3.6: matched before anything was recorded
                await self.media.forget(taken.name)
                return Digits(key)
            if heard or key is not None:
                reference = SCHEME + taken.name
                self.types[reference] = action.content_type
                longest = not gone and key is None and seconds >= action.max_time - 0.1
                return Recorded(reference, seconds, len(wav), key, longest, gone)
            await self.media.forget(taken.name)
            if gone:
                return Hangup()
            if loop.time() - began >= action.timeout:
                return NoInput()
            beep = False

    async def _read(self, name: str) -> bytes:
        try:
            return await self.media.recording(name)
        except MediaError:
            return b""  # nothing was recorded

    async def part(self, reference: str) -> FilePart | None:
        """What a multipart submit sends for a reference; None for any other text."""
        if (kind := self.types.get(reference)) is None:
            return None
        name = reference.removeprefix(SCHEME)
        with contextlib.suppress(MediaError):
            body = await self.media.converted(await self.media.recording(name), kind)
            return FilePart(f"{name}.{EXTENSIONS.get(kind, 'wav')}", kind, body)
        return None

    async def forget(self) -> None:
        for reference in self.types:
            await self.media.forget(reference.removeprefix(SCHEME))


def _matches(action: Record, key: str) -> bool:
    return bool(action.matcher) and action.matcher.start().feed(key) in (MatchState.FINAL, MatchState.CAN_GROW)


def spoken(samples: bytes) -> bool:
    """Whether somebody speaks in 16-bit samples at 8 kHz."""
    frame = RATE // 50
    loud = 0
    for start in range(0, len(samples) - 2 * frame + 1, 2 * frame):
        values = struct.unpack_from(f"<{frame}h", samples, start)
        loud += sum(map(abs, values)) > SPEECH_LEVEL * frame
    return loud >= SPEECH_FRAMES
