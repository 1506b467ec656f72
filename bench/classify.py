"""Who answered: human and machine errors apart, decision times, beeps, false tones, CPU on ``bench.corpus``."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bench.corpus import Clip, Fold, clips
from gateway.core.hearing import Classifier, Evidence, Settings, Sound, Verdict
from gateway.core.model import CalleeType

#: Clips of each fold.
EACH = 1200
#: Set to the final fold when nothing is tuned any more.
SETTLED: Fold | None = None
FRAME_BYTES = 320
#: A beep near 1100 or 2100 Hz begins as a fax's tone does, so those two are not counted as false.
TONES = frozenset(Sound) - {Sound.SPEECH, Sound.SILENCE, Sound.BEEP, Sound.CNG, Sound.CED}


@dataclass(frozen=True, slots=True)
class Heard:
    """What one clip gave: the verdict that a session would begin with, the last one, and beeps."""

    clip: Clip
    first: Verdict | None
    last: Verdict | None
    beeps: list[Evidence]
    tones: list[Evidence]
    cpu: float

    @property
    def seconds(self) -> float:
        return len(self.clip.pcm) / 16000


def hear(clip: Clip, settings: Settings) -> Heard:
    classifier = Classifier(settings)
    classifier.answered()
    told: list[Evidence | Verdict] = []
    started = time.process_time()
    for place in range(0, len(clip.pcm), FRAME_BYTES):
        told += classifier.feed(clip.pcm[place : place + FRAME_BYTES])
    told += classifier.finish()
    cpu = time.process_time() - started
    verdicts = [one for one in told if isinstance(one, Verdict)]
    evidence = [one for one in told if isinstance(one, Evidence)]
    return Heard(
        clip,
        first=verdicts[0] if verdicts else None,
        last=classifier.verdict,
        beeps=[one for one in evidence if one.sound is Sound.BEEP],
        tones=[one for one in evidence if one.sound in TONES],
        cpu=cpu,
    )


def wrong(found: Iterable[Heard], callee: CalleeType, *, last: bool = False) -> tuple[int, int]:
    """How many of these callees were judged otherwise, and how many there are."""
    of = [one for one in found if one.clip.callee is callee]
    verdicts = [one.last if last else one.first for one in of]
    return sum(verdict is None or verdict.callee_type is not callee for verdict in verdicts), len(of)


def balanced(found: list[Heard], *, last: bool = False) -> float:
    rates = [wrong(found, callee, last=last) for callee in (CalleeType.VOICE, CalleeType.ANSWERINGMACHINE)]
    return 1 - statistics.mean(errors / count for errors, count in rates)


def line(name: str, found: list[Heard]) -> str:
    people, machines = wrong(found, CalleeType.VOICE), wrong(found, CalleeType.ANSWERINGMACHINE)
    later = wrong(found, CalleeType.ANSWERINGMACHINE, last=True)
    return (
        f"  {name:<22} people wrong {people[0]:>3}/{people[1]:<4} machines wrong {machines[0]:>3}/{machines[1]:<4}"
        f" (in the end {later[0]})  balanced {balanced(found):.3f}"
    )


def times(found: list[Heard], callee: CalleeType) -> str:
    at = sorted(one.first.at for one in found if one.first is not None and one.clip.callee is callee)
    return f"median {statistics.median(at):.2f} s, p95 {at[int(0.95 * (len(at) - 1))]:.2f} s after the answer"


def beeps(found: list[Heard]) -> str:
    expected = [(one, end) for one in found for end in one.clip.beeps]
    hits = [
        min((beep.known - end for beep in one.beeps if abs(beep.end - end) < 0.1), default=None)
        for one, end in expected
    ]
    late = sorted(hit for hit in hits if hit is not None)
    false = sum(len(one.beeps) for one in found) - len(late)
    return f"beeps {len(late)}/{len(expected)} found, {late[-1]:.2f} s after their end at most, {false} false"


def run() -> str:
    folds = (Fold.TRAIN, Fold.DEV) if SETTLED is None else (SETTLED,)
    all_found = {fold: [hear(clip, Settings()) for clip in clips(fold, EACH)] for fold in folds}
    for fold, found in all_found.items():
        print(f"classify, {fold} fold ({len(found)} calls; first verdict):")
        print(line("all", found))
        for source in sorted({one.clip.source for one in found}):
            print(line(source, [one for one in found if one.clip.source == source]))
        for snr in sorted({one.clip.snr or 99.0 for one in found}):
            print(line(f"SNR {snr:g} dB", [one for one in found if (one.clip.snr or 99.0) == snr]))
        print(f"  people {times(found, CalleeType.VOICE)}; machines {times(found, CalleeType.ANSWERINGMACHINE)}")
        print(f"  {beeps(found)}; false tones of other kinds: {sum(len(one.tones) for one in found)}")
    print("classify, operating points (bias: people wrong, machines wrong):")
    test = [one.clip for one in all_found[Fold.DEV]]
    for bias in (-2.0, -1.0, 0.0, 1.0, 2.0):
        found = [hear(clip, Settings(bias=bias)) for clip in test]
        people, machines = wrong(found, CalleeType.VOICE), wrong(found, CalleeType.ANSWERINGMACHINE)
        print(f"  {bias:+.0f}: {people[0] / people[1]:.3f}, {machines[0] / machines[1]:.3f}")
    worst = [one for one in all_found[Fold.DEV] if one.first is None or one.first.callee_type is not one.clip.callee]
    for one in worst[:10]:
        print(f"  missed {one.clip.callee}: {one.clip.name}: {one.first.reason if one.first else 'no verdict'}")
    found = all_found[Fold.DEV]
    cost = sum(one.cpu for one in found) / sum(one.seconds for one in found) * 1000
    return f"classify: balanced accuracy {balanced(found):.3f}, {cost:.2f} ms of CPU a second of audio (goal 2)"


if __name__ == "__main__":
    sys.stdout.write(run() + "\n")
