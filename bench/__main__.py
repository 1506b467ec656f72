"""Run every benchmark and end with one summary line."""

from __future__ import annotations

import sys

from bench import api, claim, export, intake, interpreter, load, setup


def main() -> int:
    lines = [part() for bench in (interpreter, load, claim, export, intake, api, setup) for part in bench.parts()]
    print("bench: " + "; ".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
