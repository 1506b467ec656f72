"""What the models are trained on beside the corpus, and that what is shipped reckons as what was trained."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.core.hearing.activity import COLUMNS
from gateway.core.hearing.net import Net
from training import speech
from training.tones import RATE, tones
from training.voices import voices


@pytest.mark.parametrize("seed", range(6))
def test_a_made_voice_is_where_it_is_said_to_be(seed: int) -> None:
    pcm, spoken = voices(seed)
    audio = np.frombuffer(pcm, "<i2").astype(float)
    said = np.zeros(len(audio), bool)
    for start, end in spoken:
        said[round(start * RATE) : round(end * RATE)] = True
    assert 0.05 < said.mean() < 0.95
    assert np.mean(audio[said] ** 2) > 5 * np.mean(audio[~said] ** 2)
    assert voices(seed)[0] == pcm != voices(seed + 1)[0]


def test_frames_are_labelled_by_who_speaks() -> None:
    features, voice = speech.frames(*voices(1))
    assert features.shape == (len(voice), COLUMNS)
    assert 0.1 < voice.mean() < 0.9
    assert not speech.frames(tones(1), ())[1].any()


def test_the_file_of_a_trained_net_tells_what_was_learned() -> None:
    pytest.importorskip("sklearn", reason="needs the extra train")
    from training import fit

    rng = np.random.default_rng(1)
    x = rng.normal(3, 5, (6000, 8)).astype(np.float32)
    voice = x[:, 0] + x[:, 3] > 6
    stored = fit.speech(x, voice)
    told = np.array(Net.read(stored).odds(x)) > 0
    assert np.mean(told == voice) > 0.97
    assert fit.speech(x, voice) == stored
