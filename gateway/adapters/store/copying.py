"""Copying the database while it is in use. Blocking: the gateway runs this in a thread."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gateway.adapters.store.file import connect
from gateway.core.upkeep import BackedUp, Progress
from gateway.ports import StoreError

#: Pages of one step of a copy, 4 MB; between two steps others have the disk for a moment.
STEP = 1024
PAUSE = 0.001


def _quietly(done: int, total: int) -> None:
    """Tells nobody."""


def backup(source: Path, target: Path, tell: Progress = _quietly) -> BackedUp:
    """Copy a database that may be in use, as it is at this moment, into one file that needs no other beside it.

    Raises :class:`StoreError`; ``target`` appears whole or not at all.
    """
    began = time.monotonic()
    if target.exists():
        raise StoreError(f"{target} exists already: name another file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        size, free = source.stat().st_size, shutil.disk_usage(target.parent).free
        if size > free:
            raise StoreError(f"{target.parent} has {free >> 20} MB free, and the copy needs {size >> 20} MB")
        part = target.with_name(f"{target.name}.part")
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))  # it holds numbers and PIN hashes
        try:
            _copy(source, part, tell)
            sync(part)
            part.rename(target)
            sync(target.parent)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the database could not be copied to {target}: {error}") from error
    return BackedUp(str(target), target.stat().st_size, time.monotonic() - began)


def _copy(source: Path, target: Path, tell: Progress) -> None:
    def stepped(status: int, remaining: int, total: int) -> None:
        tell(total - remaining, total)
        time.sleep(PAUSE)

    with closing(connect(source, readonly=True)) as db, closing(sqlite3.connect(target)) as copy:
        # A read that stays open holds the snapshot: without it every commit of the gateway would begin the copy anew.
        db.conn.execute("BEGIN")
        db.conn.execute("SELECT 1 FROM sqlite_schema").fetchone()
        db.conn.backup(copy, pages=STEP, progress=stepped)
        copy.execute("PRAGMA journal_mode = DELETE")
        if (found := copy.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise StoreError(f"the copy is damaged: {found}; run `voxgate db check`")


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
