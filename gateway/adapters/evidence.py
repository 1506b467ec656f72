"""The first seconds of what callees said, as files beside the database: written once, removed after their time."""

from __future__ import annotations

import re
import time
import wave
from contextlib import suppress
from pathlib import Path

from gateway.core.model import AccountId, AttemptId

RATE = 8000
DAY = 86_400.0
_NAME = re.compile(r"[0-9]+/[A-Za-z0-9-]+\.wav")


class EvidenceFolder:
    """A folder of WAV files (mono, 8 kHz, 16 bit), one folder an account in it. Every method blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, account: AccountId, attempt: AttemptId, pcm: bytes) -> str:
        """Write samples; the file's name. Raises OSError, and leaves nothing then."""
        name = f"{account}/{attempt}.wav"
        place = self._folder / name
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        part = place.with_suffix(".part")
        part.touch(mode=0o600)
        try:
            with part.open("wb") as whole, wave.open(whole, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(pcm)
            part.replace(place)  # a reader finds the whole file or none
        except OSError:
            part.unlink()
            raise
        return name

    def read(self, name: str) -> bytes | None:
        """The file of that name; None where there is none, or none any more."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def remove_older(self, account: AccountId, days: float) -> int:
        """Remove what is older than ``days``, and what a crash left half written; how many files."""
        before, removed = time.time() - days * DAY, 0
        for place in (self._folder / str(account)).glob("*"):
            with suppress(OSError):
                if place.stat().st_mtime < before:
                    place.unlink()
                    removed += 1
        return removed
