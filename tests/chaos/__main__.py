"""``make chaos``: break everything, then check the books."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict

from rich.console import Console
from rich.table import Table

from tests.chaos.books import Findings
from tests.chaos.faults import BY_NAME, FAULTS, Fault
from tests.chaos.run import Ran, run
from tests.chaos.world import Where, world

console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)

#: Kills of the gateway in a full set, by world; every other fault has as many runs as RUNS says.
KILLS = {Where.FAKE: 200, Where.LAB: 20}


def main() -> int:
    asked = _asked()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1, 2**31)
    console.print(f"chaos: seed {seed}: SEED={seed} strikes at the same moments again")
    ran: list[Ran] = []
    skipped: dict[str, str] = {}
    for where in asked.where:
        planned = [(fault, count) for fault in FAULTS if (count := _count(fault, where, asked))]
        if not planned:
            continue
        with world(where, seed, small=asked.small) as there:
            for fault, count in planned:
                if (why := fault.why_not()) is not None:
                    skipped[f"{fault.name} ({where})"] = why
                    continue
                for number in range(count):
                    ran.append(
                        run(there, fault, seed + number, lambda words: console.print(f"    {words}", style="dim"))
                    )
                    _progress(ran[-1])
                    if asked.minutes and time.monotonic() - _BEGAN > asked.minutes * 60:
                        break
    return _report(ran, skipped, seed)


_BEGAN = time.monotonic()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="replays a run's moments")
    parser.add_argument("--full", action="store_true", help="kill -9 200 times on the fake and 20 times on the lab")
    parser.add_argument("--small", action="store_true", help="small campaigns, as the tests have")
    parser.add_argument("--runs", type=int, help="runs of each fault")
    parser.add_argument("--where", nargs="+", type=Where, default=list(Where), help="lab, fake or both")
    parser.add_argument("--fault", nargs="+", choices=sorted(BY_NAME), metavar="NAME", help="only these faults")
    parser.add_argument("--minutes", type=float, help="begin no run after so many minutes")
    return parser.parse_args()


def _count(fault: type[Fault], where: Where, asked: argparse.Namespace) -> int:
    if where not in fault.where or (asked.fault and fault.name not in asked.fault):
        return 0
    if asked.runs:
        return int(asked.runs)
    if asked.full and fault.name == "kill -9":
        return -(-KILLS[where] // fault.times)
    return 1


def _progress(one: Ran) -> None:
    found = one.found
    words = (
        f"{one.where:4} {one.fault:28} seed {one.seed}: {found.calls} calls, {found.rings} rings, {one.seconds:.0f} s"
    )
    console.print(f"{words}: {'kept' if not found.words else 'BROKEN'}", style=None if not found.words else "red")
    for line in found.words:
        console.print(f"    {line}", style="red")
    if found.words:
        console.print(f"    log: {one.log}")


def _report(ran: list[Ran], skipped: dict[str, str], seed: int) -> int:
    table = Table(
        "fault", "where", "runs", "injected", "calls", "rung twice", "lost", "results lost", "leaked", "other", box=None
    )
    by_fault: dict[tuple[str, Where], list[Ran]] = defaultdict(list)
    for one in ran:
        by_fault[one.fault, one.where].append(one)
    for (name, where), runs in by_fault.items():
        table.add_row(name, where, str(len(runs)), *_counts(runs))
    console.print(table)
    for what, why in skipped.items():
        console.print(f"skipped: {what}: {why}")
    total = sum((one.found for one in ran), Findings())
    console.print(
        f"chaos: {len(ran)} runs, {sum(one.struck for one in ran)} faults injected, {len(skipped)} skipped,"
        f" {total.calls} calls placed, {total.rings} phones rung, {total.twice} rung twice, {total.lost} calls lost,"
        f" {total.results_lost} results lost, {total.leaked} leaked, {total.other} other; seed {seed}"
    )
    return 1 if total.words or not ran else 0


def _counts(runs: list[Ran]) -> list[str]:
    total = sum((one.found for one in runs), Findings())
    struck = sum(one.struck for one in runs)
    return [
        str(one)
        for one in (struck, total.calls, total.twice, total.lost, total.results_lost, total.leaked, total.other)
    ]


if __name__ == "__main__":
    sys.exit(main())
