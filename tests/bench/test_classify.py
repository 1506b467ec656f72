"""The figures of ``make bench-classify``: what counts as wrong, as a beep found, as a goal missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from bench.classify import afterbeep
from bench.classify.__main__ import _end
from bench.classify.judged import Judged, beeps, errors, first_word, share, times
from bench.classify.offline import hear
from bench.classify.ours import judged as record
from bench.classify.report import Goal, across, by_condition, confusion, goals, moments, of_tones, side_by_side, worst
from bench.classify.road import plan
from bench.classify.tones import tell, tones
from bench.corpus import Clip, Fold, Origin
from bench.corpus.clip import Kind
from gateway.core.hearing import Settings, Sound
from gateway.core.model import CalleeType
from lab.carrier import dialplan
from tests.core.audio import joined, pcm, silence, tone, words

VOICE, MACHINE = CalleeType.VOICE, CalleeType.ANSWERINGMACHINE
CLIP = Clip(
    name="n", fold=Fold.DEV, origin=Origin.RECORDED, source="s", speaker="s", language="en", texts=("a",), callee=VOICE,
    kind=Kind.ONCE, unsent=0.0, delay=0.5, level=-20.0, snr=None, noise=None, codec="ulaw", loss=0.0, concealed=False,
    echo=False, speech=((0.5, 1.0),), beeps=(), beep=None, pcm=b"",
)  # fmt: skip


def judged(callee: CalleeType, found: CalleeType | None, at: float | None = 2.0, **changes: object) -> Judged:
    clip = replace(CLIP, callee=callee, **changes)  # type: ignore[arg-type]
    return Judged(clip, 5.0, found, at, found, 0.9, "why")


def test_people_and_machines_are_counted_apart_and_no_verdict_is_wrong() -> None:
    found = errors([judged(VOICE, VOICE), judged(VOICE, None, None), judged(MACHINE, VOICE), judged(MACHINE, MACHINE)])
    assert (found.people, found.of_people, found.machines, found.of_machines) == (1, 2, 1, 2)
    assert found.balanced == 0.5


def test_times_are_those_of_right_verdicts() -> None:
    found = [judged(VOICE, VOICE, 3.0), judged(VOICE, MACHINE, 1.0), judged(VOICE, VOICE, 2.0)]
    assert times(found, VOICE) == [2.0, 3.0]
    assert times(found, VOICE, first_word) == [1.0, 2.0]
    assert share([1.0, 2.0, 3.0], 0.5) == 2.0


def test_a_beep_is_found_once_and_where_it_ends() -> None:
    clip = replace(CLIP, callee=MACHINE, beeps=(2.0, 4.0), beep="sine")
    one = Judged(clip, 6.0, MACHINE, 1.0, MACHINE, 0.9, "", beeps=((1.5, 2.05, 2.2), (2.8, 3.0, 3.1)))
    found = beeps([one, Judged(CLIP, 6.0, VOICE, 1.0, VOICE, 0.9, "", beeps=((0.5, 1.0, 1.1),))])
    assert (found.made, found.missed, len(found.false_machines), len(found.false_people)) == (2, ["sine"], 1, 1)
    assert found.late == pytest.approx([0.2])


def test_several_beeps_told_as_one_are_found() -> None:
    clip = replace(CLIP, callee=MACHINE, beeps=(2.0, 2.6, 4.0), beep="sine")
    found = beeps([Judged(clip, 6.0, MACHINE, 1.0, MACHINE, 0.9, "", beeps=((1.5, 2.6, 2.75),))])
    assert (found.made, found.found, found.missed, found.false_machines) == (3, 2, ["sine"], [])
    assert found.late == pytest.approx([0.15])


def test_a_clip_is_heard_as_a_call_is() -> None:
    clip = replace(CLIP, callee=MACHINE, pcm=pcm(joined(words((4, 0.5)), tone(0.5, 1000), silence(1))), beeps=(5.0,))
    one = hear(clip, Settings())
    assert (one.first, one.right, one.tones, one.clip.pcm) == (MACHINE, True, (), b"")
    assert not beeps([one]).missed


def test_the_gateway_s_record_counts_from_the_answer() -> None:
    evidence = {
        "answered": 1.0,
        "timeline": [{"sound": "beep", "start": 2.0, "end": 3.0, "known": 3.2}],
        "verdicts": [
            {"callee_type": "fax", "confidence": 0.7, "at": 0.5, "reason": "early"},
            {"callee_type": "voice", "confidence": 0.8, "at": 3.5, "reason": "words"},
        ],
    }
    one = record(CLIP, evidence, "voice")
    assert (one.first, one.at, one.beeps, one.reason) == (VOICE, 2.5, ((1.0, 2.0, pytest.approx(2.2)),), "words")
    assert record(CLIP, {}, None).first is None


def test_tones_are_made_as_recommended_and_told() -> None:
    made = [one for one in tones() if "-15 dBFS, no noise" in one.name]
    assert {sound for one in made for sound in one.sounds} == {
        Sound.SIT, Sound.BUSY, Sound.REORDER, Sound.RINGBACK, Sound.CED, Sound.ANSAM, Sound.V21, Sound.CNG,
    }  # fmt: skip
    fax = [tell(one, Settings()) for one in made if one.name.startswith("ced")]
    assert all(one.after is not None and not one.false for one in fax)
    assert len(list(of_tones(fax))) == 1


def test_each_clip_is_a_number_of_the_carrier(tmp_path: Path) -> None:
    drawn = plan([replace(CLIP, pcm=b"\0\0"), replace(CLIP, pcm=b"\1\0\1\0")], tmp_path)
    text = dialplan(drawn, tmp_path, 10.0)
    assert len({line.number for line in drawn.lines}) == 2
    assert f"Playback({tmp_path}/clip-1,noanswer)" in text
    assert (tmp_path / "clip-1.wav").stat().st_size == 48


def test_a_session_s_sound_is_placed_by_the_recordings_alone(tmp_path: Path) -> None:
    greeting = joined(words((1, 0.5)), tone(0.3, 900), silence(1))
    clip = replace(CLIP, callee=MACHINE, pcm=pcm(greeting), speech=((0.0, 1.0),), beeps=(1.8,))
    soundfile.write(tmp_path / "tx.wav", joined(silence(0.4), greeting) / 32768, 8000)
    soundfile.write(tmp_path / "rx.wav", joined(silence(2.45), tone(1, 500)) / 32768, 8000)
    assert afterbeep._after(clip, tmp_path / "rx.wav", tmp_path / "tx.wav") == pytest.approx(0.25, abs=0.01)
    begun = [afterbeep.Begun(clip, 0.25, person=False), afterbeep.Begun(clip, -1.0, person=True)]
    assert [one.met for one in afterbeep.goals(begun)] == [False, True]
    assert len(list(afterbeep.lines(begun))) == 2


def test_a_report_has_every_part_and_misses_fail_it() -> None:
    found = [judged(VOICE, MACHINE), judged(VOICE, VOICE, noise="music", snr=12.0), judged(MACHINE, MACHINE)]
    parts = (
        side_by_side({"ours": found}),
        across({"ours": found}),
        by_condition(found),
        confusion(found),
        worst(found),
    )
    text = "\n".join(line for part in (*parts, moments(found)) for line in part)
    for word in ("1/2", "music", "10 to 15 dB", "voice as answeringmachine 1", "the worst 1 of 1", "first words"):
        assert word in text
    reached = {one.name: one.met for one in goals(found, [], 0)}
    assert not reached["people wrong"]
    assert reached["tones told in speech and music"]


def test_a_missed_promise_fails_the_run_and_a_missed_speed_does_not() -> None:
    assert _end([Goal("a", "1", "1", met=True), Goal("cpu", "3 ms", "2 ms", met=False, speed=True)]) == 0
    assert _end([Goal("a", "2", "1", met=False)]) == 1
