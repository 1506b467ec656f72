"""Fax signals are known within half a second, and are not taken for beeps."""

from __future__ import annotations

import pytest

from gateway.core.hearing import Sound
from gateway.core.model import CalleeType
from tests.core.audio import Audio, ced, evidence, hear, joined, noisy, silence, tone, ulaw, v21, verdicts, words

FLAG = (0, 1, 1, 1, 1, 1, 1, 0)
SIGNALS: dict[str, tuple[Audio, Sound]] = {
    "ced": (ced(3), Sound.CED),
    "ced 15 Hz high": (tone(3, 2115), Sound.CED),
    "ced with reversals": (ced(3, reversals=True), Sound.CED),
    "ansam": (ced(3, reversals=True, swing=0.2), Sound.ANSAM),
    "ansam without reversals": (ced(3, swing=0.2), Sound.ANSAM),
    "cng": (joined(tone(0.5, 1100), silence(3), tone(0.5, 1100), silence(2)), Sound.CNG),
    "v21": (joined(v21(FLAG * 38), v21((1, 0, 0, 1, 0, 1, 1, 0, 1, 0) * 20)), Sound.V21),
}


@pytest.mark.parametrize("dbfs", (-10.0, -20.0, -30.0))
@pytest.mark.parametrize("lead", (0.2, 0.233, 0.251, 0.268, 10.013))
@pytest.mark.parametrize("name", SIGNALS)
def test_a_fax_is_known_within_half_a_second(name: str, lead: float, dbfs: float) -> None:
    signal, sound = SIGNALS[name]
    clean = joined(silence(lead), signal * 10 ** ((dbfs + 14) / 20))
    for audio in (clean, ulaw(clean), noisy(clean, 15)):
        found = hear(audio)
        assert {one.sound for one in evidence(found) if one.sound.fax} == {sound}
        fax = next(one for one in verdicts(found) if one.callee_type is CalleeType.FAX)
        assert lead < fax.at <= lead + 0.5
        assert verdicts(found)[-1].callee_type is CalleeType.FAX


def test_one_burst_of_cng_is_provisional_and_the_second_makes_sure() -> None:
    found = verdicts(hear(joined(silence(0.2), SIGNALS["cng"][0])))
    assert [one.callee_type for one in found] == [CalleeType.FAX, CalleeType.FAX]
    assert found[0].confidence < found[1].confidence


@pytest.mark.parametrize("hz", (1100, 2100))
@pytest.mark.parametrize("seconds", (0.2, 0.8, 1.5))
def test_a_beep_at_a_fax_pitch_is_a_machine_in_the_end(hz: float, seconds: float) -> None:
    found = hear(joined(words((3, 0.6)), tone(seconds, hz), silence(1)))
    assert verdicts(found)[-1].callee_type is CalleeType.ANSWERINGMACHINE


def test_a_fax_after_a_greeting_revises_the_verdict() -> None:
    found = verdicts(hear(joined(silence(0.5), words((6, 1)), ced(3))))
    assert found[0].callee_type is CalleeType.ANSWERINGMACHINE
    assert found[-1].callee_type is CalleeType.FAX


def test_data_that_are_no_flags_and_hiss_are_no_preamble() -> None:
    scrambled = [int(bit) for bit in "0110100110010110001011101000110101110010" * 8]
    for audio in (v21(scrambled), v21((1,) * 300), v21((0, 1) * 150), words((8,))):
        assert evidence(hear(audio), Sound.V21) == []
