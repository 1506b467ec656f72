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
from bench.classify.offline import FALSE, hear_all
from bench.classify.report import Goal, across, by_condition, confusion, goals, moments, of_tones, side_by_side, worst
from bench.classify.tones import tell, tones
from bench.corpus import Clip, Fold, clips
from bench.corpus.audio import coded, pcm16
from bench.corpus.build import beds
from gateway.core.hearing import Classifier, Evidence, Settings
from lab.lab import Lab

BIASES = (-2.0, -1.0, 0.0, 1.0, 2.0)
QUICK = 300
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
    parser.add_argument("--offline", action="store_true", help="nothing through the lab")
    return parser.parse_args()


def main() -> int:
    chosen = _arguments()
    fold: Fold = chosen.fold
    judged = hear_all(fold, None, Settings())
    print(f"classify: the {fold} fold, {len(judged)} callees, ours offline unless told otherwise")
    runs = {"ours, offline": judged}
    skipped = []
    if chosen.offline:
        skipped.append("the lab: AMD(), ToneScan and calls through the tap")
    else:
        calls = list(clips(fold, chosen.calls or None))
        runs[f"ours, offline, {len(calls)}"] = judged[: len(calls)]
        if len(calls) < len(judged):
            skipped.append(f"{len(judged) - len(calls)} of {len(judged)} callees in the lab (--calls 0 takes all)")
        for name, found in _road(calls):
            runs[name] = found
            silent = sum(one.first is None for one in found)
            if silent:
                skipped.append(f"{silent} callees that {name} did not judge, counted as wrong")
    print(*side_by_side(runs), sep="\n")
    if not chosen.offline:
        print("through the lab a clip begins up to 0.5 s after the answer: Asterisk's Answer() awaits the first packet")
        del runs["ours, offline"]
        print(*across(runs), sep="\n")
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        told = pool.map(partial(tell, settings=Settings()), list(tones()), chunksize=40)
    music, minutes = _music(fold)
    print(*moments(judged), *by_condition(judged), *confusion(judged), *worst(judged), sep="\n")
    print("tones made as recommended:", *of_tones(told), sep="\n")
    print(f"tones told in {minutes:.0f} minutes of music: {music}")
    print("operating points (bias: people wrong, machines wrong):", *_curve(fold, judged), sep="\n")
    reached = list(goals(judged, told, music))
    if not chosen.offline:
        begun = _after_beep(fold)
        print(*afterbeep.lines(begun), sep="\n")
        reached += afterbeep.goals(begun)
    for one in reached:
        print(f"  {'reached' if one.met else 'MISSED ':<8} {one.name}: {one.measured} (goal {one.wanted})")
    print(*(f"skipped: {one}" for one in skipped or ["nothing"]), sep="\n")
    return _end(reached)


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
        found = errors(judged if bias == 0 else hear_all(fold, None, Settings(bias=bias)))
        yield f"  {bias:+.0f}: {found.person:.1%}, {found.machine:.1%}"


if __name__ == "__main__":
    sys.exit(main())
