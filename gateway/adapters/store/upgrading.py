"""Opening the file for good: a new one is made, an older one is backed up and then migrated, a newer one refused."""

from __future__ import annotations

import sqlite3
import stat
import time
from contextlib import closing, suppress
from pathlib import Path

import structlog

from gateway.adapters.store.copying import backup
from gateway.adapters.store.file import DatabaseRefused, connect, damaged, inspect, sound
from gateway.adapters.store.schema import MIGRATIONS

log = structlog.get_logger()

#: Seconds at a start for which a large file is looked through for damage; `voxgate db check` takes its time.
LOOK = 1.0
#: Backups that upgrades left and that are kept.
KEPT = 3


def prepare(path: Path, backups: Path) -> None:
    """Create or migrate the database. Raises :class:`DatabaseRefused`; never replaces a file.

    What an upgrade is about to change is copied into the folder ``backups`` first.
    """
    try:
        if path.exists() and path.stat().st_size:
            inspect(path)
            _keep_from_others(path)
            if not sound(path, LOOK):
                log.info("database.not_looked_through", path=str(path), mend="`voxgate db check` looks at all of it")
            _back_up_before_upgrade(path, backups)
        else:
            with suppress(OSError):  # SQLite says better why
                path.touch(mode=0o600)  # a new one; its write-ahead log takes these rights too
        with closing(connect(path)) as db:
            MIGRATIONS.apply(db)
    except sqlite3.DatabaseError as error:
        raise DatabaseRefused(damaged(path, error)) from error


def _keep_from_others(path: Path) -> None:
    """One that was made before there were secrets in it may be readable by everybody; a group is its owner's choice."""
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        with suppress(OSError):  # another user's, or not there
            if (mode := stat.S_IMODE(file.stat().st_mode)) & 0o007:
                file.chmod(mode & 0o770)


def _back_up_before_upgrade(path: Path, backups: Path) -> None:
    with closing(connect(path, readonly=True)) as db:
        pending = [one.name for one in MIGRATIONS.pending(db)]
        if not pending or not MIGRATIONS.applied(db):
            return
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    done = backup(path, backups / f"{path.stem}-before-{pending[-1]}-{stamp}.db")
    log.info("database.upgrading", backup=done.path, bytes=done.size, migrations=pending)
    for old in sorted(backups.glob(f"{path.stem}-before-*.db"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        old.unlink()
