"""What rooms and lines do to a voice: level, noise, echo, coding, lost packets. Alike for people and machines."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.corpus.audio import CODECS, Audio, coded, power, silence
from bench.corpus.clip import RATE, Kind

NOISES = ("white", "pink", "street", "hum", "babble", "music")
_PACKET = RATE // 50
#: The power of a full-scale sine.
_FULL = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """As in :class:`bench.corpus.clip.Clip`. ``room`` is the quiet room's noise in dB under the speech, None for none.

    ``low`` is the frequency in Hz under which the telephone passes nothing.
    """

    level: float
    snr: float | None
    noise: str | None
    room: float | None
    low: int
    codec: str
    loss: float
    concealed: bool
    echo: bool


def drawn(rng: random.Random, kind: Kind) -> Line:
    noisy = rng.random() < 0.5 or kind in (Kind.TALK, Kind.MUSIC)
    noise = {Kind.TALK: "babble", Kind.MUSIC: "music"}.get(kind) or rng.choice(NOISES)
    lossy = rng.random() < 0.25
    return Line(
        level=round(rng.uniform(-35, -10), 1),
        snr=round(rng.uniform(5, 30), 1) if noisy else None,
        noise=noise if noisy else None,
        room=rng.uniform(30, 55) if rng.random() < 0.7 else None,
        low=rng.choice((0, 150, 200, 250, 300)),
        codec=rng.choices(CODECS, (40, 15, 15, 10, 20))[0],
        loss=round(rng.uniform(0.01, 0.1), 3) if lossy else 0.0,
        concealed=lossy and rng.random() < 0.5,
        echo=rng.random() < 0.15,
    )


def unsent(rng: random.Random) -> float:
    """Seconds from the answer to the line's first packet: none for half of the calls, at most half a second."""
    return round(rng.uniform(0, 0.5), 3) if rng.random() < 0.5 else 0.0


def heard(rng: random.Random, audio: Audio, line: Line, beds: Mapping[str, Sequence[Audio]]) -> Audio:
    """``audio`` as the other end of ``line`` hears it. ``beds`` holds recordings of babble and music."""
    noise = np.random.default_rng(rng.randrange(2**32))
    target = _FULL * 10 ** (line.level / 10)
    audio = _passed(audio, line.low)
    sounding = power(audio)
    if sounding > 0:
        audio = audio * np.float32(np.sqrt(target / sounding))
    if line.echo:
        late = round(rng.uniform(0.03, 0.25) * RATE)
        audio = audio + 10 ** (rng.uniform(-30, -15) / 20) * np.pad(audio, (late, 0))[: len(audio)]
    if line.room is not None:
        audio = audio + _at(_passed(_pink(noise, len(audio)), line.low), target * 10 ** (-line.room / 10))
    if line.snr is not None and line.noise is not None:
        bed = _passed(_noise(rng, noise, line.noise, len(audio), beds), line.low)
        audio = audio + _at(bed, target * 10 ** (-line.snr / 10))
    audio = coded(np.asarray(audio, dtype=np.float32), line.codec)
    if line.loss:
        audio = _lossy(rng, audio, line.loss, concealed=line.concealed)
    return coded(audio, "ulaw")


def _noise(
    rng: random.Random, noise: np.random.Generator, name: str, length: int, beds: Mapping[str, Sequence[Audio]]
) -> Audio:
    t = np.arange(length) / RATE
    match name:
        case "white":
            return noise.normal(0, 1, length).astype(np.float32)
        case "pink":
            return _pink(noise, length)
        case "hum":
            mains = rng.choice((50, 60))
            parts = [np.sin(2 * np.pi * mains * n * t + rng.uniform(0, 6)) / n for n in (1, 2, 3, 5, 7)]
            return np.asarray(sum(parts) + noise.normal(0, 0.1, length), dtype=np.float32)
        case "street":
            slow = np.interp(t, np.arange(0, t[-1] + 1.5, 0.7), noise.uniform(0.3, 1, int((t[-1] + 1.5) / 0.7) + 1))
            return np.asarray(_brown(noise, length) * slow + 0.1 * noise.normal(0, 1, length) * slow, dtype=np.float32)
    bed = rng.choice(beds[name])
    start = rng.randrange(max(1, len(bed) - length))
    cut = bed[start : start + length]
    return np.asarray(np.resize(cut, length), dtype=np.float32)


def _passed(audio: Audio, low: int) -> Audio:
    """``audio`` as a telephone passes it that sends from ``low`` Hz on, 12 dB an octave below."""
    if not low or len(audio) == 0:
        return audio
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    gain = np.minimum(1, (hertz / low) ** 2)
    return np.asarray(np.fft.irfft(np.fft.rfft(audio) * gain, len(audio)), dtype=np.float32)


def _shaped(noise: np.random.Generator, length: int, exponent: float) -> Audio:
    spectrum = np.fft.rfft(noise.normal(0, 1, length))
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 50.0)
    shaped = np.fft.irfft(spectrum * hertz**-exponent, length)
    return np.asarray(shaped / shaped.std(), dtype=np.float32)


def _pink(noise: np.random.Generator, length: int) -> Audio:
    return _shaped(noise, length, 0.5)


def _brown(noise: np.random.Generator, length: int) -> Audio:
    return _shaped(noise, length, 1.0)


def _at(audio: Audio, wanted: float) -> Audio:
    """``audio`` with mean power ``wanted``."""
    now = float(np.mean(audio.astype(np.float64) ** 2))
    return audio * np.float32(np.sqrt(wanted / now)) if now > 0 else audio


def _lossy(rng: random.Random, audio: Audio, share: float, *, concealed: bool) -> Audio:
    """Packets lost one or a few in a row (a Gilbert channel whose bursts last 1.7 packets)."""
    out, lost, gain = audio.copy(), False, 1.0
    leave = 0.6
    enter = leave * share / (1 - share)
    for place in range(0, len(out) - _PACKET + 1, _PACKET):
        lost = rng.random() < (1 - leave if lost else enter)
        if not lost:
            gain = 1.0
            continue
        gain *= 0.5
        before = out[place - _PACKET : place] if place else silence(0.02)
        out[place : place + _PACKET] = before * gain if concealed else 0
    return out


def babble(rng: random.Random, voices: Sequence[Sequence[Audio]], length: float = 40.0) -> Audio:
    """Six people of these speakers at once."""
    total = np.zeros(round(length * RATE), dtype=np.float32)
    for _ in range(6):
        said, row = rng.choice(voices), np.zeros(0, dtype=np.float32)
        while len(row) < len(total):
            row = np.concatenate([row, rng.choice(said), silence(rng.uniform(0.05, 0.5))])
        total += row[: len(total)] * rng.uniform(0.4, 1.0)
    return total / np.float32(np.abs(total).max())
