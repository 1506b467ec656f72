"""The beep: any steady tone from 330 to 2600 Hz; never ringback, speech, music or keys."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from gateway.core.hearing import Sound
from gateway.core.hearing.listener import Listener
from gateway.core.model import CalleeType
from lab import fetch
from tests.core.audio import (
    RATE,
    TONES,
    Audio,
    cadence,
    coded,
    evidence,
    hear,
    joined,
    noisy,
    pcm,
    silence,
    tone,
    ulaw,
    verdicts,
    words,
)

GREETING = words((2.5, 0.5, 1.5, 0.6))
BEEPS = [(hz, seconds) for hz in (335, 440, 700, 1000, 1400, 2000, 2595) for seconds in (0.1, 0.25, 0.6, 1.5, 2.5)]
#: What was recorded as a tone and no voice among Asterisk's phrases.
TONE_FILES = {"beep", "beeperr", "ascending-2tone", "descending-2tone", "confbridge-join", "confbridge-leave"}


@pytest.mark.parametrize("dbfs", (-10.0, -30.0))
@pytest.mark.parametrize(("hz", "seconds"), BEEPS)
def test_a_beep_is_found_where_it_ends(hz: float, seconds: float, dbfs: float) -> None:
    level = 10 ** ((dbfs + 18) / 20)
    clean = joined(GREETING * level, tone(seconds, hz, dbfs=dbfs), silence(1.5))
    end = len(GREETING) / RATE + seconds
    for audio in (clean, ulaw(clean), noisy(clean, 15)):
        found = hear(audio)
        (beep,) = evidence(found, Sound.BEEP)
        assert beep.hz[0] == pytest.approx(hz, abs=4)
        assert beep.end == pytest.approx(end, abs=0.03)
        assert verdicts(found)[-1].callee_type is CalleeType.ANSWERINGMACHINE
        # A session begins at most 0.3 s after the beep, which leaves 0.1 s to begin it; one burst of E.180's 400 to
        # 450 Hz may yet be busy.
        assert end < beep.known <= end + (0.95 if hz == 440 else 0.2)


@pytest.mark.parametrize("snr", (3, 6, 12))
@pytest.mark.parametrize(("hz", "seconds"), [(500, 0.5), (1000, 0.25), (1400, 0.15), (2000, 0.15), (2500, 0.5)])
def test_a_beep_is_found_in_noise(hz: float, seconds: float, snr: float) -> None:
    """Once 3 s of it have been heard; as loud as the noise 8 dB was the least before the noise was taken off."""
    audio = joined(silence(0.5), GREETING, tone(seconds, hz, dbfs=-18), silence(1.5))
    noise = np.random.default_rng(int(hz)).normal(0, 32768 * 10 ** ((-18 - snr) / 20) / np.sqrt(2), len(audio))
    (beep,) = evidence(hear(ulaw(audio + noise)), Sound.BEEP)
    assert beep.end == pytest.approx(len(GREETING) / RATE + 0.5 + seconds, abs=0.04)


@pytest.mark.parametrize("codec", ("gsm", "g726", "opus"))
@pytest.mark.parametrize("seconds", (0.2, 0.6))
@pytest.mark.parametrize("hz", (440, 700, 1000, 1400, 2000))
def test_a_beep_is_found_through_codecs(hz: float, seconds: float, codec: str) -> None:
    found = hear(ulaw(coded(joined(GREETING, tone(seconds, hz), silence(1.5)), codec)))
    assert len(evidence(found, Sound.BEEP)) == 1


@pytest.mark.parametrize("hz", (440, 700, 1000, 2000))
@pytest.mark.parametrize("seconds", (0.08, 0.1, 0.15))
def test_a_short_beep_is_one(hz: float, seconds: float) -> None:
    assert len(evidence(hear(ulaw(joined(GREETING, tone(seconds, hz), silence(1)))), Sound.BEEP)) == 1


def _babble(seconds: float) -> Audio:
    """Six voices at once."""
    return sum((words((seconds,), dbfs=-32, seed=seed) for seed in range(10, 16)), silence(seconds))


@pytest.mark.parametrize("hz", (700, 1000, 1400, 2000))
def test_a_beep_is_found_before_others_talk_mains_hums_and_a_line_has_an_offset(hz: float) -> None:
    audio = joined(GREETING, tone(0.4, hz), silence(1.5))
    t = np.arange(len(audio)) / RATE
    hum = sum((600 / n * np.sin(2 * np.pi * 50 * n * t) for n in (1, 2, 3, 5, 7)), np.zeros(len(audio)))
    for beside in (_babble(len(audio) / RATE), hum, np.full(len(audio), 1500.0)):
        (beep,) = evidence(hear(ulaw(audio + beside)), Sound.BEEP)
        assert beep.end == pytest.approx(len(GREETING) / RATE + 0.4, abs=0.05)


@pytest.mark.parametrize("hz", (400, 440, 455))
@pytest.mark.parametrize("seconds", (0.2, 0.5))
def test_a_machines_beep_in_the_busy_signals_band_is_told_as_soon_as_others(hz: float, seconds: float) -> None:
    """Who is not known for a machine may have hung up, and this be the busy signal's first burst."""
    for machine, at_most in ((True, 0.2), (False, 0.95)):
        listener = Listener()
        listener.expect_beep(expected=machine)
        audio = ulaw(joined(GREETING, tone(seconds, hz), silence(1.5)))
        (beep,) = [one for heard in listener.feed(pcm(audio)) for one in heard if one.sound is Sound.BEEP]
        late = beep.known - len(GREETING) / RATE - seconds
        assert at_most - 0.75 < late < at_most


