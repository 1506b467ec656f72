"""`make soak`: many calls through a gateway at its ceiling, beside the fake Asterisk; then a while on the real lab."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time

from lab.lab import Lab
from tests.chaos.world import LabWorld
from tests.fakes.asterisk import FakeAsterisk, rung
from tests.fakes.asterisk.lines import AREA_SIZE, AREAS
from tests.soak.run import Campaign, Soak, shuffled

#: Weights of what the numbers do: most answer, some of them hang up, a third must be tried again.
KINDS = {
    "silent": 30, "hangs-up-in-prompt": 15, "person-keys": 10, "hangs-up-at-once": 5, "busy": 15, "not-found": 10,
    "unavailable": 10, "declined": 5,
}  # fmt: skip
#: One call in so many is judged by its tap, which takes its seconds and its computing however fast the callees are. These
#: have an area code, and a trunk, of their own, so that they are spread over the whole soak.
JUDGED = 100
JUDGED_AT_ONCE = 6
JUDGED_TRUNK = f"""
[[trunk]]
name = "judged"
dial = "PJSIP/{{number}}@carrier"
cps = 20
max_calls = {JUDGED_AT_ONCE}
[[route]]
prefix = "+1{AREAS[0]}"
trunk = "judged"
"""
SPEED = 20.0
CPS, MAX_CALLS = 500.0, 100
LAB_CPS = 1.0
#: Nearly half of the lab's numbers are tried three times.
LAB_TRIES = 1.9


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def on_the_fake(calls: int, seed: int) -> Soak:
    """``calls`` as fast as the gateway can."""
    with FakeAsterisk(seed=seed, speed=SPEED) as asterisk:

        def left() -> dict[str, int]:
            state = asterisk.state()
            return {"channels": len(state["channels"]), "taps": state["taps"], "sessions": state["sessions"]}

        judged = shuffled(KINDS, asterisk.number, max(1, calls // JUDGED), seed)
        quick = shuffled(KINDS, lambda key, n: asterisk.number(key, AREA_SIZE + n), calls - len(judged), seed + 1)
        soak = Soak(asterisk, lambda: rung(asterisk.carrier_log), left, True, CPS, MAX_CALLS, say, JUDGED_TRUNK)
        soak.run([Campaign("judged", judged, "before"), Campaign("quick", quick, "off")])
        return soak


def on_the_lab(minutes: float, seed: int) -> Soak:
    """Real calls at a steady pace for so long."""
    with LabWorld(seed) as world:
        lab: Lab = world.lab
        numbers = [line.number for line in lab.plan.lines]
        lists = max(1, round(minutes * 60 * LAB_CPS / LAB_TRIES / len(numbers)))  # a list names no number twice
        soak = Soak(lab, world.rung, lambda: {"channels": len(world.channels())}, False, LAB_CPS, 60, say)
        soak.run([Campaign(f"lab-{index}", numbers, "before") for index in range(lists)])
        return soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000, help="through the fake; 0 for none")
    parser.add_argument("--lab", type=float, default=0.0, metavar="MINUTES", help="then so long on the real lab")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 2**31))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # its processes end with it
    say(f"seed {options.seed}")
    soaks = [on_the_fake(options.calls, options.seed)] if options.calls else []
    if options.lab:
        soaks.append(on_the_lab(options.lab, options.seed))
    for soak in soaks:
        for words in soak.found.words[:50]:
            say(words)
    for soak in soaks:
        print(soak.summary())
    return 1 if any(soak.broken for soak in soaks) else 0


if __name__ == "__main__":
    sys.exit(main())
