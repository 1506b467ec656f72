"""The recordings of a walk: nobody speaks, so a soft tone of the typed length stands for what was said."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gateway.adapters.audio import RATE, g711_of_wav, wav_of_samples
from gateway.ports import FilePart

SCHEME = "recording:"
#: Headerless types (VoiceXML 2.0 Appendix E): libsndfile's name of the law, and the file name's extension.
G711 = {"audio/basic": ("ULAW", "ul"), "audio/x-alaw-basic": ("ALAW", "al")}


@dataclass(frozen=True, slots=True)
class Recording:
    seconds: float
    wav: bytes
    part: FilePart


@dataclass(slots=True)
class Recordings:
    """By reference, as the application holds it."""

    _kept: dict[str, Recording] = field(default_factory=dict)

    def add(self, seconds: float, content_type: str) -> tuple[str, int]:
        """The new recording's reference and its size in bytes."""
        times = np.arange(round(seconds * RATE)) / RATE
        wav = wav_of_samples((2000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes(), RATE)
        law, extension = G711.get(content_type, ("", "wav"))
        body = g711_of_wav(wav, law) if law else wav
        number = len(self._kept) + 1
        reference = f"{SCHEME}{number}"
        self._kept[reference] = Recording(seconds, wav, FilePart(f"recording-{number}.{extension}", content_type, body))
        return reference, len(body)

    def get(self, reference: str) -> Recording | None:
        return self._kept.get(reference)
