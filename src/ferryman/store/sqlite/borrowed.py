"""Our statements on a connection that somebody else has set up, and goes on using."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


class Borrowed:
    """A connection as our statements need it, whatever factories of rows, cursors and texts its owner has set."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement with a cursor of our own."""
        return sqlite3.Cursor(self._connection).execute(sql, parameters)

    def close(self) -> None:
        """It is not ours to close."""


@contextmanager
def borrow(connection: sqlite3.Connection) -> Generator[Borrowed]:
    """Lend a connection to our statements; afterwards it is as it was."""
    texts = connection.text_factory
    connection.text_factory = str
    try:
        yield Borrowed(connection)
    finally:
        connection.text_factory = texts
