"""The Media port on a folder of the gateway's, which Asterisk shares, maybe under another name, or reads over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.adapters.audio import RATE, AudioError, g711_of_wav, wav_of_file, wav_of_samples
from gateway.core.model import Millis
from gateway.ports import MediaError, MediaRef, RecordingRef

HEADER = 44
SWEEP_EVERY = 600.0
#: The headerless types (VoiceXML 2.0 Appendix E).
G711 = {"audio/basic": "ULAW", "audio/x-alaw-basic": "ALAW"}
_RECORDING = re.compile(r"recording-[0-9a-f]{32}\Z")


def in_folder(asterisk_dir: str) -> Callable[[str], str]:
    """How Asterisk calls a file of a folder that it sees as ``asterisk_dir``: without its extension."""
    return lambda stem: f"{asterisk_dir.rstrip('/')}/{stem}"


class FileMedia:
    """Files are named by their content, so a file that is there is right. ``keep_days`` bounds their number.

    ``name`` tells what Asterisk calls a file, given its name here without the extension.
    """

    def __init__(self, gateway_dir: Path, name: Callable[[str], str], *, keep_days: float = 7.0) -> None:
        self._folder = gateway_dir
        self._name = name
        self._keep = keep_days * 86_400
        self._known: dict[str, MediaRef] = {}
        self._swept = time.monotonic()

    async def keep(self, audio: bytes, content_type: str = "") -> MediaRef:
        source = hashlib.sha256(content_type.encode() + b"\0" + audio).hexdigest()
        known = self._known.get(source)
        if known is not None:
            with contextlib.suppress(OSError):  # it was removed
                os.utime(self._folder / f"{known.digest}.wav")
                return known
        try:
            ref = await asyncio.to_thread(self._write, audio, content_type)
        except AudioError as error:
            raise MediaError(str(error)) from None
        except OSError as error:
            raise MediaError(f"cannot write to {self._folder}: {error}") from error
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[source] = ref
        return ref

    def _write(self, audio: bytes, content_type: str) -> MediaRef:
        wav = wav_of_file(audio, content_type)
        digest = hashlib.sha256(wav).hexdigest()
        path = self._folder / f"{digest}.wav"
        if path.exists():
            os.utime(path)
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            part = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(wav)
                part.chmod(0o644)  # Asterisk reads as another user
                part.rename(path)
            except OSError:
                part.unlink()
                raise
        if time.monotonic() - self._swept > SWEEP_EVERY:
            self._sweep()
        return MediaRef(digest, self._name(digest), max(0, len(wav) - HEADER) / 2 / RATE)

    def new_recording(self) -> RecordingRef:
        name = f"recording-{secrets.token_hex(16)}"
        return RecordingRef(name, self._name(name))

    async def keep_recording(self, name: str, pcm: bytes) -> bytes:
        path = self._recording_path(name)

        def write() -> bytes:
            wav = wav_of_samples(pcm, RATE)
            path.touch(mode=0o600)
            path.write_bytes(wav)
            return wav

        try:
            return await asyncio.to_thread(write)
        except OSError as error:
            raise MediaError(f"cannot write to {self._folder}: {error}") from error

    async def recording(self, name: str) -> bytes:
        try:
            return await asyncio.to_thread(self._recording_path(name).read_bytes)
        except OSError as error:
            raise MediaError(f"no recording {name}: {error}") from error

    async def converted(self, wav: bytes, content_type: str) -> bytes:
        law = G711.get(content_type)
        return wav if law is None else await asyncio.to_thread(g711_of_wav, wav, law)

    async def forget(self, name: str) -> None:
        with contextlib.suppress(OSError):  # what stays is swept
            await asyncio.to_thread(self._recording_path(name).unlink, missing_ok=True)

    def _recording_path(self, name: str) -> Path:
        if not _RECORDING.match(name):
            raise MediaError(f"{name[:60]!r} names no recording")
        return self._folder / f"{name}.wav"

    def remove_recordings(self, before: Millis, dry: bool) -> int:
        """Remove recordings that nothing has changed since ``before``, or only count them.

        Prompts whose days are over go too: while nothing is spoken, nothing else looks.
        """
        found = 0
        if not dry and self._folder.exists():
            self._sweep()
        for path in self._folder.glob("recording-*"):
            with contextlib.suppress(OSError):  # its session removed it meanwhile
                if path.stat().st_mtime * 1000 < before:
                    if not dry:
                        path.unlink()
                    found += 1
        return found

    def _sweep(self) -> None:
        self._swept = time.monotonic()
        oldest = time.time() - self._keep
        for path in self._folder.iterdir():
            if path.suffix in (".wav", ".part"):
                with contextlib.suppress(OSError):  # a recording that its session removed meanwhile
                    if path.stat().st_mtime < oldest:
                        path.unlink()
