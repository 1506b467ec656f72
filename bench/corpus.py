"""Calls to classify: built from recorded voices of Debian's sound packages and from espeak-ng, none kept as audio.

People are short phrases and business greetings followed by silence; machines are several phrases, mostly with a beep.
The recorded voices say prompts and no real greetings: the figures compare detectors and settings, not more.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from gateway.adapters.speech import EspeakSpeech
from gateway.core.model import CalleeType
from lab import fetch

RATE = 8000
Audio = npt.NDArray[np.float64]

PACKAGES = (
    "asterisk-core-sounds-es-wav", "asterisk-core-sounds-fr-wav", "asterisk-core-sounds-it-wav",
    "asterisk-core-sounds-ru-wav", "asterisk-prompt-it-menardi-wav", "asterisk-prompt-fr-armelle",
    "asterisk-prompt-es-co",
)  # fmt: skip


class Fold(StrEnum):
    """No speaker is in two folds. Settings may be fitted on ``tune``, and only there."""

    TUNE = "tune"
    TEST = "test"


#: Folder of each speaker. Allison speaks English and Spanish, so both are in one fold.
SPEAKERS = {
    "en_US_f_Allison": Fold.TUNE, "es_MX_f_Allison": Fold.TUNE, "it_IT_m_Carlo": Fold.TUNE,
    "fr_CA_f_June": Fold.TEST, "ru_RU_f_IvrvoiceRU": Fold.TEST, "it_IT_f_Menardi": Fold.TEST, "fr": Fold.TEST,
    "es_CO_f_Avatar": Fold.TEST,
}  # fmt: skip
#: espeak-ng's voices; the texts of the two folds differ too.
VOICES = {
    "en-us": Fold.TUNE, "en-us+f2": Fold.TUNE, "en-gb+m3": Fold.TUNE,
    "en-gb": Fold.TEST, "en-us+f4": Fold.TEST, "en-gb-scotland+m5": Fold.TEST,
}  # fmt: skip
PEOPLE = {
    Fold.TUNE: (
        "Hello?", "Hi.", "Yes?", "Hello, this is Mary.", "Good morning, Baker and Sons, how can I help you?",
        "Smith residence.", "Who is this?", "Hello? Hello?",
    ),
    Fold.TEST: (
        "Hallo?", "Yeah?", "Hey, what's up?", "Speaking.", "John Miller speaking.", "This is Anna.",
        "Thanks for calling the Corner Bakery, this is Tom, how may I help?", "Yes, hello, who's calling please?",
    ),
}  # fmt: skip
MACHINES = {
    Fold.TUNE: (
        "You have reached the Bakers. Nobody is home. Please leave a message after the beep.", "Leave a message.",
        "Hi, this is Peter. I can't come to the phone right now, so please leave your name and number.",
        "The person you are calling is not available. At the tone, please record your message.",
    ),
    Fold.TEST: (
        "Hi! You've got Susan's voicemail. You know what to do.", "Please leave your message after the tone.",
        "Hello? Hello? Just kidding, I am not here. Say something after the beep.",
        "Your call has been forwarded to an automated voice messaging system. Five five five, two, is not available.",
    ),
}  # fmt: skip
LEVELS = (-12.0, -18.0, -24.0, -30.0)
SNRS = (None, 25.0, 15.0, 10.0)


@dataclass(frozen=True, slots=True)
class Clip:
    """A call's audio from the answer on, 16-bit at 8 kHz. ``snr`` is dB, None where the line is clean.

    ``beeps`` are the seconds at which beeps end.
    """

    name: str
    fold: Fold
    source: str
    callee: CalleeType
    snr: float | None
    pcm: bytes
    beeps: tuple[float, ...]


def clips(each: int, seed: int = 1) -> Iterator[Clip]:
    """``each`` people and as many machines of every recorded speaker, and every text of every synthetic voice."""
    rng = random.Random(seed)
    for speaker, fold in SPEAKERS.items():
        phrases = _phrases(speaker)
        short = [one for one in phrases if 0.3 <= _seconds(one[1]) <= 1.6]
        long = [one for one in phrases if _seconds(one[1]) >= 1.2]
        for _ in range(each):
            spoken = rng.sample(short, 2 if rng.random() < 0.2 else 1)
            yield _call(rng, fold, speaker, CalleeType.VOICE, spoken, pause=(0.8, 1.5))
            yield _call(rng, fold, speaker, CalleeType.ANSWERINGMACHINE, _greeting(rng, long), pause=(0.2, 0.6))
    yield from _synthetic(rng)


def _greeting(rng: random.Random, phrases: list[tuple[str, Audio]]) -> list[tuple[str, Audio]]:
    """Two to four phrases, three seconds of them or more."""
    while True:
        found = rng.sample(phrases, rng.randint(2, 4))
        if sum(_seconds(one) for _, one in found) >= 3:
            return found


def _synthetic(rng: random.Random) -> Iterator[Clip]:
    texts = [(voice, text) for voice, fold in VOICES.items() for text in (*PEOPLE[fold], *MACHINES[fold])]
    for (voice, text), audio in zip(texts, asyncio.run(_spoken(texts)), strict=True):
        fold = VOICES[voice]
        callee = CalleeType.VOICE if text in PEOPLE[fold] else CalleeType.ANSWERINGMACHINE
        for _ in range(2):
            yield _call(rng, fold, f"espeak {voice}", callee, [(text, audio)], pause=(0, 0))


async def _spoken(texts: list[tuple[str, str]]) -> list[Audio]:
    speech = EspeakSpeech()
    try:
        return [
            _read(io.BytesIO(await speech.render(f'<speak version="1.0">{text}</speak>', voice)))
            for voice, text in texts
        ]
    finally:
        await speech.close()


def _call(
    rng: random.Random, fold: Fold, source: str, callee: CalleeType, spoken: list[tuple[str, Audio]],
    pause: tuple[float, float],
) -> Clip:  # fmt: skip
    """Delay, speech, a machine's beep, silence; then level, noise and µ-law as a line would have them."""
    machine = callee is CalleeType.ANSWERINGMACHINE
    parts, beeps = [_silence(rng.uniform(0.1, 2.0))], []
    for n, (_, audio) in enumerate(spoken):
        parts += [_silence(rng.uniform(*pause))] if n else []
        parts.append(audio / np.abs(audio).max() * 0.9)
    if machine and rng.random() < 0.8:
        parts.append(_silence(rng.uniform(0.3, 1.5)))
        t = np.arange(round(rng.uniform(0.15, 1.0) * RATE)) / RATE
        parts.append(0.4 * np.sin(2 * np.pi * rng.uniform(480, 2000) * t))
        beeps.append(sum(len(part) for part in parts) / RATE)
    parts.append(_silence(4))
    audio = np.concatenate(parts)
    snr, level = rng.choice(SNRS), rng.choice(LEVELS)
    audio *= 10 ** (level / 20) / np.sqrt(2 * np.mean(audio[np.abs(audio) > 0.02] ** 2))
    if snr is not None:
        noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 1, len(audio))
        audio += noise * 10 ** ((level - snr) / 20) / np.sqrt(2)
    coded = io.BytesIO()
    soundfile.write(coded, np.clip(audio, -1, 1), RATE, format="WAV", subtype="ULAW")
    coded.seek(0)
    pcm = soundfile.read(coded, dtype="int16")[0].astype("<i2").tobytes()
    name = f"{source}: {' + '.join(name for name, _ in spoken)} ({level:g} dBFS, {snr or 'no'} dB SNR)"
    return Clip(name, fold, source, callee, snr, pcm, tuple(beeps))


