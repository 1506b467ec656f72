"""Samples: what the corpus computes with, 8 kHz mono floats in which 1 is full scale."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from bench.corpus.clip import RATE

Audio = npt.NDArray[np.float32]

_FRAME = RATE // 50
#: What is this much quieter than a recording's loudest 20 ms belongs to the recording and not to the speaker.
_FLOOR_DB = -35.0


def read(path: Path) -> Audio:
    """A file of any format that libsndfile reads, or Asterisk's headerless GSM."""
    if path.suffix == ".gsm":
        raw = soundfile.read(path, format="RAW", subtype="GSM610", samplerate=RATE, channels=1, always_2d=True)
        return telephone(*raw)
    return telephone(*soundfile.read(path, always_2d=True))


def telephone(samples: npt.NDArray[np.float64], rate: int) -> Audio:
    """Frames by channels at any rate to mono at 8 kHz."""
    mono = samples.mean(axis=1)
    return np.asarray(mono if rate == RATE else soxr.resample(mono, rate, RATE), dtype=np.float32)


def trimmed(audio: Audio) -> Audio:
    """Without what lies before and after the speech, and as loud as full scale allows; empty where nothing sounds."""
    frames = len(audio) // _FRAME
    if frames == 0:
        return audio[:0]
    power = np.mean(audio[: frames * _FRAME].reshape(frames, _FRAME).astype(np.float64) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (_FLOOR_DB / 10))
    if power.max() < 1e-7 or len(loud) == 0:
        return audio[:0]
    cut = audio[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME]
    return np.asarray(cut / np.abs(cut).max(), dtype=np.float32)


def power(audio: Audio) -> float:
    """Mean power of the frames in which something sounds (as ITU-T P.56 means it, more simply)."""
    frames = len(audio) // _FRAME
    if frames == 0:
        return float(np.mean(audio.astype(np.float64) ** 2)) if len(audio) else 0.0
    each = np.mean(audio[: frames * _FRAME].reshape(frames, _FRAME).astype(np.float64) ** 2, axis=1)
    return float(each[each >= each.max() * 0.005].mean())


def seconds(audio: Audio) -> float:
    return len(audio) / RATE


def silence(length: float) -> Audio:
    return np.zeros(round(length * RATE), dtype=np.float32)


def coded(audio: Audio, codec: str) -> Audio:
    """There and back through ``ulaw``, ``alaw``, ``gsm`` (06.10), ``g726`` (32 kbit/s) or ``opus``."""
    file, subtype = ("OGG", "OPUS") if codec == "opus" else ("WAV", _SUBTYPES[codec])
    kept = io.BytesIO()
    soundfile.write(kept, np.clip(audio, -1, 1), RATE, format=file, subtype=subtype)
    kept.seek(0)
    back = soundfile.read(kept, dtype="float32")[0][: len(audio)]
    return np.asarray(np.pad(back, (0, len(audio) - len(back))), dtype=np.float32)


_SUBTYPES = {"ulaw": "ULAW", "alaw": "ALAW", "gsm": "GSM610", "g726": "NMS_ADPCM_32"}
CODECS = (*_SUBTYPES, "opus")


def pcm16(audio: Audio) -> bytes:
    return np.round(np.clip(audio, -1, 32767 / 32768) * 32768).astype("<i2").tobytes()
