"""The counters that change with every state: calls by state of a campaign, and calls that wait for a trunk."""

from __future__ import annotations

from collections import Counter

from sqlite_utils import Database

from gateway.core.model import CallState
from gateway.core.states import WAITING


class Counts:
    """Collects one transaction's changes, over all its jobs, and writes them at its end.

    Within the transaction ``lane`` and ``tally`` may therefore be behind; whoever must not miss a call writes first.
    """

    def __init__(self) -> None:
        self._tally: Counter[tuple[int, str]] = Counter()
        self._lanes: Counter[tuple[int, str]] = Counter()

    def added(self, campaign: int, trunk: str, state: CallState, calls: int = 1) -> None:
        self._tally[campaign, state] += calls
        if state in WAITING:
            self._lanes[campaign, trunk] += calls

    def moved(self, campaign: int, trunk: str, old: CallState, new: CallState) -> None:
        self._tally[campaign, old] -= 1
        self._tally[campaign, new] += 1
        self._lanes[campaign, trunk] += (new in WAITING) - (old in WAITING)

    def rerouted(self, campaign: int, old_trunk: str, new_trunk: str) -> None:
        self._lanes[campaign, old_trunk] -= 1
        self._lanes[campaign, new_trunk] += 1

    def forget(self, campaign: int) -> None:
        """The campaign is removed in this transaction."""
        for changes in (self._tally, self._lanes):
            for key in [one for one in changes if one[0] == campaign]:
                del changes[key]

    def write(self, db: Database) -> None:
        execute = db.conn.execute
        for (campaign, state), change in self._tally.items():
            if change:
                execute(
                    "INSERT INTO tally VALUES (?1, ?2, max(0, ?3)) ON CONFLICT DO UPDATE SET calls = calls + ?3",
                    (campaign, state, change),
                )
        for (campaign, trunk), change in self._lanes.items():
            if change:
                execute(
                    "INSERT INTO lane VALUES (?1, ?2, max(0, ?3)) ON CONFLICT DO UPDATE SET waiting = waiting + ?3",
                    (campaign, trunk, change),
                )
        self._tally.clear()
        self._lanes.clear()
