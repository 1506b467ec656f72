"""Verdicts: provisional, revised, the same however the stream is cut, and quickly had."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.hearing import Classifier, Settings, Sound
from gateway.core.model import CalleeType
from tests.core.audio import (
    RATE,
    Audio,
    cadence,
    ced,
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

PERSON, MACHINE, FAX = CalleeType.VOICE, CalleeType.ANSWERINGMACHINE, CalleeType.FAX


def callees(audio: Audio, **options: object) -> list[CalleeType]:
    """The callee types in turn, each once."""
    types = [one.callee_type for one in verdicts(hear(audio, **options))]  # type: ignore[arg-type]
    return [one for n, one in enumerate(types) if n == 0 or types[n - 1] is not one]


@pytest.mark.parametrize("delay", (0.0, 0.7, 2.5))
@pytest.mark.parametrize("snr", (None, 25, 15))
@pytest.mark.parametrize("dbfs", (-12, -30))
@pytest.mark.parametrize("spans", [(0.4, 4), (0.8, 4), (0.5, 0.9, 0.5, 3), (1.2, 4)])
def test_a_short_greeting_and_silence_is_a_person(
    spans: tuple[float, ...], dbfs: float, snr: float | None, delay: float
) -> None:
    audio = joined(silence(delay), words(spans, dbfs=dbfs))
    for line in (audio, ulaw(audio)):
        found = hear(line if snr is None else noisy(line, snr))
        assert {one.callee_type for one in verdicts(found)} == {PERSON}
        assert verdicts(found)[0].at < delay + sum(spans[:-1]) + Settings().patience + 0.5


@pytest.mark.parametrize("snr", (None, 15))
@pytest.mark.parametrize("spans", [(4, 0.5, 3, 2), (4.5, 2), (1.2, 0.5, 1.5, 0.5, 2, 0.5)])
def test_long_or_repeated_speech_is_a_machine(spans: tuple[float, ...], snr: float | None) -> None:
    audio = joined(silence(0.5), words(spans))
    found = hear(audio if snr is None else noisy(audio, snr))
    assert verdicts(found)[-1].callee_type is MACHINE


def test_noise_that_sets_in_at_the_answer_is_no_voice() -> None:
    noise = np.random.default_rng(5).normal(0, 600, 5 * RATE)
    found = hear(joined(silence(3), noise), answered=3)
    assert evidence(found, Sound.SPEECH) == []
    assert [one.reason for one in verdicts(found)] == ["nothing heard"]


def test_silence_is_its_own_evidence_and_means_what_the_setting_says() -> None:
    found = hear(silence(6))
    assert [one.sound for one in evidence(found)] == [Sound.SILENCE]
    assert [(one.callee_type, one.confidence) for one in verdicts(found)] == [(PERSON, 0.5)]
    unknown = Settings(silence_means=CalleeType.UNKNOWN, silence=2.0)
    found = hear(silence(6), settings=unknown)
    assert [one.callee_type for one in verdicts(found)] == [CalleeType.UNKNOWN]
    assert verdicts(found)[0].at == pytest.approx(2.0, abs=0.1)


def test_who_speaks_after_the_silence_revises_it() -> None:
    assert callees(joined(silence(6), words((4, 1))), settings=Settings(silence_means=CalleeType.UNKNOWN)) == [
        CalleeType.UNKNOWN, MACHINE,
    ]  # fmt: skip


def test_a_beep_after_a_person_makes_a_machine() -> None:
    assert callees(joined(words((1.0, 2)), tone(0.5, 1000), silence(1))) == [PERSON, MACHINE]
    minutes = joined(words((1.0, 2)), *[words((2, 1.5), seed=n) for n in range(20)], tone(0.5, 1000), silence(1))
    assert callees(minutes)[-1] is MACHINE


def test_a_fax_after_ten_seconds_is_one() -> None:
    assert callees(joined(silence(10), ced(3))) == [PERSON, FAX]
    assert callees(joined(silence(0.5), words((5, 5)), ced(3))) == [MACHINE, FAX]


def test_a_person_after_a_call_screening_robot() -> None:
    assert callees(joined(silence(0.5), words((5, 4)), words((0.6, 2), seed=8))) == [MACHINE, PERSON]
    # After a beep nobody comes.
    assert callees(joined(words((5, 0.5)), tone(0.4, 1000), silence(4), words((0.6, 2), seed=8)))[-1] is MACHINE


def test_ringing_after_the_answer_begins_anew() -> None:
    ringing = cadence((440, 480), (2, 4), 1)
    assert callees(joined(words((2.0, 0.5)), ringing, words((0.6, 2), seed=8)))[-1] is PERSON


def test_speech_before_the_answer_is_no_verdict() -> None:
    early = joined(cadence((440, 480), (2, 4), 1), words((4, 1)))
    assert callees(early, answered=None) == []
    seconds = len(early) / RATE
    assert callees(joined(early, words((0.5, 2), seed=8)), answered=seconds) == [PERSON]


def test_a_voicemail_in_early_media_is_known_by_its_beep() -> None:
    assert callees(joined(words((4, 0.5)), tone(0.5, 1000), silence(1)), answered=None) == [MACHINE]
    assert callees(joined(silence(1), tone(0.5, 1000), silence(1)), answered=None) == []


def test_the_bias_moves_the_operating_point() -> None:
    greeting = words((3.2, 3))
    assert callees(greeting, settings=Settings(bias=3.0))[0] is MACHINE
    assert callees(greeting, settings=Settings(bias=-3.0)) == [PERSON]


CALL = joined(
    cadence((440, 480), (2, 4), 1), words((0.8, 1.4, 3, 0.4)), tone(0.5, 1000), silence(2), words((1, 1), seed=4), ced(2)
)  # fmt: skip


@pytest.mark.parametrize("chunk", (1, 7, 160, 161, 320, 1279, 1280, 1281, 64000))
def test_however_the_stream_is_cut_the_same_is_told(chunk: int) -> None:
    audio = noisy(CALL, 25) if chunk != 1 else noisy(CALL, 25)[: 12 * RATE]
    assert hear(audio, answered=6, chunk=chunk) == hear(audio, answered=6, chunk=320)


@pytest.mark.parametrize("lost", (0.02, 0.04, 0.06))
def test_lost_packets_do_not_change_what_is_told(lost: float) -> None:
    rng = np.random.default_rng(2)
    sit = joined(silence(0.4), tone(0.38, 985.2), tone(0.276, 1370.6), tone(0.38, 1776.7), silence(1))
    for audio, expected in (
        (joined(words((3, 0.5)), tone(0.6, 1000), silence(1)), MACHINE),
        (joined(silence(0.3), ced(3)), FAX),
        (sit, CalleeType.OPERATOR),
        (joined(silence(0.5), words((0.6, 3))), PERSON),
    ):
        holed = audio.copy()
        for start in rng.uniform(0, len(audio) / RATE, 2):
            holed[int(start * RATE) : int((start + lost) * RATE)] = 0
        assert callees(holed)[-1] is expected


def test_nothing_and_half_a_sample_are_no_error() -> None:
    classifier = Classifier()
    assert classifier.feed(b"") == classifier.feed(b"\0") == classifier.finish() == []
    assert classifier.verdict is None


@given(cuts=st.lists(st.integers(0, 2 * 3 * RATE), max_size=40))
@settings(max_examples=30, deadline=None)
def test_any_cuts_give_the_same(cuts: list[int]) -> None:
    data = pcm(joined(words((0.5, 0.4)), tone(0.4, 1000), silence(0.7), tone(0.4, 2100), silence(0.6)))
    whole, cut = Classifier(), Classifier()
    expected = whole.feed(data) + whole.finish()
    edges = [0, *sorted(cuts), len(data)]
    found = [one for start, end in pairwise(edges) for one in cut.feed(data[start:end])]
    assert found + cut.finish() == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_noise_of_a_line_whose_first_packet_comes_late_is_no_speech(seed: int) -> None:
    noise = np.cumsum(np.random.default_rng(seed).normal(0, 1, 3 * RATE))
    noise -= np.convolve(noise, np.ones(200) / 200, "same")
    line = 400 * noise / noise.std() + joined(silence(0.8), words((0.6, 1.6)))
    (speech,) = evidence(hear(joined(silence(0.44), line)), Sound.SPEECH)
    assert speech.start == pytest.approx(1.24, abs=0.15)
