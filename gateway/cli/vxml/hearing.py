"""What the caller would hear: as words on the terminal, and as numbered WAV files where a folder is given."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from gateway.adapters.audio import RATE, AudioError, wav_of_file
from gateway.cli.vxml.recordings import SCHEME, Recordings
from gateway.ports import Fetcher, FetchError, FetchRequest, Speech
from vxml import Audio, Break, Marked, Prompt, Segment
from vxml import Speech as SpeechSegment

MAX_AUDIO = 32 * 1024 * 1024  # bytes of one file, as on a call
_SENTENCE_END = re.compile(r"</(?:p|s|paragraph|sentence)>")


@dataclass(slots=True)
class _Turn:
    """What is heard before the caller's turn. ``samples`` are 16-bit mono at 8 kHz."""

    shown: list[str] = field(default_factory=list)
    samples: bytearray = field(default_factory=bytearray)
    mark: str | None = None


class Hearing:
    """``speech`` and ``folder`` are given together: without them nothing is rendered."""

    def __init__(
        self, fetcher: Fetcher, recordings: Recordings, speech: Speech | None = None, folder: Path | None = None
    ) -> None:
        self._fetcher = fetcher
        self._recordings = recordings
        self._speech = speech
        self._folder = folder
        self.files = 0

    async def hear(self, prompts: Sequence[Prompt]) -> tuple[list[str], str | None]:
        """The prompts as lines, one a prompt, and the last mark in them. Raises SpeechError, OSError."""
        turn, lines = _Turn(), []
        for prompt in prompts:
            turn.shown = []
            for segment in prompt.segments:
                await self._segment(segment, turn)
            lines.append(" ".join(turn.shown))
        self._write(bytes(turn.samples))
        return lines, turn.mark

    async def _segment(self, segment: Segment, turn: _Turn) -> None:
        match segment:
            case SpeechSegment(ssml, language):
                turn.shown.append(words_of(ssml))
                if self._speech is not None:
                    turn.samples += _samples(await self._speech.render(ssml, language))
            case Break(seconds):
                turn.shown.append(f"[break {seconds:g} s]")
                turn.samples += bytes(2 * round(seconds * RATE))
            case Marked(name):
                turn.shown.append(f"[mark {name}]")
                turn.mark = name
            case Audio():
                await self._audio(segment, turn)

    async def _audio(self, audio: Audio, turn: _Turn) -> None:
        """The file; where it cannot be had or played, its alternative (VoiceXML 2.0 §4.1.3)."""
        try:
            wav, why = await self._file(audio), ""
        except (FetchError, AudioError) as error:
            wav, why = b"", str(error)
        if not why:
            turn.shown.append(f"[audio {audio.url}]")
            turn.samples += _samples(wav)
            return
        turn.shown.append(f"[audio {audio.url} is not played: {why}]")
        for inner in audio.fallback:
            await self._segment(inner, turn)

    async def _file(self, audio: Audio) -> bytes:
        if audio.url.startswith(SCHEME):
            if (kept := self._recordings.get(audio.url)) is None:
                raise AudioError("there is no such recording")
            return kept.wav
        answer = await self._fetcher.fetch(
            FetchRequest(
                audio.url,
                timeout=audio.timeout or 15.0,
                max_bytes=MAX_AUDIO,
                max_age=audio.max_age,
                max_stale=audio.max_stale,
            )
        )
        if answer.status != 200:
            raise AudioError(f"HTTP {answer.status}")
        return wav_of_file(answer.body, answer.content_type)

    def _write(self, samples: bytes) -> None:
        if self._folder is None or not samples:
            return
        self.files += 1
        with wave.open(str(self._folder / f"{self.files:03}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples)


def words_of(ssml: str) -> str:
    """The words of an SSML document, sentences apart."""
    root = etree.fromstring(_SENTENCE_END.sub(r" \g<0>", ssml))
    return " ".join("".join(str(one) for one in root.itertext()).split())


def _samples(wav: bytes) -> bytes:
    with wave.open(io.BytesIO(wav)) as file:
        return bytes(file.readframes(file.getnframes()))
