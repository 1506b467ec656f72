"""The whole mapping table from SIP code, cause, tones and timing to callee type."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.hearing.evidence import TONES, Tone, Verdict
from gateway.core.model import CalleeType, EndKind
from gateway.core.outcome import Seen, outcome

V = CalleeType


@pytest.mark.parametrize(
    ("tech", "cause", "found"),
    [
        (486, 17, V.BUSY), (600, 17, V.BUSY), (480, 19, V.NOANSWER),
        (404, 1, V.OPERATOR), (485, 1, V.OPERATOR), (604, 1, V.OPERATOR), (410, 22, V.OPERATOR), (484, 28, V.OPERATOR),
        (503, 34, V.INFORMATIONTONE), (513, 34, V.INFORMATIONTONE),
        (403, 21, V.UNKNOWN), (603, 21, V.UNKNOWN), (500, 38, V.UNKNOWN), (501, 29, V.UNKNOWN), (502, 27, V.UNKNOWN),
        (504, 102, V.UNKNOWN), (483, 19, V.UNKNOWN), (487, 127, V.UNKNOWN), (491, 127, V.UNKNOWN), (607, 127, V.UNKNOWN),
        (699, 127, V.UNKNOWN), (488, 58, V.UNKNOWN), (606, 58, V.UNKNOWN), (302, 23, V.UNKNOWN), (499, 0, V.UNKNOWN),
        (None, 17, V.BUSY), (None, 19, V.NOANSWER), (None, 1, V.OPERATOR), (None, 22, V.OPERATOR), (None, 28, V.OPERATOR),
        (None, 34, V.INFORMATIONTONE), (None, 21, V.UNKNOWN), (None, 0, V.UNKNOWN),
    ],
)  # fmt: skip
def test_refusals(tech: int | None, cause: int, found: CalleeType) -> None:
    result = outcome(Seen(channel=True, cause=cause, tech_cause=tech, originate_reason=0))
    assert (result.kind, result.callee_type) == (EndKind.NOT_REACHED, found)


@pytest.mark.parametrize("seen", [
    Seen(channel=True, cause=19, tech_cause=480, originate_reason=3),
    Seen(channel=True, cause=18, tech_cause=408),
    Seen(channel=True, cause=18),
])  # fmt: skip
def test_silence_is_no_answer_only_where_it_rang(seen: Seen) -> None:
    assert outcome(replace(seen, ringing=True)).callee_type is V.NOANSWER
    assert outcome(seen).kind is EndKind.TRUNK_FAULT
    assert outcome(seen).callee_type is V.UNKNOWN


@pytest.mark.parametrize("seen", [
    Seen(originate_reason=0), Seen(channel=True, cause=21, tech_cause=401), Seen(channel=True, cause=21, tech_cause=407),
])  # fmt: skip
def test_trunk_faults(seen: Seen) -> None:
    assert outcome(seen).kind is EndKind.TRUNK_FAULT


@pytest.mark.parametrize(("tone", "found"), [
    (Tone.SIT_IC, V.OPERATOR), (Tone.SIT_VC, V.OPERATOR), (Tone.SIT_NC, V.INFORMATIONTONE),
    (Tone.SIT_RO, V.INFORMATIONTONE), (Tone.SIT_IO, V.INFORMATIONTONE), (Tone.SIT_ITU, V.INFORMATIONTONE),
    (Tone.BUSY, V.BUSY), (Tone.REORDER, V.INFORMATIONTONE),
])  # fmt: skip
def test_a_tone_outranks_a_vague_cause_and_yields_to_a_definite_one(tone: Tone, found: CalleeType) -> None:
    heard = Verdict(TONES[tone], 0.98, 1.4, f"{tone} heard", tone)
    for vague in (Seen(channel=True, cause=21, tech_cause=603), Seen(channel=True, cause=19, originate_reason=3)):
        assert outcome(replace(vague, heard=heard)).callee_type is found
    assert outcome(Seen(channel=True, cause=17, tech_cause=486, heard=heard)).callee_type is V.BUSY
    assert outcome(Seen(channel=True, cause=1, tech_cause=404, heard=heard)).callee_type is V.OPERATOR


@pytest.mark.parametrize("callee", [V.VOICE, V.ANSWERINGMACHINE])
def test_who_speaks_before_the_answer_changes_nothing(callee: CalleeType) -> None:
    seen = Seen(channel=True, cause=19, tech_cause=480, originate_reason=0)
    assert outcome(replace(seen, heard=Verdict(callee, 0.7, 9.0, "beep heard"))) == outcome(seen)


def test_an_answer_without_a_session_is_unknown_unless_a_tone_told_more() -> None:
    seen = Seen(channel=True, ringing=True, answered=True, cause=0)
    for heard in (None, Verdict(V.VOICE, 0.9, 2.0, "0.5 s of speech")):
        result = outcome(replace(seen, heard=heard))
        assert (result.kind, result.callee_type) == (EndKind.NOT_REACHED, V.UNKNOWN)
    result = outcome(replace(seen, heard=Verdict(V.FAX, 0.99, 0.5, "ansam heard")))
    assert (result.kind, result.callee_type) == (EndKind.NOT_REACHED, V.FAX)
