"""<record> on a line (VoiceXML 2.0 §2.3.6): takes until something was said, a key, a silence or the time ends it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from gateway.ports import FilePart, Media, MediaError
from gateway.services.dialog.line import DIGITS, Line
from gateway.services.dialog.recorders import FRAME, RATE, Recorder, loud
from vxml import Digits, Hangup, NoInput, Record, Recorded
from vxml.grammar.automaton import MatchState

#: How the interpreter names a recording: in <audio expr>, and as a part of a multipart submit.
SCHEME = "voxgate:"
HEADER = 44
#: So many times 20 ms of speech are somebody speaking.
SPEECH_FRAMES = 5
EXTENSIONS = {"audio/basic": "ul", "audio/x-alaw-basic": "al"}


@dataclass(slots=True)
class Recordings:
    """One session's recordings, by reference; they are removed with it."""

    media: Media
    recorder: Recorder
    types: dict[str, str] = field(default_factory=dict)

    async def take(self, line: Line, action: Record) -> Recorded | Digits | NoInput | Hangup:
        """Record. A key of a grammar that it matches alone ends the recording, and is Digits where nothing was said
        before it; grammars of several keys cannot interrupt.

        A silence ends a take also where nothing was said: then takes follow each other until ``action.timeout`` has
        passed.
        """
        if line.digits:  # §2.3.6: keyed in the prompt, there is no recording
            typed = line.digits.take() or ""
            return Digits(typed) if _matches(action, typed) else Recorded("", 0.0, 0)
        own = "".join(key for key in DIGITS if _matches(action, key))
        keys = DIGITS if action.any_key else own
        loop = asyncio.get_running_loop()
        began, beep = loop.time(), action.beep
        while True:
            taken = await self.recorder.record(line, keys, action.max_time, beep=beep, silence=action.final_silence)
            seconds = max(0, len(taken.wav) - HEADER) / 2 / RATE
            heard = await asyncio.to_thread(spoken, taken.wav[HEADER:])
            if taken.key is not None and taken.key in own and not heard:  # §2.3.6: matched before anything was recorded
                await self.media.forget(taken.name)
                return Digits(taken.key)
            if heard or taken.key is not None:
                reference = SCHEME + taken.name
                self.types[reference] = action.content_type
                longest = not taken.gone and taken.key is None and seconds >= action.max_time - 0.1
                return Recorded(reference, seconds, len(taken.wav), taken.key, longest, taken.gone)
            await self.media.forget(taken.name)
            if taken.gone:
                return Hangup()
            if loop.time() - began >= action.timeout:
                return NoInput()
            beep = False

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
    return sum(loud(samples, start) for start in range(0, len(samples) - FRAME + 1, FRAME)) >= SPEECH_FRAMES
