"""Prompts over HTTP: Asterisk's addresses and known names only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.adapters.audio import wav_of_samples
from gateway.adapters.media import FileMedia
from gateway.adapters.promptserver import PromptServer, PromptServerSettings

WAV = wav_of_samples(b"\1\2" * 800, 8000)


def server(folder: Path, allow: str = "127.0.0.0/8") -> PromptServer:
    return PromptServer(folder, PromptServerSettings("127.0.0.1", 0, (allow,), b"key"))


@pytest.fixture
async def prompts(tmp_path: Path) -> AsyncIterator[PromptServer]:
    made = server(tmp_path)
    await made.start()
    yield made
    await made.close()


async def status(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


async def test_asterisk_gets_a_prompt_under_the_name_that_it_was_told(prompts: PromptServer, tmp_path: Path) -> None:
    ref = await FileMedia(tmp_path, prompts.url).keep(WAV)
    assert ref.asterisk_name.startswith(f"http://127.0.0.1:{prompts.port}/media/")
    async with aiohttp.ClientSession() as session, session.get(ref.asterisk_name) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/wav", WAV)
        assert answer.headers["Cache-Control"] == "max-age=604800"


async def test_what_is_said_does_not_tell_what_the_file_is_called(prompts: PromptServer, tmp_path: Path) -> None:
    media = FileMedia(tmp_path, prompts.url)
    ref = await media.keep(WAV)
    recording = media.new_recording().name
    await media.keep_recording(recording, b"\1\2" * 800)
    base = f"http://127.0.0.1:{prompts.port}/media"
    for name in (ref.digest, f"{ref.digest}-{'0' * 32}", recording, "..%2f..%2fetc%2fpasswd", ""):
        assert await status(f"{base}/{name}.wav") == 404


async def test_only_asterisks_addresses_are_let_in(tmp_path: Path) -> None:
    prompts = server(tmp_path, allow="10.0.0.0/8")
    await prompts.start()
    try:
        ref = await FileMedia(tmp_path, prompts.url).keep(WAV)
        assert await status(ref.asterisk_name) == 403
    finally:
        await prompts.close()


async def test_a_name_is_the_same_after_a_restart_and_with_another_secret_another(tmp_path: Path) -> None:
    def named(key: bytes) -> str:
        return PromptServer(tmp_path, PromptServerSettings("10.0.0.5", 4574, (), key)).url("0" * 64)

    assert named(b"one") == named(b"one") != named(b"two")
    assert named(b"one").startswith("http://10.0.0.5:4574/media/" + "0" * 64)
