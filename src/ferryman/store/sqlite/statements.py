"""The SQL files, one statement each, read once per store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

CHUNKS: Final = (256, 32, 4, 1)
"""How many rows one prepared insert may take; few sizes, so that every one stays prepared."""


# read as files: importlib.resources would cost a fifth of the time that `import ferryman` takes
FOLDER: Final = Path(__file__).parents[1] / "sql" / "sqlite"


class Connection(Protocol):
    """What our statements need of a connection: the store's own, or one that somebody lends."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, sql: str, parameters: Any = ..., /) -> sqlite3.Cursor:
        """Run a statement whose rows come as tuples, and texts as `str`."""
        ...

    def close(self) -> None:
        """Let go of the file."""


class Statements:
    """Every statement of the SQLite store, by the name of its file."""

    def __init__(self) -> None:
        self._texts = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.sql")}
        self._expanded: dict[tuple[str, int], str] = {}

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def rows(self, name: str, count: int) -> str:
        """The statement with its one VALUES row repeated `count` times."""
        known = self._expanded.get((name, count))
        if known is None:
            head, keyword, rest = self._texts[name].partition("VALUES ")
            row, closing, tail = rest.partition(")")
            known = head + keyword + ", ".join([row + closing] * count) + tail
            self._expanded[name, count] = known
        return known


def migrations() -> list[tuple[int, str]]:
    """(number, script) of every migration, in order."""
    scripts = (FOLDER / "migrations").glob("*.sql")
    return sorted((int(path.name.split("_")[0]), path.read_text("utf-8")) for path in scripts)


def insert_rows(connection: Connection, statements: Statements, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert many rows with few steps.

    `executemany` steps once a row, and each step gives up the interpreter lock: beside a busy event loop
    that costs up to a switch interval a row (measured: 384 rows/s instead of 130,000). One statement
    for up to 256 rows takes the lock once, and is the fastest way besides.
    """
    for size, chunk in chunks(rows):
        connection.execute(statements.rows(name, size), tuple(chain.from_iterable(chunk)))


def chunks(rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[int, Sequence[tuple[object, ...]]]]:
    """Cut rows into runs of the sizes in CHUNKS, largest first."""
    start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            yield size, rows[start : start + size]
            start += size
