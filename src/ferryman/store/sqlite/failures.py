"""From SQLite's errors to errors for people."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from ferryman.domain.errors import (
    DatabaseReadOnly,
    NotADatabase,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
)

SYNC_FAILED: Final = frozenset(
    {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE}
)
"""After one of these nobody knows what reached the disk; going on could lose accepted jobs."""


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection holds the lock."""
    return _primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_fatal(error: sqlite3.Error) -> bool:
    """Whether the process must end, so that nothing is accepted on top of an unknown file."""
    return getattr(error, "sqlite_errorcode", None) in SYNC_FAILED


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """The coded error for one of SQLite's."""
    match _primary(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(
                f"The database {path} is locked by somebody else.",
                why="Another process held the write lock for too long; nothing was written.",
                hint="Try again. If it stays, look for a program that holds a transaction open on this file.",
            )
        case sqlite3.SQLITE_FULL:
            return StoreFull(
                f"The disk of {path} is full.",
                why="Nothing was written.",
                hint="Free space; the store goes on by itself.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return DatabaseReadOnly(
                f"The database {path} cannot be written.",
                why=f"SQLite says: {error}.",
                hint="Give this user write permission for the file and its folder (SQLite puts two files beside it).",
            )
        case sqlite3.SQLITE_NOTADB:
            return NotADatabase(
                f"{path} is not a SQLite database.",
                hint="Give DATABASE_URL another path, or move that file away.",
            )
        case _:
            return StoreFailed(
                f"SQLite failed on {path}: {error}.",
                hint="Check the disk; `sqlite3 FILE 'pragma integrity_check'` tells whether the file is sound.",
            )


def _primary(error: sqlite3.Error) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
