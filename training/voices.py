"""Voices that nobody has: syllables of any pitch and formants, so that one unlike all recorded ones is a voice, too."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from training.tones import RATE, SECONDS, ulaw

#: Hz of the three formants, lowest and highest.
FORMANTS: Final = np.array([(250, 1000), (800, 2300), (1900, 3400)]).T
#: Of syllables that are hissed.
HISSED: Final = 0.2

Stretches = list[tuple[float, float]]


def voices(seed: int) -> tuple[bytes, Stretches]:
    """A line on which a voice comes and goes: 16-bit little-endian mono at 8 kHz, and when it speaks (seconds)."""
    rng = np.random.default_rng(seed)
    pitch = rng.uniform(80, 350)
    audio = np.zeros(int(SECONDS * RATE))
    spoken: Stretches = []
    at = int(max(rng.uniform(-1, 2), 0) * RATE)  # at once in a third
    while at < len(audio) - RATE:
        said = _speech(rng, pitch, rng.uniform(0.3, 3.0))[: len(audio) - at]
        audio[at : at + len(said)] = said
        spoken.append((at / RATE, (at + len(said)) / RATE))
        at += len(said) + int(rng.uniform(0.3, 3) * RATE)
    level, snr = rng.uniform(-35, -10), rng.uniform(8, 60)
    loud = np.sqrt(2 * np.mean(audio[audio != 0] ** 2))
    audio *= 10 ** (level / 20) / loud
    if rng.random() < 0.5:
        audio += rng.normal(0, 10 ** ((level - snr) / 20) / np.sqrt(2), len(audio))
    coded = ulaw(audio) if rng.random() < 0.7 else (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    return coded, spoken


def _speech(rng: np.random.Generator, pitch: float, seconds: float) -> npt.NDArray[np.float64]:
    parts, left = [], seconds
    while left > 0:
        length = rng.uniform(0.1, 0.3)
        time = np.arange(int(length * RATE)) / RATE
        if rng.random() < HISSED:
            sound = 0.3 * rng.normal(0, 1, len(time))
        else:
            glide = pitch * rng.uniform(0.8, 1.25) * (1 + rng.uniform(-0.6, 0.6) * time)
            phase = 2 * np.pi * np.cumsum(glide) / RATE
            formants, width = rng.uniform(*FORMANTS), rng.uniform(60, 200)
            hertz = np.arange(1, int(3800 / glide.max()) + 1)[:, None] * glide
            gains = np.exp(-(((hertz - formants[:, None, None]) / width) ** 2)).sum(axis=0) + rng.uniform(0.01, 0.1)
            sound = (gains * np.sin(np.arange(1, len(hertz) + 1)[:, None] * phase)).sum(axis=0)
        parts.append(sound * np.sin(np.pi * (np.arange(len(time)) + 0.5) / len(time)) ** rng.uniform(0.3, 1))
        left -= length
    return np.concatenate(parts)
