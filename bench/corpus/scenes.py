"""What happens at the other end after the answer: how people open a call, and how machines do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.corpus.audio import Audio, seconds, silence
from bench.corpus.clip import RATE, Kind
from bench.corpus.phrases import Phrase

#: How often people and machines open a call so.
PEOPLE = {
    Kind.ONCE: 45, Kind.AGAIN: 15, Kind.JOINED: 11, Kind.BUSINESS: 13, Kind.TALK: 4, Kind.MUSIC: 5, Kind.COUGH: 4,
    Kind.QUIET: 3,
}  # fmt: skip
MACHINES = {
    Kind.GREETING: 44, Kind.LONG: 12, Kind.SHORT: 8, Kind.LATE: 13, Kind.JOKE: 3, Kind.NUMBER: 8, Kind.FULL: 6,
    Kind.BEEPS: 6,
}  # fmt: skip
#: A speaker with fewer phrases of the length that a kind wants takes what it has.
_SHORT, _MIDDLE, _SENTENCE = (0.2, 1.6), (1.5, 3.8), (1.2, 12.0)


@dataclass(slots=True)
class Scene:
    """Audio so far (full scale is 1), who speaks when, and the ends of beeps."""

    kind: Kind
    delay: float
    parts: list[Audio] = field(default_factory=list)
    speech: list[tuple[float, float]] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    beep: str | None = None
    texts: list[str] = field(default_factory=list)

    @property
    def now(self) -> float:
        return sum(len(part) for part in self.parts) / RATE

    def wait(self, length: float) -> None:
        self.parts.append(silence(length))

    def say(self, phrase: Phrase) -> None:
        start = self.now
        self.parts.append(phrase.audio)
        self.speech.append((round(start, 3), round(self.now, 3)))
        self.texts.append(phrase.text)

    def sound(self, audio: Audio) -> None:
        self.parts.append(audio)

    def audio(self) -> Audio:
        return np.concatenate(self.parts)


def delay(rng: random.Random) -> float:
    """Seconds from the answer to the first word: 0 to 3, half of them under 0.6, alike for people and machines."""
    return min(3.0, rng.lognormvariate(-0.5, 0.7))


def person(rng: random.Random, said: Sequence[Phrase], noises: Sequence[Audio]) -> Scene:
    kind = _drawn(rng, PEOPLE)
    openings = [one for one in said if one.greeting is False]
    scene = Scene(kind, round(delay(rng), 3))
    scene.wait(scene.delay)
    if kind is Kind.QUIET:
        scene.wait(rng.uniform(5, 7) - scene.delay)
        return scene
    if kind is Kind.COUGH:
        noise = rng.choice(noises)
        scene.sound(noise[: round(rng.uniform(0.2, 0.8) * RATE)] * rng.uniform(0.1, 0.6))
        scene.wait(rng.uniform(0.1, 0.5))
    if openings:
        _opens(rng, scene, openings)
    else:
        _says(rng, scene, said)
    scene.wait(rng.uniform(3.5, 5.5))
    return scene


def _opens(rng: random.Random, scene: Scene, openings: Sequence[Phrase]) -> None:
    """A synthetic voice's whole opening."""
    kind = scene.kind
    long = _of(openings, _MIDDLE) if kind is Kind.BUSINESS else _of(openings, _SHORT)
    scene.say(rng.choice(long))
    if kind is Kind.AGAIN:
        scene.wait(rng.uniform(1.2, 3.0))
        scene.say(rng.choice(_of(openings, _SHORT)))


def _says(rng: random.Random, scene: Scene, said: Sequence[Phrase]) -> None:
    short, middle = _of(said, _SHORT), _of(said, _MIDDLE)
    match scene.kind:
        case Kind.AGAIN:
            first = rng.choice(short)
            scene.say(first)
            scene.wait(rng.uniform(1.2, 3.0))
            scene.say(first if rng.random() < 0.5 else rng.choice(short))
        case Kind.JOINED:
            scene.say(rng.choice(short))
            scene.wait(rng.uniform(0.15, 0.6))
            scene.say(rng.choice(short))
        case Kind.BUSINESS if rng.random() < 0.5 or middle[0].seconds < 1.2:
            while scene.now - scene.delay < rng.uniform(1.6, 3.0):
                if scene.speech:
                    scene.wait(rng.uniform(0.08, 0.35))
                scene.say(rng.choice(short))
        case Kind.BUSINESS:
            scene.say(rng.choice(middle))
        case _:
            scene.say(rng.choice(short))


