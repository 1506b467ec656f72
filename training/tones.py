"""A telephone's tones in noise, in which nobody speaks: what the noise is must be known after a loud one too."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

RATE: Final = 8000
#: Hz of tones: ringback, busy, dial tone, fax, special information and anything between.
PAIRS: Final = (
    (440.0, 480.0),
    (400.0, 450.0),
    (480.0, 620.0),
    (350.0, 440.0),
    (425.0,),
    (2100.0,),
    (1100.0,),
    (950.0,),
)
SECONDS: Final = 12.0


def tones(seed: int) -> bytes:
    """A line on which a tone comes and goes: 16-bit little-endian mono at 8 kHz."""
    rng = np.random.default_rng(seed)
    pair = PAIRS[rng.integers(len(PAIRS))] if rng.random() < 0.6 else tuple(rng.uniform(330, 2600, rng.integers(1, 3)))
    on, off = rng.uniform(0.1, 3.0), rng.uniform(0.1, 4.0)
    level, snr = rng.uniform(-30, -8), rng.uniform(8, 60)
    time = np.arange(int(SECONDS * RATE)) / RATE
    lines = sum(np.sin(2 * np.pi * hz * time) for hz in pair) / np.sqrt(len(pair))
    sounding = (time - rng.uniform(0, 2)) % (on + off) < on
    audio = 10 ** (level / 20) * lines * sounding
    audio += rng.normal(0, 10 ** ((level - snr) / 20) / np.sqrt(2), len(time))
    return ulaw(audio)


def ulaw(audio: npt.NDArray[np.float64]) -> bytes:
    """Through G.711 and back."""
    coded = np.sign(audio) * np.round(127 * np.log1p(255 * np.minimum(np.abs(audio), 1)) / np.log(256)) / 127
    plain = np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255
    pcm: bytes = (plain * 32767).astype("<i2").tobytes()
    return pcm
