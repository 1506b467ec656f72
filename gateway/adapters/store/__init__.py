"""The queue in SQLite: schema, one writer thread with group commit, and the Store port over them."""

from gateway.adapters.store.access import SqliteAccess
from gateway.adapters.store.books import SqliteBooks
from gateway.adapters.store.checking import check
from gateway.adapters.store.copying import backup
from gateway.adapters.store.file import DatabaseRefused, StoreLocked
from gateway.adapters.store.recent import Recent, recent
from gateway.adapters.store.restoring import restore, vacuum
from gateway.adapters.store.sqlite import SqliteStore
from gateway.adapters.store.sweeping import SqliteSweeps

__all__ = [
    "DatabaseRefused",
    "Recent",
    "SqliteAccess",
    "SqliteBooks",
    "SqliteStore",
    "SqliteSweeps",
    "StoreLocked",
    "backup",
    "check",
    "recent",
    "restore",
    "vacuum",
]
