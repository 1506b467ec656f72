"""Reads the gateway's database in a process of its own, which can be started where the gateway sees its disk."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

QUERIES = {
    "calls": "SELECT id, coalesce(message_reference, ''), dialed, state FROM call ORDER BY id",
    "attempts": "SELECT call_id, id, number, kind, coalesce(reason, '') FROM attempt ORDER BY call_id, number",
    "deliveries": "SELECT call_id, id, accepted_at IS NOT NULL, given_up_at IS NOT NULL FROM delivery",
}


class Reader:
    """``words`` come before the program, as those of ``voxgate serve``."""

    def __init__(self, database: Path, words: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*words, sys.executable, __file__, str(database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def rows(self) -> dict[str, list[Any]] | None:
        """The rows of each of :data:`QUERIES`, at one moment; None where the database cannot be read now."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        answer: dict[str, list[Any]] | None = json.loads(self._process.stdout.readline())
        return answer


def _read(path: str) -> dict[str, list[Any]] | None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2)) as db:
            db.execute("BEGIN")
            return {name: db.execute(sql).fetchall() for name, sql in QUERIES.items()}
    except sqlite3.Error:
        return None


if __name__ == "__main__":
    for _ in sys.stdin:
        print(json.dumps(_read(sys.argv[1])), flush=True)
