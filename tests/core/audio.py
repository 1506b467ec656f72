"""Telephone audio made of numbers: tones, cadences, fax signals, noise, G.711. Arrays are float, full scale 32768."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import soundfile

from gateway.core.hearing import Classifier, Evidence, Settings, Sound, Verdict

RATE = 8000
Audio = npt.NDArray[np.float64]


def tone(seconds: float, *hz: float, dbfs: float = -14.0, phase: float = 0.0) -> Audio:
    """Equal lines whose sum has the power of one sine at ``dbfs`` (a full-scale sine is 0)."""
    t = np.arange(round(seconds * RATE)) / RATE
    peak = 32767 * 10 ** (dbfs / 20) / np.sqrt(len(hz))
    return peak * sum((np.sin(2 * np.pi * one * t + phase + n) for n, one in enumerate(hz)), np.zeros(len(t)))


def silence(seconds: float) -> Audio:
    return np.zeros(round(seconds * RATE))


def joined(*parts: Audio) -> Audio:
    return np.concatenate(parts)


def cadence(hz: tuple[float, ...], spans: Iterable[float], times: int, dbfs: float = -14.0) -> Audio:
    """``spans`` are seconds on, off, on, off…"""
    once = [tone(span, *hz, dbfs=dbfs) if n % 2 == 0 else silence(span) for n, span in enumerate(spans)]
    return np.concatenate(once * times)


def ced(seconds: float, *, reversals: bool = False, swing: float = 0.0, dbfs: float = -14.0) -> Audio:
    """2100 Hz; the phase turns every 450 ms and 15 Hz swings the amplitude by ``swing`` (ITU-T V.8, V.25)."""
    t = np.arange(round(seconds * RATE)) / RATE
    turns = np.where(np.floor(t / 0.45) % 2 == 1, -1.0, 1.0) if reversals else 1.0
    return tone(seconds, 2100, dbfs=dbfs) * turns * (1 + swing * np.sin(2 * np.pi * 15 * t))


def v21(bits: Iterable[int], dbfs: float = -14.0) -> Audio:
    """Phase-continuous FSK at 300 bit/s, channel 2: 1 is 1650 Hz, 0 is 1850 Hz (ITU-T V.21)."""
    sent = np.array(list(bits))
    count = int(len(sent) * RATE / 300)
    hz = np.where(sent[(np.arange(count) * 300 // RATE)] == 1, 1650.0, 1850.0)
    return 32767 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * np.cumsum(hz) / RATE)


def noisy(audio: Audio, snr: float, seed: int = 1) -> Audio:
    """White noise ``snr`` dB under the audio's power, where there is audio."""
    power = np.mean(audio[audio != 0] ** 2)
    return audio + np.random.default_rng(seed).normal(0, np.sqrt(power) * 10 ** (-snr / 20), len(audio))


def ulaw(audio: Audio) -> Audio:
    """There and back through G.711 µ-law."""
    x = np.clip(audio / 32768, -1, 1)
    coded = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127)
    y = coded / 127
    return np.sign(y) * np.expm1(np.abs(y) * np.log(256)) / 255 * 32768


def coded(audio: Audio, codec: str) -> Audio:
    """There and back through ``gsm`` (06.10), ``g726`` (32 kbit/s) or ``opus``, as libsndfile has them."""
    file, subtype = {"gsm": ("WAV", "GSM610"), "g726": ("WAV", "NMS_ADPCM_32"), "opus": ("OGG", "OPUS")}[codec]
    kept = io.BytesIO()
    soundfile.write(kept, np.clip(audio / 32768, -1, 1), RATE, format=file, subtype=subtype)
    kept.seek(0)
    back = soundfile.read(kept)[0][: len(audio)] * 32768
    return np.pad(back, (0, len(audio) - len(back)))


def words(spans: Iterable[float], *, dbfs: float = -18.0, seed: int = 3) -> Audio:
    """Speech-like: syllables of gliding harmonics and hisses. ``spans`` are seconds of speech, pause, speech, pause…"""
    rng = np.random.default_rng(seed)
    parts = []
    for n, span in enumerate(spans):
        parts.append(_speech(span, rng) if n % 2 == 0 else silence(span))
    audio = np.concatenate(parts)
    return audio * 32768 * 10 ** (dbfs / 20) / np.sqrt(2 * np.mean(audio[audio != 0] ** 2))


def _speech(seconds: float, rng: np.random.Generator) -> Audio:
    left, parts = round(seconds * RATE), []
    while left > 0:
        count = min(left, int(rng.uniform(0.12, 0.26) * RATE))
        t = np.arange(count) / RATE
        if rng.random() < 0.25:
            voice = 0.3 * rng.normal(0, 1, count)
        else:
            pitch = rng.uniform(95, 220) * (1 + rng.uniform(-0.6, 0.6) * t)
            phase = 2 * np.pi * np.cumsum(pitch) / RATE
            formants = rng.uniform((300, 900, 2200), (800, 1800, 3000))
            voice = np.zeros(count)
            for k in range(1, 25):
                gain = sum(np.exp(-(((k * pitch - f) / 150) ** 2)) for f in formants) + 0.03
                voice += np.where(k * pitch < 3800, gain, 0) * np.sin(k * phase)
        parts.append(voice * np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 0.7)
        left -= count
    return np.concatenate(parts)


def pcm(audio: Audio) -> bytes:
    return np.clip(np.round(audio), -32768, 32767).astype("<i2").tobytes()


def hear(
    audio: Audio, *, answered: float | None = 0.0, chunk: int = 320, settings: Settings | None = None
) -> list[Evidence | Verdict]:
    """Everything that a classifier tells; ``chunk`` is in bytes, ``answered`` in seconds, None for never."""
    classifier, data = Classifier(settings), pcm(audio)
    split = len(data) if answered is None else 2 * round(answered * RATE)
    found = _fed(classifier, data[:split], chunk)
    if answered is not None:
        classifier.answered()
    return found + _fed(classifier, data[split:], chunk) + classifier.finish()


def _fed(classifier: Classifier, data: bytes, chunk: int) -> list[Evidence | Verdict]:
    return [one for place in range(0, len(data), chunk) for one in classifier.feed(data[place : place + chunk])]


def evidence(found: list[Evidence | Verdict], *sounds: Sound) -> list[Evidence]:
    """The evidence of these sounds; of all where none is named."""
    return [one for one in found if isinstance(one, Evidence) and (not sounds or one.sound in sounds)]


def verdicts(found: list[Evidence | Verdict]) -> list[Verdict]:
    return [one for one in found if isinstance(one, Verdict)]


#: Everything but speech and silence.
TONES = tuple(sound for sound in Sound if sound not in (Sound.SPEECH, Sound.SILENCE))