@pytest.mark.parametrize("gap", (0.06, 0.1, 0.14))
@pytest.mark.parametrize("hz", (440, 1000))
def test_a_double_beep_is_over_with_its_second_part(hz: float, gap: float) -> None:
    found = hear(joined(GREETING, tone(0.2, hz), silence(gap), tone(0.2, hz), silence(1.5)))
    (beep,) = evidence(found, Sound.BEEP)
    assert beep.end == pytest.approx(len(GREETING) / RATE + 0.4 + gap, abs=0.03)


def test_several_beeps_apart_are_several() -> None:
    found = hear(joined(GREETING, *[joined(tone(0.3, 1000), silence(0.7))] * 3))
    assert len(evidence(found, Sound.BEEP)) == 3


def test_a_beep_with_harmonics_is_one() -> None:
    square = np.sign(tone(0.5, 700)) * 4000
    assert len(evidence(hear(joined(GREETING, ulaw(square), silence(1))), Sound.BEEP)) == 1


@pytest.mark.parametrize("hz", [(800, 1200), (1000, 1150), (700, 1000), (2000, 2500)])
@pytest.mark.parametrize("seconds", (0.15, 0.5))
def test_a_beep_of_two_pitches_is_one(hz: tuple[float, float], seconds: float) -> None:
    audio = joined(GREETING, tone(seconds, *hz), silence(1))
    for line in (audio, ulaw(audio), noisy(audio, 20)):
        assert len(evidence(hear(line), Sound.BEEP)) == 1


def _instrument(notes: list[float], seconds: float, decay: float) -> Audio:
    t = np.arange(round(seconds * RATE)) / RATE
    parts = []
    for hz in notes:
        lines = [np.sin(2 * np.pi * k * hz * t) / k**2 for k in (1, 2, 3)]
        parts.append(6000 * np.exp(-decay * t) * sum(lines, np.zeros(len(t))))
    return np.concatenate(parts)


def _vowel(hz: float, seconds: float = 1.2) -> Audio:
    """Sung: a pitch that is held as a voice holds one (1 % of jitter), formants of an a."""
    rng = np.random.default_rng(int(hz))
    t = np.arange(round(seconds * RATE)) / RATE
    knots = np.arange(0, seconds + 0.1, 0.05)
    sway = np.interp(t, knots, rng.normal(0, 0.01, len(knots)))
    phase = 2 * np.pi * np.cumsum(hz * (1 + sway)) / RATE
    gains = [(k, sum(np.exp(-(((k * hz - f) / 200) ** 2)) for f in (750, 1200, 2600)) + 0.05) for k in range(1, 9)]
    return 4000 * sum((gain * np.sin(k * phase) for k, gain in gains), np.zeros(len(t)))


def _whistle(seconds: float, hz: float) -> Audio:
    """One line that slides, as lips make it."""
    t = np.arange(round(seconds * RATE)) / RATE
    slide = hz * (1 + 0.15 * np.sin(2 * np.pi * t / seconds / 1.5) + 0.01 * np.sin(2 * np.pi * 5.5 * t))
    return 5000 * np.sin(2 * np.pi * np.cumsum(slide) / RATE)


