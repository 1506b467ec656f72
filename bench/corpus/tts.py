"""Synthetic voices: espeak-ng and flite, and festival's only to measure with; each engine in a process of its own."""

from __future__ import annotations

import asyncio
import io
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import soundfile

from bench.corpus.audio import Audio, telephone
from gateway.adapters.speech import EspeakSpeech
from lab import fetch

#: Names of festival's voices.
FESTIVAL = {"kdl": "voice_ked_diphone", "lj": "voice_suo_fi_lj_diphone", "mv": "voice_hy_fi_mv_diphone"}


def spoken(engine: str, voice: str, texts: Sequence[str], root: Path) -> list[Audio]:
    """Each text as 8 kHz audio. ``root`` is where Debian's packages are unpacked."""
    match engine:
        case "espeak":
            return asyncio.run(_espeak(voice, texts))
        case "flite":
            return [_flite(voice, text, root) for text in texts]
        case "festival":
            return [_festival(FESTIVAL[voice], text, root) for text in texts]
    raise ValueError(f"no speech engine is called {engine}")


async def _espeak(voice: str, texts: Sequence[str]) -> list[Audio]:
    speech = EspeakSpeech()
    try:
        waves = [await speech.render(f'<speak version="1.0">{text}</speak>', voice) for text in texts]
    finally:
        await speech.close()
    return [telephone(*soundfile.read(io.BytesIO(wave), always_2d=True)) for wave in waves]


def _flite(voice: str, text: str, root: Path) -> Audio:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = [*fetch.loader(root), str(root / "usr/bin/flite"), "-voice", voice, "-t", text, "-o", file.name]
        subprocess.run(command, check=True, capture_output=True)
        return telephone(*soundfile.read(file.name, always_2d=True))


def _festival(voice: str, text: str, root: Path) -> Audio:
    folders = ["--datadir", str(root / "usr/share/festival"), "--libdir", str(root / "usr/lib/festival")]
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        said = f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{file.name}" (quote riff))'
        script = f"(begin ({voice}) {said})".encode("latin-1")  # its voices read no UTF-8
        command: list[str | bytes] = [*fetch.loader(root), str(root / "usr/bin/festival"), *folders, "--batch", script]
        subprocess.run(command, check=True, capture_output=True)
        return telephone(*soundfile.read(file.name, always_2d=True))
