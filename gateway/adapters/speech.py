"""The Speech port: text through the espeak-ng worker process, at the telephone's 8 kHz, kept by content."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import OrderedDict

import structlog

from gateway.adapters.audio import wav_of_samples
from gateway.adapters.sayas import worded
from gateway.happenings import Observe, SpeechAsked, SpeechSource, Stopwatch, unobserved
from gateway.ports import SpeechError

log = structlog.get_logger()

MAX_TEXT = 20_000
CACHE_BYTES = 64 * 1024 * 1024
TIMEOUT = 20.0


class EspeakSpeech:
    """One worker, one text at a time; a worker that died or hangs is replaced at the next text."""

    def __init__(self, observe: Observe = unobserved) -> None:
        self._observe = observe
        self._worker: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0

    @property
    def cached_bytes(self) -> int:
        return self._cached_bytes

    async def render(self, ssml: str, language: str) -> bytes:
        if len(ssml) > MAX_TEXT:
            raise SpeechError(f"the text is longer than {MAX_TEXT} characters")
        key = hashlib.sha256(f"{language}\0{ssml}".encode()).hexdigest()
        watch, source = Stopwatch(), SpeechSource.FAILED
        try:
            audio, source = await self._had(key, ssml, language)
        finally:
            self._observe(SpeechAsked(source, watch.seconds))
        return audio

    async def _had(self, key: str, ssml: str, language: str) -> tuple[bytes, SpeechSource]:
        if (kept := self._kept(key)) is not None:
            return kept, SpeechSource.CACHE
        async with self._turn:
            if (kept := self._kept(key)) is not None:  # spoken for another call meanwhile
                return kept, SpeechSource.CACHE
            try:
                async with asyncio.timeout(TIMEOUT):
                    rate, samples = await self._ask(worded(ssml, language), language)
            except (TimeoutError, OSError, EOFError, ValueError) as error:
                await self._end()
                raise SpeechError(f"the speech worker failed: {error or type(error).__name__}") from error
            except asyncio.CancelledError:
                await self._end()  # half an answer would be taken for the next text's
                raise
            audio = await asyncio.to_thread(wav_of_samples, samples, rate)
            self._cache[key] = audio
            self._cached_bytes += len(audio)
            while self._cached_bytes > CACHE_BYTES:
                _, gone = self._cache.popitem(last=False)
                self._cached_bytes -= len(gone)
        return audio, SpeechSource.RENDERED

    def _kept(self, key: str) -> bytes | None:
        kept = self._cache.get(key)
        if kept is not None:
            self._cache.move_to_end(key)
        return kept

    async def _ask(self, ssml: str, language: str) -> tuple[int, bytes]:
        worker = await self._started()
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps({"voice": language.lower(), "ssml": ssml}).encode() + b"\n")
        await worker.stdin.drain()
        line = await worker.stdout.readline()
        if not line:
            raise EOFError("it ended")
        answer = json.loads(line)
        if "error" in answer:
            raise SpeechError(str(answer["error"]))
        return int(answer["rate"]), await worker.stdout.readexactly(int(answer["bytes"]))

    async def _started(self) -> asyncio.subprocess.Process:
        if self._worker is None or self._worker.returncode is not None:
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.adapters.speech_worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        return self._worker

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None and worker.returncode is None:
            worker.kill()
            await worker.wait()

    async def close(self) -> None:
        await self._end()
