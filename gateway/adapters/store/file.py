"""The database file: who owns it, how it is opened, and whether it is one of ours."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import IO

from sqlite_utils import Database

from gateway.adapters.store.schema import MIGRATIONS, known_migrations
from gateway.ports import StoreError


class StoreLocked(StoreError):
    """Another process owns the database."""


class DatabaseRefused(StoreError):
    """The file is damaged, no Voxgate database, or of a newer version."""


def lock(path: Path) -> IO[str]:
    """Take the database's lock for this process's life.

    Raises :class:`StoreLocked` naming who has it, :class:`DatabaseRefused` where nothing can be written there.
    """
    try:
        return _locked(path)
    except OSError as error:
        raise DatabaseRefused(
            f"{path} cannot be written: {error.strerror}. Nothing was changed. Make room on its disk, mount it"
            " writable, or give this user the right to its folder"
        ) from error


def _locked(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = Path(f"{path}.lock").open("a+")  # noqa: SIM115 - held open for the process's life
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        file.close()
        raise StoreLocked(
            f"{path} is in use by the gateway with pid {pid}: stop it first, or let commands go through it"
        ) from None
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), str(os.getpid()).encode())
    except OSError:
        file.close()
        raise
    return file


def connect(path: Path, *, readonly: bool = False) -> Database:
    """Open with the settings that every connection of ours has."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    if readonly:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
    return Database(connection)


def inspect(path: Path) -> None:
    """Look at a file without writing to it: even the journal mode of a file that is not ours stays as it is."""
    db = connect(path, readonly=True)
    try:
        tables = set(db.table_names())
        if tables and MIGRATIONS.migrations_table not in tables:
            raise DatabaseRefused(f"{path} is an SQLite database of some other program: choose another path")
        if newer := {one.name for one in MIGRATIONS.applied(db)} - known_migrations():
            raise DatabaseRefused(
                f"{path} was made by a newer Voxgate (it has {', '.join(sorted(newer))}): "
                "upgrade the gateway, or restore the backup of the older version"
            )
    finally:
        db.close()


def damaged(path: Path, error: object) -> str:
    return (
        f"{path} cannot be used: {error}. Nothing was changed. Keep a copy, then restore a backup"
        f" (`voxgate db restore`), or try `sqlite3 {path} .recover`"
    )


def sound(path: Path, within: float) -> bool:
    """Look for damage for at most ``within`` seconds; False where that was too short to see everything.

    Raises :class:`DatabaseRefused` where there is damage.
    """
    deadline = time.monotonic() + within
    with closing(connect(path, readonly=True)) as db:
        db.conn.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            (found,) = db.conn.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                return False
            raise
    if found != "ok":
        raise DatabaseRefused(damaged(path, found))
    return True
