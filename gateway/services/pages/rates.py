"""How fast campaigns go on, from the feed: calls that ended in the last minutes."""

from __future__ import annotations

from collections import Counter, deque

from gateway.core.model import CampaignId, Millis
from gateway.core.states import ENDED
from gateway.services.feed import EventKind, Feed

WINDOW = 5  # minutes
_MINUTE = 60_000


class Rates:
    """:meth:`run` listens; memory is bounded by the campaigns that ended a call within the window."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._minutes: deque[tuple[int, Counter[CampaignId]]] = deque(maxlen=WINDOW + 1)
        self._since: int | None = None

    async def run(self) -> None:
        listener = self._feed.listen()
        async for event in listener:
            if event.kind == EventKind.CALL_CHANGED and event.data.get("state") in ENDED:
                self.ended(CampaignId(int(event.data["campaign_id"] or 0)), event.at)

    def ended(self, campaign: CampaignId, at: Millis) -> None:
        minute = at // _MINUTE
        if self._since is None:
            self._since = at
        if not self._minutes or self._minutes[-1][0] < minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1][campaign] += 1

    def per_minute(self, campaign: CampaignId, now: Millis) -> float:
        """Calls a minute over the window, or over the time that there was yet."""
        if self._since is None:
            return 0.0
        first = now // _MINUTE - WINDOW + 1
        count = sum(counter[campaign] for minute, counter in self._minutes if minute >= first)
        start = max(self._since, first * _MINUTE)
        return count / max((now - start) / _MINUTE, 1 / 6)