SCALE = [440 * 2 ** (step / 12) for step in (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0)]
NO_BEEPS = {
    "us ringback": cadence((440, 480), (2, 4), 2),
    "eu ringback": cadence((425,), (1, 4), 2),
    "uk ringback": cadence((400, 450), (0.4, 0.2, 0.4, 2), 3),
    "us busy": cadence((480, 620), (0.5, 0.5), 5),
    "us dial tone": joined(tone(1.5, 350, 440), silence(1)),
    "busy": cadence((425,), (0.5, 0.5), 5),
    "us reorder": cadence((480, 620), (0.25, 0.25), 6),
    "piano": joined(_instrument(SCALE, 0.4, 5.0), silence(1)),
    "organ": joined(_instrument(SCALE, 0.3, 0.0), silence(1)),
    "melody of pure tones": joined(*[tone(0.25, hz) for hz in SCALE], silence(1)),
    "melody with gaps": joined(silence(1), *[joined(tone(0.25, hz), silence(0.05)) for hz in SCALE], silence(1)),
    "chords": joined(*[tone(0.6, hz, hz * 1.26, hz * 1.5) for hz in SCALE], silence(1)),
    "modem carrier": joined(tone(4, 2225), silence(1)),
    "siren": 5000 * np.sin(2 * np.pi * np.cumsum(800 + 300 * np.sin(np.arange(5 * RATE) / RATE * 3)) / RATE),
    "held vowels": joined(*[joined(_vowel(hz), silence(0.4)) for hz in (220.0, 330.0, 392.0, 440.0)]),
    "a whistled call": joined(_whistle(0.4, 1100), silence(0.3), _whistle(0.6, 1500), silence(1)),
    "babble": _babble(5),
    "noise bursts": joined(*[joined(np.random.default_rng(n).normal(0, 3000, 2400), silence(0.5)) for n in range(5)]),
}


@pytest.mark.parametrize("name", NO_BEEPS)
def test_what_is_no_beep(name: str) -> None:
    for audio in (NO_BEEPS[name], ulaw(NO_BEEPS[name]), noisy(NO_BEEPS[name], 20)):
        assert evidence(hear(joined(silence(0.5), audio)), Sound.BEEP) == []


@pytest.mark.parametrize("low", (697, 770, 852, 941))
@pytest.mark.parametrize("high", (1209, 1336, 1477, 1633))
def test_keys_are_keys(low: float, high: float) -> None:
    found = hear(joined(silence(0.5), tone(0.1, low, high), silence(1)))
    (key,) = evidence(found)
    assert (key.sound, len(key.detail)) == (Sound.DTMF, 1)
    assert verdicts(found)[:1] == [] or verdicts(found)[0].callee_type is not CalleeType.ANSWERINGMACHINE


def test_no_tone_is_heard_in_asterisks_recorded_voice() -> None:
    """About 25 minutes of one speaker."""
    seconds, heard = 0.0, []
    for path in sorted((fetch.asterisk().sounds / "en").rglob("*.wav")):
        if path.stem in TONE_FILES or path.parent.name == "silence":
            continue
        audio = soundfile.read(path, dtype="int16")[0].astype(float)
        seconds += len(audio) / RATE
        found = hear(joined(audio, silence(0.5)), chunk=64000)
        heard += [(path.name, one) for one in evidence(found, *TONES)]
        assert evidence(found, Sound.SPEECH), path.name
    assert seconds > 1000
    assert heard == []


@pytest.mark.parametrize("shift", range(0, 160, 20))
def test_asterisks_own_beep_is_one_after_its_own_greeting(shift: int) -> None:
    """Wherever the frames fall: the last words die away at a pitch that may look steady in some of them."""
    files = [fetch.asterisk().sounds / "en" / f"{name}.wav" for name in ("vm-nobodyavail", "vm-intro", "beep")]
    spoken = [soundfile.read(path, dtype="int16")[0].astype(float) for path in files]
    greeting = joined(silence(0.5), np.zeros(shift), *spoken)
    (beep,) = evidence(hear(ulaw(joined(greeting, silence(1)))), Sound.BEEP)
    assert beep.end == pytest.approx(len(greeting) / RATE, abs=0.04)
