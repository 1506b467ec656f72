"""The corpus: folds share nobody and nothing, clips come alike from a seed, and labels tell where things are."""

import itertools
import random

import numpy as np
import pytest

from bench.corpus import build, line, scenes, texts
from bench.corpus.audio import CODECS, RATE, coded, power, trimmed
from bench.corpus.clip import Clip, Fold, Kind, Origin
from bench.corpus.phrases import Phrase, text_fold
from bench.corpus.speakers import SPEAKERS
from gateway.core.model import CalleeType


def voice(seconds: float, hertz: float = 300) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hertz * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))).astype(np.float32)


SAID = [Phrase(f"word {n}", voice(0.3 + 0.2 * n)) for n in range(12)]
BEDS = {"babble": [voice(30, 200)], "music": [voice(30, 440)]}


def test_no_speaker_is_in_two_folds():
    names = [one.name for one in SPEAKERS]
    assert len(names) == len(set(names))
    patterns = [(pattern, one.only) for one in SPEAKERS for pattern in one.files]
    assert len(patterns) == len(set(patterns)), "two speakers read the same files"


def test_no_text_is_in_two_folds():
    for table in (texts.PEOPLE, texts.MACHINES):
        for (a, said), (b, others) in itertools.combinations(table.items(), 2):
            assert a[0] is b[0] or not set(said) & set(others)
    packs = [one for one in SPEAKERS if (one.source, one.language) == ("hedgewars", "en")]
    assert {one.fold for one in packs} == set(Fold)
    assert {text_fold(one, "British/Hello") for one in packs} == {text_fold(packs[0], "Classic/Hello")}


def test_the_final_fold_has_languages_of_its_own_and_people_enough():
    final = [one for one in SPEAKERS if one.fold is Fold.FINAL]
    others = {one.language for one in SPEAKERS if one.fold is not Fold.FINAL}
    assert {"de", "nl", "el", "da", "fi"} <= {one.language for one in final} - others
    assert sum(one.people for one in final if one.origin is Origin.RECORDED) >= 400


def test_voices_kept_to_measure_with_train_nothing():
    assert {one.engine for one in SPEAKERS if one.fold is not Fold.FINAL} == {"", "espeak", "flite"}


@pytest.mark.parametrize("seed", range(40))
def test_a_scene_tells_when_its_callee_speaks_and_where_its_beeps_end(seed):
    person = scenes.person(random.Random(seed), SAID, [voice(1)])
    assert (person.kind is Kind.QUIET) == (not person.speech)
    assert not person.beeps
    machine = scenes.machine(random.Random(seed), SAID)
    audio = machine.audio()
    for start, end in machine.speech:
        assert np.abs(audio[round(start * RATE) : round(end * RATE)]).max() > 0.5
        assert machine.delay <= start
    for end in machine.beeps:
        place = round(end * RATE)
        assert np.abs(audio[place - 200 : place]).max() > 0.05
        assert np.abs(audio[place : place + 200]).max() == 0


def test_a_seed_gives_the_same_call_again_and_another_gives_another():
    def call(seed: int) -> bytes:
        rng = random.Random(seed)
        scene = scenes.machine(rng, SAID)
        way = line.drawn(rng, scene.kind)
        return line.heard(rng, scene.audio(), way, BEDS).tobytes()

    assert call(1) == call(1)
    assert call(1) != call(2)


@pytest.mark.parametrize("fold", Fold)
def test_lines_that_send_late_shift_all_that_is_known_of_their_clips(fold, monkeypatch):
    monkeypatch.setattr(build, "beds", lambda _: BEDS)
    monkeypatch.setattr(build, "_noises", lambda _: [voice(1)])
    speaker = next(one for one in SPEAKERS if one.fold is fold)

    def made() -> list[Clip]:
        return [build._clip(speaker, SAID, CalleeType.ANSWERINGMACHINE, n, 1) for n in range(12)]

    late = made()
    monkeypatch.setattr(line, "unsent", lambda _: 0.0)
    for one, prompt in zip(late, made(), strict=True):
        packets = round(one.unsent * RATE)
        assert one.pcm == bytes(2 * packets) + prompt.pcm
        assert one.delay == pytest.approx(one.unsent + prompt.delay)
        assert one.speech == pytest.approx(np.array(prompt.speech) + one.unsent)
        assert one.beeps == pytest.approx(np.array(prompt.beeps) + one.unsent)
    if fold is Fold.FINAL:
        assert {one.unsent for one in late} == {0.0}
    else:
        assert 0.0 in {one.unsent for one in late}
        assert 0 < max(one.unsent for one in late) <= 0.5


@pytest.mark.parametrize("noise", line.NOISES)
def test_a_line_gives_the_level_and_the_noise_that_it_says(noise):
    def heard(snr: float | None) -> np.ndarray:
        way = line.Line(-20, snr, noise, None, 0, "ulaw", 0.0, concealed=False, echo=False)
        return line.heard(random.Random(1), np.concatenate([np.zeros(RATE, np.float32), voice(3)]), way, BEDS)

    clean, noisy = heard(None), heard(10)
    level = 10 * np.log10(power(clean) / 0.5)
    assert level == pytest.approx(-20, abs=0.5)
    added = np.mean((noisy - clean).astype(np.float64) ** 2)
    assert 10 * np.log10(power(clean) / added) == pytest.approx(10, abs=1)


@pytest.mark.parametrize("concealed", [False, True])
def test_lost_packets_are_silent_or_repeated(concealed):
    way = line.Line(-20, None, None, None, 0, "ulaw", 0.1, concealed=concealed, echo=False)
    audio = line.heard(random.Random(1), voice(20), way, BEDS)
    packets = np.abs(audio[: len(audio) // 160 * 160].reshape(-1, 160)).max(axis=1)
    lost = np.mean(packets < 0.003)
    assert lost < 0.02 if concealed else 0.05 < lost < 0.2


@pytest.mark.parametrize("codec", CODECS)
def test_coding_keeps_length_and_time(codec):
    audio = np.concatenate([np.zeros(3000, np.float32), 0.3 * voice(0.5), np.zeros(3001, np.float32)])
    back = coded(audio, codec)
    assert len(back) == len(audio)
    loud = np.flatnonzero(np.abs(back) > 0.1)
    assert loud[0] == pytest.approx(3000, abs=80)
    assert loud[-1] == pytest.approx(3000 + RATE // 2, abs=80)


def test_trimming_takes_the_recording_s_own_silence_and_nothing_of_the_speech():
    hiss = np.random.default_rng(1).normal(0, 0.0005, 2 * RATE).astype(np.float32)
    hiss[RATE // 2 : RATE] += 0.2 * voice(0.5)
    cut = trimmed(hiss)
    assert len(cut) / RATE == pytest.approx(0.5, abs=0.05)
    assert len(trimmed(np.zeros(RATE, np.float32))) == 0


def test_the_manifest_keeps_all_but_the_audio():
    clip = Clip(
        name="n", fold=Fold.DEV, origin=Origin.OWN, source="own", speaker="s", language="en", texts=("a",),
        callee=CalleeType.VOICE, kind=Kind.ONCE, unsent=0.2, delay=0.5, level=-20.0, snr=None, noise=None, codec="ulaw", loss=0.0,
        concealed=False, echo=False, speech=((0.5, 1.0),), beeps=(), beep=None, pcm=b"\0\0",
    )  # fmt: skip
    assert Clip.read(clip.plain(), clip.pcm) == clip
