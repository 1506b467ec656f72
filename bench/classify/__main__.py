"""Who answered, measured: ``python -m bench.classify --help``."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.classify import afterbeep, ours, road
from bench.classify.judged import Judged, errors
from bench.classify.offline import FALSE, hear, hear_all
from bench.classify.report import Goal, across, by_condition, confusion, goals, moments, of_tones, side_by_side, worst
from bench.classify.tones import tell, tones
from bench.corpus import Clip, Fold, clips
from bench.corpus.audio import coded, pcm16
from bench.corpus.build import beds
from gateway.core.hearing import Classifier, Evidence, Settings
from lab.lab import Lab

BIASES = (-2.0, -1.0, 0.0, 1.0, 2.0)
QUICK = 300
#: Callees of which the curve of operating points is made.
CURVE = 600
#: Machines that are called with ``machine=after_beep``.
MACHINES = 200


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.classify",
        description="Who answered: ours, AMD() and ToneScan on a fold of the corpus, offline and through the lab.",
        epilog="example: python -m bench.classify --fold dev --calls 200 --offline",
    )
    parser.add_argument("--fold", type=Fold, default=Fold.FINAL, choices=list(Fold), help="final unless told otherwise")
    parser.add_argument(
        "--calls", type=int, default=QUICK, help=f"calls through the lab (default {QUICK}); 0 means all"
    )
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--offline", action="store_true", help="only ours on files, and tones")
    parts.add_argument("--lab", action="store_true", help="only what goes through the lab")
    return parser.parse_args()


def main() -> int:
    chosen = _arguments()
    reached: list[Goal] = []
    skipped: list[str] = []
    if not chosen.lab:
        reached += _offline(chosen.fold)
    if not chosen.offline:
        reached += _through_the_lab(chosen.fold, chosen.calls or None, skipped)
    for left, what in ((chosen.lab, "the fold offline, and tones"), (chosen.offline, "all that goes through the lab")):
        if left:
            skipped.append(what)
    for one in reached:
        print(f"  {'reached' if one.met else 'MISSED ':<8} {one.name}: {one.measured} (goal {one.wanted})")
    print(*(f"skipped: {one}" for one in skipped or ["nothing"]), sep="\n")
    return _end(reached)


def _offline(fold: Fold) -> list[Goal]:
    judged = hear_all(fold, None, Settings())
    print(f"ours, offline, on all {len(judged)} callees of the {fold} fold")
    print(*side_by_side({"ours, offline": judged}), sep="\n")
    print(*moments(judged), *by_condition(judged), *confusion(judged), *worst(judged), sep="\n")
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        told = pool.map(partial(tell, settings=Settings()), list(tones()), chunksize=40)
    print("tones made as recommended:", *of_tones(told), sep="\n")
    music, minutes = _music(fold)
    print(f"tones told in {minutes:.0f} minutes of music: {music}")
    some = judged[:CURVE]
    print(f"operating points, {len(some)} callees (bias: people wrong, machines wrong):", *_curve(fold, some), sep="\n")
    return list(goals(judged, told, music))


def _through_the_lab(fold: Fold, count: int | None, skipped: list[str]) -> list[Goal]:
    calls = list(clips(fold, count))
    print(f"through the lab, {len(calls)} callees of the {fold} fold")
    runs = {"ours, offline": [hear(clip, Settings()) for clip in calls]}
    for name, found in _road(calls):
        runs[name] = found
        if silent := sum(one.first is None for one in found):
            skipped.append(f"{silent} of {len(found)} callees that {name} did not judge, counted as wrong")
    print(*side_by_side(runs), sep="\n")
    print("through the lab a clip begins up to 0.5 s after the answer: Asterisk's Answer() awaits the first packet")
    print(*across(runs), sep="\n")
    begun = _after_beep(fold)
    print(*afterbeep.lines(begun), sep="\n")
    if count is not None:
        skipped.append(f"callees of the fold beyond the first {count} in the lab (--calls 0 takes all)")
    return list(afterbeep.goals(begun))


def _end(reached: Sequence[Goal]) -> int:
    missed = [f"{one.name} {one.measured}" for one in reached if not one.met and not one.speed]
    print(f"classify: {sum(one.met for one in reached)} of {len(reached)} goals reached"
          + (f"; missed: {'; '.join(missed)}" if missed else ""))  # fmt: skip
    return 1 if missed else 0


def _road(calls: Sequence[Clip]) -> Iterator[tuple[str, list[Judged]]]:
    with (
        tempfile.TemporaryDirectory(prefix="voxgate-clips-") as folder,
        Lab(plan=road.plan(calls, Path(folder))) as lab,
    ):
        for name, application in road.APPLICATIONS.items():
            yield name, _timed(lab, name, partial(_applied, lab, calls, application))
        yield "ours, through the tap", _timed(lab, "ours", partial(ours.judge, lab, calls))


def _after_beep(fold: Fold) -> list[afterbeep.Begun]:
    machines = afterbeep.machines(fold, MACHINES)
    with tempfile.TemporaryDirectory(prefix="voxgate-clips-") as name:
        folder = Path(name)
        with Lab(plan=afterbeep.recorded(machines, folder)) as lab:
            return afterbeep.measure(lab, machines, folder)


def _applied(lab: Lab, calls: Sequence[Clip], application: road.Application) -> list[Judged]:
    return asyncio.run(road.judge(lab, calls, application))


def _timed(lab: Lab, name: str, run: Callable[[], list[Judged]]) -> list[Judged]:
    started, before = time.monotonic(), road.cpu(lab.pbx.pid)
    found = run()
    used = (road.cpu(lab.pbx.pid) - before) / len(found) * 1000
    print(
        f"{name}: {len(found)} calls in {time.monotonic() - started:.0f} s; {used:.0f} ms of the PBX's CPU a call",
        flush=True,
    )
    return found


def _music(fold: Fold) -> tuple[int, float]:
    """False tones in the fold's music."""
    count, seconds = 0, 0.0
    for tune in beds(fold)["music"]:
        classifier = Classifier(Settings())
        classifier.answered()
        heard = classifier.feed(pcm16(coded(tune * 0.3, "ulaw"))) + classifier.finish()
        count += sum(isinstance(one, Evidence) and one.sound in FALSE for one in heard)
        seconds += len(tune) / 8000
    return count, seconds / 60


def _curve(fold: Fold, judged: Sequence[Judged]) -> Iterator[str]:
    for bias in BIASES:
        found = errors(judged if bias == 0 else hear_all(fold, len(judged), Settings(bias=bias)))
        yield f"  {bias:+.0f}: {found.person:.1%}, {found.machine:.1%}"


if __name__ == "__main__":
    sys.exit(main())
