"""What has a connection: one thread at a time uses it, and no fork happens while it is open.

SQLite keeps in memory, for the whole process, which file locks its connections hold. A forked child
inherits that memory, but not the locks: a connection of its own would count on locks that nobody holds.
When the parent then closes the file, SQLite sees no other user of it and deletes the write-ahead log, with
what the child has committed to it since. Nor may a thread be inside SQLite: the child would inherit its
mutexes locked, for ever.

    before:  wait for the step under way -> close -> fork -> after, in parent and child: go on

The parent connects again with its next step.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from ferryman.store.forks import AroundForks
from ferryman.store.sqlite.session import Session

T = TypeVar("T")

FORK_PATIENCE: Final = 10.0
"""Seconds for which a fork waits: longer than any step waits for a lock. It does not wait for a step that forks."""


class Turn:
    """What no fork comes between: held by whoever uses a connection, and by whoever forks."""

    def __init__(self, around_forks: AroundForks) -> None:
        self._in_use = threading.Lock()
        self._forking = 0
        """The thread that has taken the lock for its fork; only who holds the lock writes it."""
        around_forks(self.before_fork, self.after_fork)

    def before_fork(self) -> None:
        """Wait for whoever has the turn."""
        if self._in_use.acquire(timeout=FORK_PATIENCE):
            self._forking = threading.get_ident()
            self._let_go()

    def after_fork(self) -> None:
        """Give the turn back; runs in the parent and in the child."""
        if self._forking == threading.get_ident():
            self._forking = 0
            self._in_use.release()

    def _let_go(self) -> None:
        """Close what is open; the turn is held."""


class Connected(Turn):
    """One session, made anew after each fork."""

    def __init__(self, around_forks: AroundForks) -> None:
        self._session: Session | None = None
        self._make: Callable[[], Session] | None = None
        super().__init__(around_forks)

    def connect(self, make: Callable[[], Session]) -> None:
        """Connect, now and after forks."""
        with self._in_use:
            self._session = make()
            self._make = make

    def use(self, step: Callable[[], T]) -> T:
        """Run a step while no other thread is in one. Raises StoreError: it cannot connect again."""
        with self._in_use:
            if self._session is None and self._make is not None:
                self._session = self._make()
            return step()

    def disconnect(self) -> None:
        """Close for good. Idempotent."""
        with self._in_use:
            self._make = None
            self._close()

    def _let_go(self) -> None:
        with suppress(sqlite3.Error):
            self._close()

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.connection.close()
