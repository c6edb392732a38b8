"""A connection for a handler: inside a transaction that somebody else begins, ends, and may take away.

    handler's thread or loop:  takes the turn  ->  is it still open?  ->  one statement  ->  gives the turn back
    whoever lets it expire:    shuts it  ->  interrupts until it has the turn  ->  rolls back, closes

The turn is a lock of ours around SQLite's own: the authorizer is a Python function that SQLite calls with its
lock held, so two threads inside one connection could each wait for what the other has (the interpreter, SQLite).
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final, NoReturn, Self, cast

from ferryman.domain.errors import StoreError, TransactionImpossible

_DENIED: Final = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_INTERRUPT_SECONDS: Final = 0.005
"""An interrupt meets nobody when its statement is just about to begin, so it is said again."""


class GuardedCursor(sqlite3.Cursor):
    """Every step of it asks its connection first."""

    @property
    def _guard(self) -> GuardedConnection:
        return cast("GuardedConnection", self.connection)

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """As sqlite3's."""
        with self._guard.step():
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        """As sqlite3's."""
        with self._guard.step():
            return super().executemany(sql, parameters)

    def executescript(self, _script: str, /) -> Self:
        """Refused: sqlite3 commits before it runs a script."""
        refuse("executescript")

    def fetchone(self) -> Any:
        """As sqlite3's."""
        with self._guard.step():
            return super().fetchone()

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        """As sqlite3's."""
        with self._guard.step():
            return super().fetchmany(size)

    def fetchall(self) -> list[Any]:
        """As sqlite3's."""
        with self._guard.step():
            return super().fetchall()

    def __next__(self) -> Any:
        """As sqlite3's."""
        with self._guard.step():
            return super().__next__()


class GuardedConnection(sqlite3.Connection):
    """Runs statements while its transaction is open; neither ends that nor leaves its file."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.turn = threading.RLock()
        self._guarded = False
        self.on_closed: Callable[[], None] = _nothing
        """Called once it is closed."""
        self.why_shut: Callable[[], StoreError] | None = None
        """Makes the error of every further statement."""
        self._denied = False
        self._cursors: weakref.WeakSet[GuardedCursor] = weakref.WeakSet()

    # -- for the handler -------------------------------------------------------------------------

    def cursor(self, factory: Any = None) -> Any:
        """A cursor. One of a class of the caller's own would not be guarded, and is refused."""
        if factory is not None:
            refuse("cursor(factory)")
        made = GuardedCursor(self)
        made.row_factory = self.row_factory
        self._cursors.add(made)
        return made

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As sqlite3's, whose own makes its cursor without asking `cursor`."""
        made: sqlite3.Cursor = self.cursor().execute(sql, parameters)
        return made

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As sqlite3's."""
        made: sqlite3.Cursor = self.cursor().executemany(sql, parameters)
        return made

    def commit(self) -> None:
        """Refused."""
        refuse("commit")

    def rollback(self) -> None:
        """Refused."""
        refuse("rollback")

    def close(self) -> None:
        """Refused, once it is guarded."""
        if self._guarded:
            refuse("close")
        super().close()

    def __enter__(self) -> Self:
        """Refused: leaving it would commit."""
        refuse("with connection")

    def executescript(self, _script: str, /) -> sqlite3.Cursor:
        """Refused: sqlite3 commits before it runs a script."""
        refuse("executescript")

    def blobopen(self, *_args: Any, **_options: Any) -> sqlite3.Blob:
        """Refused: a blob goes past the guard."""
        refuse("blobopen")

    def set_authorizer(self, *_args: Any, **_options: Any) -> None:
        """Refused: it is in use."""
        refuse("set_authorizer")

    def set_progress_handler(self, *_args: Any, **_options: Any) -> None:
        """Refused: it would be called by whoever ends the transaction."""
        refuse("set_progress_handler")

    def set_trace_callback(self, *_args: Any, **_options: Any) -> None:
        """Refused: it would be called by whoever ends the transaction."""
        refuse("set_trace_callback")

    # -- for its cursors -------------------------------------------------------------------------

    @contextmanager
    def step(self) -> Generator[None]:
        """Within this, one step of a statement. Raises why that cannot be."""
        with self.turn:
            if self._guarded:
                self.require_open()
            self._denied = False
            try:
                yield
            except sqlite3.Error as error:
                if self.why_shut is not None:
                    raise self.why_shut() from error
                if self._denied:
                    refuse("BEGIN, COMMIT, ROLLBACK, ATTACH and DETACH")
                raise

    # -- for whoever owns the transaction --------------------------------------------------------

    def guard(self) -> None:
        """From now on statements can neither end the transaction nor reach other files."""
        super().set_authorizer(self._authorize)
        self._guarded = True

    def require_open(self) -> None:
        """Raises why there is no transaction any more."""
        if self.why_shut is not None:
            raise self.why_shut()
        if not self.in_transaction:
            raise TransactionImpossible(
                "SQLite has rolled this transaction back.",
                why="It does so after some errors, such as a full disk or ON CONFLICT ROLLBACK.",
                hint="Let the error that came before end the handler.",
            )

    def shut(self, why: Callable[[], StoreError]) -> None:
        """Let no further statement begin, and interrupt one that runs; when this returns, the turn is the caller's."""
        self.why_shut = why
        while not self.turn.acquire(timeout=_INTERRUPT_SECONDS):
            self.interrupt()

    def end(self, statement: str, why: Callable[[], StoreError]) -> None:
        """Commit or roll back, and close, with the turn held. A commit that fails leaves all open."""
        super().set_authorizer(None)  # what follows calls no Python function while it has SQLite's lock
        for cursor in list(self._cursors):
            cursor.close()  # one that has not come to its end would keep its snapshot, and the file
        if self.in_transaction:
            sqlite3.Cursor(self).execute(statement)
        self.why_shut = self.why_shut or why
        super().close()
        closed, self.on_closed = self.on_closed, _nothing
        closed()

    def _authorize(self, action: int, *_: str | None) -> int:
        if action not in _DENIED:
            return sqlite3.SQLITE_OK
        self._denied = True
        return sqlite3.SQLITE_DENY


def _nothing() -> None:
    """Nobody waits for its end."""


def refuse(what: str) -> NoReturn:
    """Raises TransactionImpossible."""
    raise TransactionImpossible(
        f"{what} cannot be used inside a handler's transaction.",
        why="It commits with the run's completion when its block ends, and is rolled back when the block raises.",
        hint="Let the block end, or raise. SAVEPOINT works.",
    )
