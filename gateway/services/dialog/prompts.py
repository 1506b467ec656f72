"""Turns the interpreter's segments into files that Asterisk plays, with the alternative where audio cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import structlog

from gateway.ports import Fetcher, FetchError, FetchRequest, Media, MediaError, MediaRef, Speech, SpeechError
from gateway.services.dialog.recording import SCHEME
from vxml import Audio, Break, Marked, Segment
from vxml import Speech as SpeechSegment

log = structlog.get_logger()

#: What a prompt comes down to: a file, seconds of silence, or a place whose passing is told.
Piece = MediaRef | float | Marked


class PromptRenderer:
    def __init__(self, speech: Speech, media: Media, fetcher: Fetcher) -> None:
        self._speech = speech
        self._media = media
        self._fetcher = fetcher

    def through(self, fetcher: Fetcher) -> PromptRenderer:
        """The same with another way to the network."""
        return PromptRenderer(self._speech, self._media, fetcher)

    async def pieces(self, segments: Sequence[Segment]) -> AsyncGenerator[Piece, None]:
        """The pieces in order; all are prepared at once, so that the first need not wait for the last."""
        under_way = [asyncio.ensure_future(self._render(segment)) for segment in segments]
        try:
            for task in under_way:
                for piece in await task:
                    yield piece
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _render(self, segment: Segment) -> list[Piece]:
        match segment:
            case Break(seconds):
                return [seconds]
            case Marked():
                return [segment]
            case SpeechSegment(ssml, language):
                try:
                    return [await self._media.keep(await self._speech.render(ssml, language), "audio/wav")]
                except (SpeechError, MediaError) as error:
                    log.error("prompt.not_spoken", error=str(error))
                    return []
            case Audio():
                return await self._audio(segment)

    async def _audio(self, audio: Audio) -> list[Piece]:
        try:
            if audio.url.startswith(SCHEME):
                return [await self._media.keep(await self._media.recording(audio.url.removeprefix(SCHEME)))]
            answer = await self._fetcher.fetch(
                FetchRequest(
                    audio.url,
                    timeout=audio.timeout or 15.0,
                    max_bytes=32 * 1024 * 1024,
                    max_age=audio.max_age,
                    max_stale=audio.max_stale,
                )
            )
            if answer.status == 200:
                return [await self._media.keep(answer.body, answer.content_type)]
            why = f"HTTP {answer.status}"
        except (FetchError, MediaError) as error:
            why = str(error)
        log.warning("prompt.audio_missing", url=audio.url, error=why, alternative=bool(audio.fallback))
        pieces: list[Piece] = []
        for segment in audio.fallback:  # VoiceXML 2.0 §4.1.3
            pieces += await self._render(segment)
        return pieces
