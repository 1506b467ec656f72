"""Tones of lines and faxes, made as the recommendations say, and how many of them the classifier tells."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.corpus.audio import Audio, coded, pcm16, silence
from bench.corpus.clip import RATE
from gateway.core.hearing import Classifier, Evidence, Settings, Sound
from lab.tones import SIT

LEVELS = (-30, -25, -20, -15, -10)
SNRS = (None, 15)
EACH = 5

Cadences = dict[str, tuple[tuple[float, ...], tuple[float, ...]]]

#: Hz, and seconds on and off in turn: United States (ANSI T1.401), most of Europe (ETSI TR 101 041), United Kingdom.
BUSY: Cadences = {
    "us": ((480, 620), (0.5, 0.5)), "eu": ((425,), (0.5, 0.5)), "uk": ((400,), (0.375, 0.375)),
}  # fmt: skip
REORDER: Cadences = {"us": ((480, 620), (0.25, 0.25)), "eu": ((425,), (0.25, 0.25))}
RINGBACK: Cadences = {
    "us": ((440, 480), (2.0, 4.0)), "eu": ((425,), (1.0, 4.0)), "uk": ((400, 450), (0.4, 0.2, 0.4, 2.0)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tone:
    """It begins at ``begins`` seconds of ``pcm``. ``sounds`` are those that tell it, with ``category``."""

    name: str
    sounds: frozenset[Sound]
    category: str | None
    begins: float
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """``after`` is how many seconds after the tone's beginning it was told, None where it was not."""

    tone: Tone
    after: float | None
    false: tuple[str, ...]


def tones(seed: int = 1) -> Iterator[Tone]:
    rng = random.Random(seed)
    for (category, segments), level, snr, n in itertools.product(SIT.items(), LEVELS, SNRS, range(EACH)):
        off = rng.uniform(-0.015, 0.015)  # GR-674 allows 1.5 %
        audio = np.concatenate([_sine((hertz * (1 + off),), seconds) for hertz, seconds in segments])
        yield _tone(rng, f"sit {category} {n}", frozenset((Sound.SIT,)), f"sit-{category}", audio, level, snr)
    cadences: tuple[tuple[Sound, Cadences], ...] = (
        (Sound.BUSY, BUSY),
        (Sound.REORDER, REORDER),
        (Sound.RINGBACK, RINGBACK),
    )
    for (sound, countries), level, snr in itertools.product(cadences, LEVELS, SNRS):
        for country, (hertz, times) in countries.items():
            audio = _cadence(hertz, times, 14.0 if sound is Sound.RINGBACK else 5.0)
            yield _tone(rng, f"{sound} {country}", frozenset((sound,)), None, audio, level, snr)
    for level, snr, n in itertools.product(LEVELS, SNRS, range(EACH)):
        yield _tone(rng, f"ced {n}", frozenset((Sound.CED, Sound.ANSAM)), None, _sine((2100,), 3.0), level, snr)
        yield _tone(rng, f"ansam {n}", frozenset((Sound.CED, Sound.ANSAM)), None, _ansam(3.3), level, snr)
        yield _tone(rng, f"v21 {n}", frozenset((Sound.V21,)), None, _v21(1.2), level, snr)
        yield _tone(rng, f"cng {n}", frozenset((Sound.CNG,)), None, _cadence((1100,), (0.5, 3.0), 7.5), level, snr)


def tell(tone: Tone, settings: Settings) -> Told:
    classifier = Classifier(settings)
    classifier.answered()
    heard = [one for one in classifier.feed(tone.pcm) + classifier.finish() if isinstance(one, Evidence)]
    right = [
        one for one in heard if one.sound in tone.sounds and (tone.category is None or str(one.tone) == tone.category)
    ]
    harmless = {Sound.SPEECH, Sound.SILENCE, Sound.TONE, Sound.BEEP, *tone.sounds}
    false = tuple(f"{one.sound} {one.tone or ''}".strip() for one in heard if one.sound not in harmless)
    return Told(tone, right[0].known - tone.begins if right else None, false)


def _tone(
    rng: random.Random, name: str, sounds: frozenset[Sound], category: str | None, audio: Audio, level: int,
    snr: int | None,
) -> Tone:  # fmt: skip
    before = rng.uniform(0.1, 2.0)
    amplitude = 10 ** (level / 20)
    whole = np.concatenate([silence(before), audio * np.float32(amplitude), silence(2.0)])
    if snr is not None:
        noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 1, len(whole))
        whole = whole + noise * amplitude / np.sqrt(2) * 10 ** (-snr / 20)
    noted = f"{name} {level} dBFS, {'no noise' if snr is None else f'{snr} dB SNR'}"
    begins = round(before * RATE) / RATE
    return Tone(noted, sounds, category, begins, pcm16(coded(np.asarray(whole, dtype=np.float32), "ulaw")))


def _sine(hertz: tuple[float, ...], seconds: float) -> Audio:
    t = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(sum(np.sin(2 * np.pi * hz * t) for hz in hertz) / len(hertz), dtype=np.float32)


def _cadence(hertz: tuple[float, ...], times: tuple[float, ...], seconds: float) -> Audio:
    parts: list[Audio] = []
    for n, length in enumerate(itertools.cycle(times)):
        parts.append(silence(length) if n % 2 else _sine(hertz, length))
        if sum(len(part) for part in parts) >= seconds * RATE:
            return np.concatenate(parts)[: round(seconds * RATE)]
    raise AssertionError("a cadence has no end")


def _ansam(seconds: float) -> Audio:
    """ITU-T V.8: 2100 Hz, 20 % modulated by 15 Hz, its phase turned every 450 ms."""
    t = np.arange(round(seconds * RATE)) / RATE
    turned = np.where((t // 0.45) % 2 == 0, 1, -1)
    return np.asarray(
        turned * (1 + 0.2 * np.sin(2 * np.pi * 15 * t)) / 1.2 * np.sin(2 * np.pi * 2100 * t), dtype=np.float32
    )


def _v21(seconds: float) -> Audio:
    """ITU-T V.21 channel 2, HDLC flags at 300 bit/s: a space is 1850 Hz, a mark 1650 Hz."""
    flag = np.array((0, 1, 1, 1, 1, 1, 1, 0))
    bits = flag[(np.arange(round(seconds * RATE)) * 300 // RATE) % len(flag)]
    return np.asarray(np.sin(2 * np.pi * np.cumsum(np.where(bits, 1650, 1850)) / RATE), dtype=np.float32)
