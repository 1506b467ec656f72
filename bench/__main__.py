"""Run every benchmark and end with one summary line."""

from __future__ import annotations

import sys

from bench import api, claim, export, intake, interpreter, load, pages, retention, setup

BENCHES = (interpreter, load, claim, retention, export, intake, api, pages, setup)


def main() -> int:
    lines = [part() for bench in BENCHES for part in bench.parts()]
    print("bench: " + "; ".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