def _phrases(speaker: str) -> list[tuple[str, Audio]]:
    folder = (
        fetch.asterisk().sounds / speaker
        if speaker.startswith("en_")
        else fetch.unpacked("sounds", PACKAGES) / "usr/share/asterisk/sounds" / speaker
    )
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".wav", ".gsm")]
    found = [
        (path.stem, _read(path)) for path in files if path.parent.name != "silence" and path.stem not in NOT_SPOKEN
    ]
    return [(name, audio) for name, audio in found if np.abs(audio).max(initial=0) > 0.02]


NOT_SPOKEN = frozenset(
    ("beep", "beeperr", "ascending-2tone", "descending-2tone", "confbridge-join", "confbridge-leave", "tt-monkeys")
)


def _read(source: Path | io.BytesIO) -> Audio:
    gsm = isinstance(source, Path) and source.suffix == ".gsm"
    raw = {"format": "RAW", "subtype": "GSM610", "samplerate": RATE, "channels": 1} if gsm else {}
    audio: Audio = soundfile.read(source, dtype="float64", **raw)[0]
    loud = np.flatnonzero(np.abs(audio) > 0.01)  # silence at the ends is the recording's, not the speaker's
    return audio[loud[0] : loud[-1] + 1] if len(loud) else audio


def _seconds(audio: Audio) -> float:
    return len(audio) / RATE


def _silence(seconds: float) -> Audio:
    return np.zeros(round(seconds * RATE))