def machine(rng: random.Random, said: Sequence[Phrase]) -> Scene:
    kind = _drawn(rng, MACHINES)
    greetings = [one for one in said if one.greeting]
    scene = Scene(kind, round(delay(rng), 3))
    scene.wait(scene.delay)
    if greetings:
        _greets(rng, scene, greetings)
    else:
        _recites(rng, scene, said)
    if kind is Kind.FULL:
        scene.wait(rng.uniform(1.0, 2.5))
        return scene
    beeps = rng.randint(2, 3) if kind is Kind.BEEPS else 1 if kind is Kind.SHORT or rng.random() < 0.88 else 0
    if beeps:
        scene.wait(rng.uniform(0.2, 1.5))
        scene.beep, tone = beep(rng)
        for n in range(beeps):
            if n:
                scene.wait(rng.uniform(0.1, 0.4))
            scene.sound(tone)
            scene.beeps.append(round(scene.now, 4))
    scene.wait(rng.uniform(3.0, 5.0))
    return scene


def _greets(rng: random.Random, scene: Scene, greetings: Sequence[Phrase]) -> None:
    """A synthetic voice's whole greeting, or two for a long one."""
    scene.say(rng.choice(_of(greetings, (0.2, 3.0) if scene.kind is Kind.SHORT else (0.2, 30))))
    if scene.kind is Kind.LONG:
        scene.wait(rng.uniform(0.2, 0.6))
        scene.say(rng.choice(greetings))


def _recites(rng: random.Random, scene: Scene, said: Sequence[Phrase]) -> None:
    """Sentences where the speaker has any, else word upon word."""
    sentences, words = _of(said, _SENTENCE), _of(said, _SHORT)
    match scene.kind:
        case Kind.SHORT:
            scene.say(rng.choice(_of(said, (1.0, 3.0))))
        case Kind.LATE | Kind.JOKE:
            scene.say(rng.choice(words))
            scene.wait(rng.uniform(*((0.9, 1.8) if scene.kind is Kind.JOKE else (0.4, 1.0))))
            _until(rng, scene, sentences, scene.now + rng.uniform(3, 7))
        case Kind.NUMBER:
            scene.say(rng.choice(sentences))
            for _ in range(rng.randint(4, 7)):
                scene.wait(rng.uniform(0.05, 0.3))
                scene.say(rng.choice(words))
            scene.wait(rng.uniform(0.1, 0.5))
            scene.say(rng.choice(sentences))
        case Kind.LONG:
            _until(rng, scene, sentences, scene.now + rng.uniform(8, 15))
        case _:
            _until(rng, scene, sentences, scene.now + rng.uniform(2.5, 7))


def _until(rng: random.Random, scene: Scene, sentences: Sequence[Phrase], end: float) -> None:
    pause = (0.05, 0.25) if max(one.seconds for one in sentences) < 2.5 else (0.15, 0.7)
    first = True
    while scene.now < end:
        if not first:
            scene.wait(rng.uniform(*pause))
        first = False
        scene.say(rng.choice(sentences))


def beep(rng: random.Random) -> tuple[str, Audio]:
    """A sine, two tones at once, or a sine with overtones; 330 to 2600 Hz, 0.12 to 1 s, with soft or hard edges."""
    length = round(rng.uniform(0.12, 1.0) * RATE)
    t = np.arange(length) / RATE
    pitch = rng.uniform(330, 2600)
    tone = np.sin(2 * np.pi * pitch * t + rng.uniform(0, 6))
    kind = rng.choices(("sine", "two tones", "overtones"), (75, 13, 12))[0]
    match kind:
        case "two tones":
            ratio = rng.uniform(1.15, 1.5)
            second = pitch * ratio if pitch * ratio <= 2600 else pitch / ratio
            tone = (tone + np.sin(2 * np.pi * second * t)) / 2
        case "overtones":
            tone = tone + 0.3 * np.sin(4 * np.pi * pitch * t) * (2 * pitch < 3600)
    edge = max(1, round(rng.choice((0.001, 0.005, 0.015)) * RATE))
    ramp = np.minimum(1, np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) / edge)
    loudest = rng.uniform(0.15, 0.6)
    return kind, np.asarray(tone * ramp * loudest / np.abs(tone).max(), dtype=np.float32)


def _of(said: Sequence[Phrase], lengths: tuple[float, float]) -> list[Phrase]:
    """Those whose length fits, else the half that comes nearest to it."""
    fit = [one for one in said if lengths[0] <= seconds(one.audio) <= lengths[1]]
    if fit:
        return fit
    middle = sum(lengths) / 2
    return sorted(said, key=lambda one: abs(one.seconds - middle))[: max(1, len(said) // 2)]


def _drawn(rng: random.Random, weights: dict[Kind, int]) -> Kind:
    return rng.choices(list(weights), list(weights.values()))[0]
