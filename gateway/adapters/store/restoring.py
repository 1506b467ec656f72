"""What is done to the file while no gateway runs: a backup put in its place, and free pages given back."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from gateway.adapters.store.checking import check
from gateway.adapters.store.copying import backup, sync
from gateway.adapters.store.file import DatabaseRefused, connect, inspect, lock
from gateway.core.access import OPERATOR
from gateway.core.upkeep import Restored
from gateway.ports import StoreError

#: Ids that calls may have been given since a backup was taken, where the database itself can no longer tell.
SKIPPED_IDS = 100_000


def restore(path: Path, source: Path, stamp: str, *, pause: bool = True) -> Restored:
    """Put a backup in the database's place; what was there is kept beside it, named by ``stamp``.

    Every campaign is paused: the backup does not know which of its waiting calls were dialed after it was taken.
    Raises :class:`StoreLocked` while a gateway runs, :class:`DatabaseRefused` where the backup cannot be used.
    """
    held = lock(path)
    part = path.with_name(f"{path.name}.part")
    try:
        faults = check(source, quick=True).faults
        if faults:
            raise DatabaseRefused(f"{source} is no sound backup: {faults[0]}")
        part.unlink(missing_ok=True)
        backup(source, part)
        paused = _made_safe(part, _newest_id(path), pause, source)
        replaced = _kept(path, stamp)
        part.replace(path)
        sync(path.parent)
        return Restored(None if replaced is None else str(replaced), paused)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{source} could not be restored: {error}") from error
    finally:
        part.unlink(missing_ok=True)
        held.close()


def _newest_id(path: Path) -> int | None:
    """The newest call id that the database in place gave out; None where it cannot tell."""
    if not path.exists():
        return None
    try:
        with closing(connect(path, readonly=True)) as db:
            return int(db.conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'call'").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return None


def _made_safe(path: Path, newest: int | None, pause: bool, source: Path) -> tuple[str, ...]:
    with closing(connect(path)) as db:
        execute = db.conn.execute
        execute("BEGIN IMMEDIATE")
        active = execute("SELECT id, name FROM campaign WHERE state = 'active' ORDER BY id").fetchall()
        if pause:
            execute("UPDATE campaign SET state = 'paused' WHERE state = 'active'")
        # A call id is never used again, and clients know those that were given out since.
        execute("INSERT INTO sqlite_sequence SELECT 'call', 0 WHERE 'call' NOT IN (SELECT name FROM sqlite_sequence)")
        execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ifnull(?, seq + ?)) WHERE name = 'call'", (newest, SKIPPED_IDS)
        )
        if "audit" in db.table_names():  # what was changed since the backup was taken is undone by it
            execute(
                "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, 'database.restore', ?, ?)",
                (round(time.time() * 1000), OPERATOR, str(source), "" if pause else "no campaign is paused"),
            )
        execute("COMMIT")
        execute("PRAGMA journal_mode = DELETE")
    return tuple(f"{ident} ({name})" for ident, name in active) if pause else ()


def _kept(path: Path, stamp: str) -> Path | None:
    """Keep what was there under a second name: a crash from here on never leaves the place empty."""
    if not path.exists():
        return None
    with suppress(sqlite3.Error), closing(connect(path)) as db:
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = path.with_name(f"{path.name}.before-restore-{stamp}")
    for suffix in ("-wal", "-shm"):  # there only where the file is too damaged for a checkpoint
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
    kept.hardlink_to(path)
    return kept


def vacuum(path: Path) -> tuple[int, int]:
    """Rewrite the file without its free pages; its size in bytes before and after.

    It would hold up every claim for as long as it takes, so no gateway may run: raises :class:`StoreLocked`.
    """
    if not path.exists():
        raise DatabaseRefused(f"{path} does not exist: name it in [database] path")
    held = lock(path)
    try:
        inspect(path)
        with closing(connect(path)) as db:
            db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            before = path.stat().st_size
            db.conn.execute("VACUUM")
            db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before, path.stat().st_size
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path} could not be compacted: {error}") from error
    finally:
        held.close()
