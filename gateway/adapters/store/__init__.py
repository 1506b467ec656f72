"""The queue in SQLite: schema, one writer thread with group commit, and the Store port over them."""

from gateway.adapters.store.access import SqliteAccess
from gateway.adapters.store.books import SqliteBooks
from gateway.adapters.store.sqlite import SqliteStore
from gateway.adapters.store.writer import DatabaseRefused, StoreLocked

__all__ = ["DatabaseRefused", "SqliteAccess", "SqliteBooks", "SqliteStore", "StoreLocked"]
