"""What the System page shows of the last minutes: attempts and answers by trunk, and how fast Asterisk answers."""

from __future__ import annotations

from collections import Counter, deque

from gateway.core.model import Millis
from gateway.happenings import AmiPinged, Happening
from gateway.services.feed import EventKind, Feed

WINDOW_MS = 5 * 60_000
_STEP_MS = 10_000


class Gauges:
    """``ami_lag`` is the last Ping's round trip in seconds. :meth:`run` listens to the feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.ami_lag: float | None = None
        self._steps: deque[tuple[int, Counter[tuple[str, str]]]] = deque(maxlen=WINDOW_MS // _STEP_MS + 1)
        self._since: int | None = None

    def saw(self, happening: Happening) -> None:
        if isinstance(happening, AmiPinged):
            self.ami_lag = happening.seconds

    async def run(self) -> None:
        async for event in self._feed.listen():
            if event.kind in (EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_ANSWERED):
                self.count(str(event.data.get("trunk")), event.kind, event.at)

    def count(self, trunk: str, kind: str, at: Millis) -> None:
        if self._since is None:
            self._since = at
        step = at // _STEP_MS
        if not self._steps or self._steps[-1][0] < step:
            self._steps.append((step, Counter()))
        self._steps[-1][1][trunk, kind] += 1

    def trunk(self, name: str, now: Millis) -> tuple[int, int, float]:
        """Attempts and answers in the window, and attempts a second over it or over the time that there was yet."""
        first = (now - WINDOW_MS) // _STEP_MS
        recent = [counter for step, counter in self._steps if step > first]
        started = sum(counter[name, EventKind.ATTEMPT_STARTED] for counter in recent)
        answered = sum(counter[name, EventKind.ATTEMPT_ANSWERED] for counter in recent)
        seconds = 1.0 if self._since is None else max(1.0, (now - max(self._since, now - WINDOW_MS)) / 1000)
        return started, answered, started / seconds
