"""The SQLite store: one file, WAL, synchronous=FULL, one writer per process with group commit."""

from ferryman.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
