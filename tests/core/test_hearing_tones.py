"""Call-progress tones and SITs: every cadence and category, at every level, coded and in noise."""

from __future__ import annotations

import pytest

from gateway.core.hearing import Sound, Tone
from gateway.core.model import CalleeType
from tests.core.audio import TONES, Audio, cadence, evidence, hear, joined, noisy, silence, tone, ulaw, verdicts, words

LEVELS = (-10.0, -20.0, -30.0)
RINGBACK = {
    "us": ((440, 480), (2, 4), 2),
    "eu": ((425,), (1, 4), 2),
    "uk": ((400, 450), (0.4, 0.2, 0.4, 2), 4),
}
FAILED = {
    "us busy": ((480, 620), (0.5, 0.5), Tone.BUSY),
    "us reorder": ((480, 620), (0.25, 0.25), Tone.REORDER),
    "eu busy": ((425,), (0.5, 0.5), Tone.BUSY),
    "eu congestion": ((425,), (0.25, 0.25), Tone.REORDER),
    "uk busy": ((400,), (0.375, 0.375), Tone.BUSY),
}
SHORT, LONG = 0.276, 0.380
#: Telcordia GR-674: first and second segment; the third is 1776.7 Hz, 380 ms.
SIT = {
    Tone.SIT_IC: ((913.8, SHORT), (1370.6, SHORT)),
    Tone.SIT_VC: ((985.2, LONG), (1370.6, SHORT)),
    Tone.SIT_NC: ((985.2, LONG), (1428.5, LONG)),
    Tone.SIT_RO: ((913.8, SHORT), (1428.5, LONG)),
    Tone.SIT_IO: ((913.8, LONG), (1370.6, LONG)),
}


def sit(category: Tone, dbfs: float = -14.0, gap: float = 0.0, drift: float = 1.0) -> Audio:
    third = (1776.7, LONG)
    segments = ((950.0, 0.33), (1400.0, 0.33), (1800.0, 0.33)) if category is Tone.SIT_ITU else (*SIT[category], third)
    parts = [part for hz, span in segments for part in (tone(span, hz * drift, dbfs=dbfs), silence(gap))]
    return joined(silence(0.37), *parts, silence(1))


@pytest.mark.parametrize("dbfs", LEVELS)
@pytest.mark.parametrize("country", RINGBACK)
def test_ringback_is_heard_and_nothing_else(country: str, dbfs: float) -> None:
    hz, spans, times = RINGBACK[country]
    clean = cadence(hz, spans, times, dbfs)
    for audio in (clean, ulaw(clean), noisy(clean, 15)):
        heard = evidence(hear(audio, answered=None))
        assert {one.sound for one in heard} == {Sound.RINGBACK}
        assert len(heard) == times * len(spans) // 2
        assert heard[0].end - heard[0].start == pytest.approx(spans[0], abs=0.04)
        assert verdicts(hear(audio, answered=None)) == []


@pytest.mark.parametrize("dbfs", LEVELS)
@pytest.mark.parametrize("name", FAILED)
def test_busy_and_reorder(name: str, dbfs: float) -> None:
    hz, spans, category = FAILED[name]
    clean = joined(silence(0.3), cadence(hz, spans, 5, dbfs), silence(1))
    for audio in (clean, ulaw(clean), noisy(clean, 15)):
        for answered in (None, 0.0):
            found = hear(audio, answered=answered)
            assert [one.tone for one in evidence(found)] == [category]
            expected = CalleeType.BUSY if category is Tone.BUSY else CalleeType.INFORMATIONTONE
            assert [one.callee_type for one in verdicts(found)] == [expected]


@pytest.mark.parametrize("dbfs", (-10.0, -15.0, -20.0, -25.0, -30.0))
@pytest.mark.parametrize("category", [*SIT, Tone.SIT_ITU])
def test_every_sit_with_its_category(category: Tone, dbfs: float) -> None:
    clean = sit(category, dbfs)
    for audio in (clean, ulaw(clean), noisy(clean, 15, seed=1), noisy(ulaw(clean), 15, seed=2)):
        found = hear(audio)
        assert [one.tone for one in evidence(found)] == [category]
        expected = CalleeType.OPERATOR if category in (Tone.SIT_IC, Tone.SIT_VC) else CalleeType.INFORMATIONTONE
        assert [one.callee_type for one in verdicts(found)] == [expected]
        assert verdicts(found)[0].at < 0.37 + 1.14 + 0.25


@pytest.mark.parametrize("category", [*SIT, Tone.SIT_ITU])
@pytest.mark.parametrize(
    ("gap", "drift"), [(0.004, 1.0), (0.03, 1.0), (0.0, 1.002), (0.0, 0.998), (0.0, 1.014), (0.0, 0.986)]
)
def test_sits_with_gaps_and_with_a_clock_that_drifts(category: Tone, gap: float, drift: float) -> None:
    assert [one.tone for one in evidence(hear(sit(category, gap=gap, drift=drift)))] == [category]


def test_a_sit_before_an_announcement_outranks_what_the_announcement_sounds_like() -> None:
    found = hear(joined(sit(Tone.SIT_IC), words((4, 1))))
    assert verdicts(found)[-1].callee_type is CalleeType.OPERATOR


def test_busy_after_somebody_spoke_is_their_hanging_up() -> None:
    found = hear(joined(words((0.5, 2)), cadence((480, 620), (0.5, 0.5), 4)))
    assert evidence(found, Sound.BUSY)
    assert verdicts(found)[-1].callee_type is CalleeType.VOICE


def test_a_dial_tone_and_two_thirds_of_a_sit_are_neither() -> None:
    assert evidence(hear(tone(4, 350, 440)), *set(TONES) - {Sound.TONE}) == []
    assert evidence(hear(joined(tone(SHORT, 913.8), tone(SHORT, 1370.6), silence(1))), *TONES) == []
