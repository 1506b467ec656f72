"""Uploaded lists that were previewed and wait for their form."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from gateway.core.model import AccountId, Millis
from gateway.ports import Clock
from gateway.services.intake.desk import Preview

KEPT_FOR_MS = 3600 * 1000
#: Lists kept at once; the oldest makes room.
MOST = 20


@dataclass(frozen=True, slots=True)
class KeptList:
    token: str
    account: AccountId
    path: Path
    preview: Preview
    at: Millis


class Shelf:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lists: dict[str, KeptList] = {}

    def keep(self, account: AccountId, path: Path, preview: Preview) -> KeptList:
        now = self._clock.now()
        for old in [one for one in self._lists.values() if now - one.at > KEPT_FOR_MS]:
            self.drop(old)
        kept = KeptList(secrets.token_urlsafe(16), account, path, preview, now)
        self.put(kept)
        return kept

    def put(self, kept: KeptList) -> None:
        while len(self._lists) >= MOST:
            self.drop(next(iter(self._lists.values())))
        self._lists[kept.token] = kept

    def take(self, kept: KeptList) -> None:
        """Off the shelf; the file is the taker's."""
        self._lists.pop(kept.token, None)

    def find(self, token: str) -> KeptList | None:
        return self._lists.get(token)

    def drop(self, kept: KeptList) -> None:
        self._lists.pop(kept.token, None)
        kept.path.unlink(missing_ok=True)

    def clear(self) -> None:
        for kept in list(self._lists.values()):
            self.drop(kept)
