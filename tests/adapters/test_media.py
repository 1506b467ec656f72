"""Speech and media under many calls at once, and after long use."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.adapters import media, speech
from gateway.adapters.audio import wav_of_samples
from gateway.adapters.evidence import EvidenceFolder
from gateway.adapters.media import FileMedia, in_folder
from gateway.adapters.speech import EspeakSpeech
from gateway.core.model import AccountId, AttemptId
from gateway.ports import MediaError

WAV = wav_of_samples(b"\1\2" * 800, 8000)


async def test_a_text_that_many_calls_want_at_once_is_spoken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def ask(self: EspeakSpeech, ssml: str, language: str) -> tuple[int, bytes]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return 8000, b"\0\0" * 4000

    monkeypatch.setattr(EspeakSpeech, "_ask", ask)
    monkeypatch.setattr(speech, "CACHE_BYTES", 20_000)
    made = EspeakSpeech()
    for text in ("one", "two", "three"):
        heard = await asyncio.gather(*(made.render(text, "en") for _ in range(20)))
        assert len(set(heard)) == 1
    assert asked == 3


@contextmanager
def full() -> Iterator[None]:
    """No file of this process may grow beyond 100 bytes: not even the one that pytest may write its progress to."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_what_could_not_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="File too large"), full():
        await FileMedia(tmp_path / "media", in_folder(str(tmp_path))).keep(WAV)
    with pytest.raises(OSError, match="File too large"), full():
        EvidenceFolder(tmp_path / "evidence").keep(AccountId(1), AttemptId("vg-abc-1"), bytes(8000))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_prompt_in_use_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = FileMedia(tmp_path, in_folder(str(tmp_path)), keep_days=7)
    used, unused = await made.keep(WAV), await made.keep(wav_of_samples(b"\3\4" * 800, 8000))
    old = time.time() - 8 * 86_400
    for ref in (used, unused):
        os.utime(tmp_path / f"{ref.digest}.wav", (old, old))
    (tmp_path / "killed.part").touch()
    os.utime(tmp_path / "killed.part", (old, old))
    await made.keep(WAV)
    monkeypatch.setattr(media, "SWEEP_EVERY", 0.0)
    other = await made.keep(wav_of_samples(b"\5\6" * 800, 8000))
    assert {path.stem for path in tmp_path.iterdir()} == {used.digest, other.digest}
    assert await made.keep(wav_of_samples(b"\3\4" * 800, 8000)) == unused  # swept, and made again
    assert (tmp_path / f"{unused.digest}.wav").exists()
