"""A recording made from the media tap: what ends it, and what is kept of it."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest

from gateway.adapters.media import FileMedia, in_folder
from gateway.ports import ChannelGone, PlaybackFailed
from gateway.services.dialog.recorders import RATE, TapRecorder

SPEECH, SILENCE = b"\x00\x10" * RATE, bytes(2 * RATE)  # a second each


@dataclass
class Ear:
    """A tap that gives what ``says`` holds, one piece each time that the gateway looks at the keys."""

    open: bool = True
    fallback: str = "no audio came"
    takes: list[Callable[[bytes], None]] = field(default_factory=list)

    def follow(self, take: Callable[[bytes], None]) -> Callable[[], None]:
        self.takes.append(take)
        return lambda: self.takes.remove(take)


class Callee:
    """Says and keys what it is made with, in order; None is the hang-up."""

    def __init__(self, ear: Ear, *acts: bytes | str | None) -> None:
        self._ear = ear
        self._acts = list(acts)
        self.beeps = 0

    async def beep(self) -> None:
        self.beeps += 1

    async def digit(self, timeout: float) -> str | None:
        await asyncio.sleep(0)
        match self._acts.pop(0):
            case bytes(pcm):
                for take in self._ear.takes:
                    take(pcm)
                return None
            case str(key):
                return key
        raise ChannelGone


async def record(
    folder: Path, *acts: bytes | str | None, seconds: float = 10, beep: bool = False
) -> tuple[float, str | None, bool]:
    """Seconds that were recorded, the key that ended it, whether the callee hung up."""
    ear = Ear()
    recorder = TapRecorder(FileMedia(folder, in_folder(str(folder))), ear)
    callee = Callee(ear, *acts)
    taken = await recorder.record(callee, "#", seconds, beep=beep, silence=2.0)  # type: ignore[arg-type]
    assert ear.takes == []
    assert callee.beeps == beep
    if not taken.wav:
        return 0.0, taken.key, taken.gone
    assert (folder / f"{taken.name}.wav").read_bytes() == taken.wav
    with wave.open(BytesIO(taken.wav)) as file:
        assert file.getparams()[:3] == (1, 2, RATE)
        return file.getnframes() / RATE, taken.key, taken.gone


async def test_silence_ends_it_also_where_nothing_was_said(tmp_path: Path) -> None:
    assert await record(tmp_path, SPEECH, SILENCE, SPEECH, SILENCE, SILENCE, SPEECH) == (5.0, None, False)
    assert await record(tmp_path, SILENCE, SILENCE, SPEECH) == (2.0, None, False)


async def test_a_key_that_may_end_it_does_and_others_mean_nothing(tmp_path: Path) -> None:
    assert await record(tmp_path, SPEECH, "5", SPEECH, "#", SPEECH, beep=True) == (2.0, "#", False)


async def test_what_was_said_before_a_hang_up_is_kept(tmp_path: Path) -> None:
    assert await record(tmp_path, SPEECH, None) == (1.0, None, True)
    assert await record(tmp_path, None) == (0.0, None, True)


async def test_it_is_no_longer_than_it_may_be(tmp_path: Path) -> None:
    assert await record(tmp_path, SPEECH, SPEECH, SPEECH, seconds=1.5) == (1.5, None, False)


async def test_without_a_tap_it_says_why_nothing_can_be_recorded(tmp_path: Path) -> None:
    media = FileMedia(tmp_path, in_folder(str(tmp_path)))
    for ear, why in ((None, "none was opened"), (Ear(open=False), "no audio came")):
        with pytest.raises(PlaybackFailed, match=why):
            await TapRecorder(media, ear).record(None, "", 1, beep=False, silence=1)  # type: ignore[arg-type]
