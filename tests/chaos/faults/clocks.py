"""A wall clock that steps, through libfaketime: the monotonic clock goes on, as it does where an operator sets the time."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime
from pathlib import Path

from lab import fetch
from tests.chaos.faults.fault import Fault, Scene

HOUR = 3600


@functools.cache
def _library() -> Path:
    """libfaketime for programs with threads. Raises :class:`FetchFailed`."""
    root = fetch.unpacked("faketime", ("libfaketime",), suite="bookworm", size="10 MB")  # the oldest libc of all
    return next(iter(root.glob("usr/lib/*/faketime/libfaketimeMT.so.1")))


class SteppedClock(Fault):
    """The gateway's wall clock is so many seconds ahead."""

    _ahead = 0

    @staticmethod
    def why_not() -> str | None:
        try:
            _library()
        except (fetch.FetchFailed, StopIteration) as error:
            return f"libfaketime could not be had: {error}"
        return None

    def environment(self, folder: Path) -> dict[str, str]:
        self._file = folder / "clock"
        self.step(0)
        return {
            "LD_PRELOAD": str(_library()), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }  # fmt: skip

    def step(self, by: int) -> None:
        self._ahead += by
        part = self._file.with_suffix(".part")
        part.write_text(f"{self._ahead:+d}\n")
        part.rename(self._file)

    def hurry(self, steps: int, by: int) -> None:
        for _ in range(steps):
            self.step(by)
            time.sleep(0.5)


class ClockSteps(SteppedClock):
    """What falls due in an hour that was taken back waits for it; at the end the clock goes on to where it was."""

    name, words, times = "clock steps", "the wall clock steps an hour back or forward", 3

    def strike(self, scene: Scene) -> None:
        self.step(scene.rng.choice((-HOUR, HOUR)))

    def finish(self, scene: Scene) -> None:
        self.step(4 * HOUR)


class _Change(SteppedClock):
    """The campaign runs over the change of its account's zone, which the gateway's own is too."""

    at: datetime

    def environment(self, folder: Path) -> dict[str, str]:
        self._ahead = round(self.at.timestamp() - time.time()) - 12
        return {**super().environment(folder), "TZ": "America/New_York"}

    def strike(self, scene: Scene) -> None:
        """Time itself does."""


class SummerTimeEnds(_Change):
    name, words = "summer time ends", "a campaign over the hour that comes twice"
    at = datetime(2026, 11, 1, 6, tzinfo=UTC)


class SummerTimeBegins(_Change):
    name, words = "summer time begins", "a campaign over the hour that is missing"
    at = datetime(2027, 3, 14, 7, tzinfo=UTC)
