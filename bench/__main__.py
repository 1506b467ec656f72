"""Run every benchmark and end with one summary line."""

from __future__ import annotations

import sys

from bench import api, claim, export, intake, interpreter, load, machines, pages, retention, setup, taps
from bench.common import BROKEN

BENCHES = (interpreter, load, claim, retention, export, intake, api, pages, setup, taps, machines)


def main() -> int:
    lines = [part() for bench in BENCHES for part in bench.parts()]
    print("bench: " + "; ".join(lines))
    return 1 if any(BROKEN in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
