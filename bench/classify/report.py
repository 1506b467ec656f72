"""What is printed of a run: detectors side by side, ours by condition, the curve of operating points, and the goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.classify.judged import Judged, beeps, errors, first_word, share, times
from bench.classify.tones import Told
from bench.corpus import Clip, Origin
from gateway.core.hearing import Sound
from gateway.core.model import CalleeType
from gateway.core.scoring import Errors

PERSON, MACHINE = CalleeType.VOICE, CalleeType.ANSWERINGMACHINE


@dataclass(frozen=True, slots=True)
class Goal:
    """``speed`` goals depend on the machine: they are told and fail nothing."""

    name: str
    measured: str
    wanted: str
    met: bool
    speed: bool = False


def side_by_side(runs: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    yield (
        f"{'detector':<26}{'people wrong':>18}{'machines wrong':>18}  balanced   "
        f"{'a person told':<20} {'a machine told':<20} none  in the end wrong"
    )
    for name, judged in runs.items():
        found = errors(judged)
        person, machine = (_times(times(judged, callee)) for callee in (PERSON, MACHINE))
        silent, last = sum(one.first is None for one in judged), errors(judged, last=True)
        yield (
            f"{name:<26}{_people(found):>18}{_machines(found):>18}  {found.balanced:>8.3f}   "
            f"{person:<20} {machine:<20} {silent:>4}  "
            f"{last.people}, {last.machines}, balanced {last.balanced:.3f}"
        )


def _people(found: Errors) -> str:
    return f"{found.people}/{found.of_people} {found.person:6.1%}"


def _machines(found: Errors) -> str:
    return f"{found.machines}/{found.of_machines} {found.machine:6.1%}"


def _times(ordered: Sequence[float]) -> str:
    return f"{share(ordered, 0.5):.2f} s, p95 {share(ordered, 0.95):.2f}"


_CONDITIONS: dict[str, Callable[[Clip], str]] = {
    "voices": lambda clip: str(clip.origin),
    "opening": lambda clip: f"{'person' if clip.callee is PERSON else 'machine'}: {clip.kind}",
    "SNR": lambda clip: (
        "quiet room" if clip.snr is None else f"{5 * int(clip.snr // 5)} to {5 * int(clip.snr // 5) + 5} dB"
    ),
    "noise": lambda clip: clip.noise or "none",
    "language": lambda clip: clip.language,
    "codec": lambda clip: clip.codec,
    "level": lambda clip: f"{5 * int(clip.level // 5)} to {5 * int(clip.level // 5) + 5} dBFS",
    "lost packets": lambda clip: "none" if not clip.loss else "concealed" if clip.concealed else "silent",
    "source": lambda clip: clip.source,
}


def by_condition(judged: Sequence[Judged]) -> Iterator[str]:
    for condition, of in _CONDITIONS.items():
        groups: dict[str, list[Judged]] = {}
        for one in judged:
            groups.setdefault(of(one.clip), []).append(one)
        yield f"by {condition}:"
        for group in sorted(groups):
            found, in_the_end = errors(groups[group]), errors(groups[group], last=True)
            people = _people(found) if found.of_people else ""
            machines = f"{_machines(found)} (in the end {in_the_end.machines})" if found.of_machines else ""
            yield f"  {group:<34}{people:>18}{machines:>36}"


def across(runs: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    """People and machines wrong by condition, one column a detector; all runs are of the same callees."""
    yield f"{'people wrong, machines wrong':<36}" + "".join(f"{name:>24}" for name in runs)
    for condition in ("voices", "SNR", "noise", "language", "codec", "lost packets"):
        of = _CONDITIONS[condition]
        for group in sorted({of(one.clip) for judged in runs.values() for one in judged}):
            found = [errors(one for one in judged if of(one.clip) == group) for judged in runs.values()]
            cells = (f"{one.person:.0%}, {one.machine:.0%}" for one in found)
            count = f"({found[0].of_people} + {found[0].of_machines})"
            yield f"  {condition + ': ' + group + ' ' + count:<34}" + "".join(f"{cell:>24}" for cell in cells)


def confusion(judged: Sequence[Judged]) -> Iterator[str]:
    count = Counter((str(one.clip.callee), str(one.first or "no verdict")) for one in judged)
    yield "first verdicts: " + "; ".join(f"{callee} as {found} {n}" for (callee, found), n in sorted(count.items()))
    count = Counter((str(one.clip.callee), str(one.last or "no verdict")) for one in judged)
    yield "in the end:     " + "; ".join(f"{callee} as {found} {n}" for (callee, found), n in sorted(count.items()))


def worst(judged: Sequence[Judged], most: int = 10) -> Iterator[str]:
    """People first, and the surest mistakes before others."""
    wrong = sorted(
        (one for one in judged if not one.right), key=lambda one: (one.clip.callee is MACHINE, -one.confidence)
    )
    yield f"the worst {min(most, len(wrong))} of {len(wrong)}:"
    for one in wrong[:most]:
        clip = one.clip
        noise = f"{clip.noise} {clip.snr:g} dB" if clip.noise else "quiet"
        yield (
            f"  {clip.name} ({clip.kind}; {clip.level:g} dBFS, {noise}, {clip.codec}): "
            f"{one.first or 'none'} {one.confidence:.2f} at {one.at or 0:.2f} s: {one.reason}"
        )


def of_tones(told: Sequence[Told]) -> Iterator[str]:
    groups: dict[str, list[Told]] = {}
    for one in told:
        groups.setdefault(_group(one), []).append(one)
    for group, members in groups.items():
        late = sorted(one.after for one in members if one.after is not None)
        false = Counter(kind for one in members for kind in one.false)
        others = f"; told as others too: {dict(false)}" if false else ""
        yield (
            f"  {group:<12} {len(late)}/{len(members)} told, after {share(late, 0.5):.2f} s, "
            f"p95 {share(late, 0.95):.2f}, at most {share(late, 1):.2f}{others}"
        )


def _group(told: Told) -> str:
    return told.tone.category or told.tone.name.split(" ")[0]


def goals(judged: Sequence[Judged], told: Sequence[Told], false_music: int) -> Iterator[Goal]:
    found, real = errors(judged), errors(one for one in judged if one.clip.origin is not Origin.SYNTHETIC)
    yield Goal("balanced accuracy", f"{found.balanced:.3f}", "0.97", found.balanced >= 0.97)
    yield Goal("people wrong", f"{found.person:.1%}", "1.5 %", found.person <= 0.015)
    yield Goal("people wrong, recorded voices", f"{real.person:.1%}", "1.5 %", real.person <= 0.015)
    moments = times(judged, PERSON)
    yield Goal("a person's verdict, median", f"{share(moments, 0.5):.2f} s", "1.5 s", share(moments, 0.5) <= 1.5)
    yield Goal("a person's verdict, p95", f"{share(moments, 0.95):.2f} s", "3 s", share(moments, 0.95) <= 3.0)
    sit = [one for one in told if Sound.SIT in one.tone.sounds]
    hits = sum(one.after is not None for one in sit)
    yield Goal("SIT with category", f"{hits}/{len(sit)}", "all", hits == len(sit))
    tones = sum(len(one.tones) for one in judged) + false_music
    yield Goal("tones told in speech and music", str(tones), "0", tones == 0)
    ced = sorted(one.after for one in told if {Sound.CED} & one.tone.sounds and one.after is not None)
    asked = sum(Sound.CED in one.tone.sounds for one in told)
    last = share(ced, 1) if len(ced) == asked else float("inf")
    yield Goal(
        "a fax's CED told", f"{len(ced)}/{asked}, at most {share(ced, 1):.2f} s after it begins", "0.5 s", last <= 0.5
    )
    beep = beeps(judged)
    rate = beep.found / beep.made if beep.made else 0.0
    yield Goal("beeps found", f"{beep.found}/{beep.made} {rate:.1%}", "99 %", rate >= 0.99)
    people = sum(one.clip.callee is PERSON for one in judged)
    yield Goal(f"beeps told in {people} people", str(len(beep.false_people)), "0", not beep.false_people)
    yield Goal(
        "a beep's telling after its end, p95", f"{share(beep.late, 0.95):.2f} s", "0.3 s", share(beep.late, 0.95) <= 0.3
    )
    cost = sum(one.cpu for one in judged) / sum(one.seconds for one in judged) * 1000
    yield Goal("CPU of one stream", f"{cost:.2f} ms a second", "2 ms", cost <= 2, speed=True)


def moments(judged: Sequence[Judged]) -> Iterator[str]:
    after_answer, after_words = times(judged, PERSON), times(judged, PERSON, first_word)
    yield f"a person told: {_times(after_answer)} after the answer, {_times(after_words)} after the first words"
    ends = sorted(end for one in judged if one.clip.callee is PERSON and (end := first_word(one.clip)) is not None)
    yield f"a person's first words end {_times(ends)} after the answer: what awaits their end comes later"
    found = beeps(judged)
    yield (
        f"beeps: {found.found}/{found.made} found, told {_times(found.late)}, at most {share(found.late, 1):.2f} s "
        f"after their end; missed {dict(Counter(found.missed))}; told besides: {len(found.false_people)} in people, "
        f"{len(found.false_machines)} in machines"
    )
