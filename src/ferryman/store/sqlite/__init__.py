"""The SQLite store: one file, WAL, synchronous=FULL, one writer per process with group commit."""

from __future__ import annotations

from ferryman.store.sqlite.doorbell import Doorbell
from ferryman.store.sqlite.liveness import nodes_folder
from ferryman.store.sqlite.store import SqliteStore

__all__ = ["Doorbell", "SqliteStore", "nodes_folder"]
