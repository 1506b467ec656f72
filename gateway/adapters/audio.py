"""Audio of any kind to what Asterisk plays best: WAV, mono, 8 kHz, 16 bit. Slow work: call it in a thread."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

RATE = 8000
MAX_SECONDS = 600.0


class AudioError(Exception):
    """Not readable as audio."""


def wav_of_samples(samples: bytes, rate: int) -> bytes:
    """``samples`` are 16-bit mono at ``rate``."""
    return _wav((np.frombuffer(samples, dtype="<i2") / 32768).astype(np.float32), rate)


def wav_of_file(audio: bytes, content_type: str) -> bytes:
    """A file of any format that libsndfile reads, or headerless G.711 (``audio/basic`` and alike)."""
    raw = {"audio/basic": "ULAW", "audio/x-mulaw": "ULAW", "audio/pcmu": "ULAW", "audio/x-alaw-basic": "ALAW",
           "audio/pcma": "ALAW"}.get(content_type.lower())  # fmt: skip
    try:
        if raw is not None and not audio.startswith((b".snd", b"RIFF")):
            data, rate = soundfile.read(
                io.BytesIO(audio), samplerate=RATE, channels=1, format="RAW", subtype=raw, dtype="float32",
                always_2d=True,
            )  # fmt: skip
        else:
            with soundfile.SoundFile(io.BytesIO(audio)) as file:
                if file.frames > MAX_SECONDS * file.samplerate:
                    raise AudioError(f"longer than {MAX_SECONDS:g} s")
                rate = file.samplerate
                data = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, ValueError, TypeError) as error:
        raise AudioError(f"not readable as audio: {error}") from None
    return _wav(data.mean(axis=1), rate)


def g711_of_wav(wav: bytes, subtype: str) -> bytes:
    """Headerless G.711 at 8 kHz; ``subtype`` is ULAW or ALAW."""
    data, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    out = io.BytesIO()
    soundfile.write(out, data, RATE, format="RAW", subtype=subtype)
    return out.getvalue()


def _wav(samples: npt.NDArray[np.float32], rate: int) -> bytes:
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1.0, 1.0), RATE, format="WAV", subtype="PCM_16")
    return out.getvalue()
