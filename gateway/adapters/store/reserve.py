"""Room on the disk that is kept for the calls that are live when it is full: their answers, ends and results."""

from __future__ import annotations

import os
import time
from pathlib import Path

import structlog

log = structlog.get_logger()

#: Bytes: what a few hundred calls write until they have ended, twice over (the write-ahead log, then the file).
SIZE = 8 * 1024 * 1024
#: Bytes that are given up at a time: others write to the disk as well.
STEP = 256 * 1024
#: Seconds between two tries to have the room again.
AGAIN = 1.0


class Reserve:
    """A file beside the database, given up bit by bit while the disk is full, and made again when there is room."""

    def __init__(self, database: Path) -> None:
        self._file = Path(f"{database}.reserve")
        self._tried = float("-inf")
        self._left = 0

    def keep(self) -> bool:
        """Have the room, now and then where it could not be had; whether all of it is held."""
        if self._left == SIZE or time.monotonic() - self._tried < AGAIN:
            return self._left == SIZE
        self._tried = time.monotonic()
        try:
            self._file.touch(mode=0o600)
            with self._file.open("ab") as file:
                self._left = file.tell()  # what it has: none of it is let go for the rest
                os.posix_fallocate(file.fileno(), 0, SIZE)
                self._left = SIZE
        except OSError:
            pass
        return self._left == SIZE

    def give_up(self) -> bool:
        """Let the database have some of the room; False where none is left."""
        if not self._left:
            return False
        if self._left == SIZE:
            log.error("store.disk_full", kept_for_live_calls=SIZE)
        self._left, self._tried = max(0, self._left - STEP), time.monotonic()
        try:
            os.truncate(self._file, self._left)
        except OSError:
            self._left = 0
            return False
        return True
