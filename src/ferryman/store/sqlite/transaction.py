"""A handler's transaction: its own writes, its follow-ups and its completion in one commit.

BEGIN IMMEDIATE, because a transaction that begins by reading could not go on to write once the engine has
committed beside it: SQLite would refuse at its first write, and the handler would have to start again.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ferryman.domain.errors import ClaimLost, StoreError, TransactionImpossible, TransactionTimedOut
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish
from ferryman.store.forks import AroundForks
from ferryman.store.sqlite import finishing
from ferryman.store.sqlite.borrowed import borrow
from ferryman.store.sqlite.connected import Turn
from ferryman.store.sqlite.database import connect_as
from ferryman.store.sqlite.failures import explain, is_busy, is_fatal
from ferryman.store.sqlite.guarded import GuardedConnection
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import Statements
from ferryman.store.sqlite.writer import BUSY_SECONDS, PAUSE_SECONDS

GIVE_WAY_SECONDS: Final = 0.1
"""For so long a handler lets the store's own writer, which waits for the lock too, go first."""


class SqliteTransactions(Turn):
    """Begins transactions on one file, one at a time, each on a connection of its own; a fork waits for its end."""

    def __init__(
        self,
        path: Path,
        statements: Statements,
        *,
        monotonic: Callable[[], float],
        pauses: random.Random,
        on_fatal: Callable[[BaseException], None],
        writer_waits: Callable[[], bool],
        around_forks: AroundForks,
    ) -> None:
        super().__init__(around_forks)
        self._path = path
        self._statements = statements
        self._monotonic = monotonic
        self._pauses = pauses
        self._on_fatal = on_fatal
        self._writer_waits = writer_waits
        self._never = threading.Event()

    def begin(self, node: int, job: ClaimedJob) -> SqliteTransaction:
        """See `Transactions.begin`. The lock is taken here, so a claim that is held now is held at the commit."""
        self._in_use.acquire()
        try:
            connection = connect_as(GuardedConnection, self._path)
        except BaseException:
            self._in_use.release()
            raise
        connection.on_closed = self._in_use.release
        try:
            self._take_lock(connection)
            with borrow(connection) as lent:
                if not finishing.is_open(Session(lent, self._statements), node, job):
                    raise _lost(job)
            connection.guard()
        except BaseException as error:
            connection.end("ROLLBACK", _ended)
            if isinstance(error, sqlite3.Error):
                raise explain(error, self._path) from error
            raise
        return SqliteTransaction(connection, node, self)

    def _take_lock(self, connection: sqlite3.Connection) -> None:
        """Take the write lock; look again, at random short intervals, while somebody else has it or comes first."""
        connection.execute("PRAGMA busy_timeout = 0")
        start = self._monotonic()
        while True:
            waited = self._monotonic() - start
            try:
                if waited >= GIVE_WAY_SECONDS or not self._writer_waits():
                    connection.execute("BEGIN IMMEDIATE")
                    return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or waited >= BUSY_SECONDS:
                    raise
            self._never.wait(self._pauses.uniform(*PAUSE_SECONDS))

    def write(self, connection: GuardedConnection, node: int, finish: Finish, now: int) -> bool:
        """Write an outcome by the code of `Store.finish`; False if it is fenced."""
        with borrow(connection) as lent:
            session = Session(lent, self._statements)
            if finishing.finish(session, node, [finish], now).fenced:
                return False
            session.conclude()
            return True

    def explained(self, error: sqlite3.Error) -> Exception:
        """The error for people. A constraint that only the commit checks is the handler's own affair."""
        if is_fatal(error):
            self._on_fatal(error)
        return error if isinstance(error, sqlite3.IntegrityError) else explain(error, self._path)


class SqliteTransaction:
    """Implements `OpenTransaction`."""

    def __init__(self, connection: GuardedConnection, node: int, owner: SqliteTransactions) -> None:
        self._guarded = connection
        self._node = node
        self._owner = owner
        self._deciding = threading.Lock()
        self._decided = False

    @property
    def connection(self) -> sqlite3.Connection:
        """See `OpenTransaction.connection`."""
        return self._guarded

    def finish(self, finish: Finish, now: int) -> bool:
        """See `OpenTransaction.finish`."""
        connection = self._guarded
        if not self._decide():
            raise (connection.why_shut or _timed_out)()
        with connection.turn:
            try:
                connection.require_open()
                won = self._owner.write(connection, self._node, finish, now)
                connection.end("COMMIT" if won else "ROLLBACK", _ended)
            except BaseException as error:
                connection.end("ROLLBACK", _ended)
                if isinstance(error, sqlite3.Error):
                    raise self._owner.explained(error) from error
                raise
        return won

    def rollback(self) -> None:
        """See `OpenTransaction.rollback`."""
        if self._decide():
            with self._guarded.turn:
                self._guarded.end("ROLLBACK", _ended)

    def expire(self) -> None:
        """See `OpenTransaction.expire`."""
        if not self._decide():
            return
        self._guarded.shut(_timed_out)
        try:
            self._guarded.end("ROLLBACK", _timed_out)
        finally:
            self._guarded.turn.release()

    def _decide(self) -> bool:
        """Whether the caller is the one who ends it."""
        with self._deciding:
            first, self._decided = not self._decided, True
            return first


def _timed_out() -> StoreError:
    return TransactionTimedOut(
        "The transaction lasted longer than TRANSACTION_TIMEOUT and was rolled back.",
        why="Nobody else can write to the file meanwhile.",
        hint="Do slow work before it begins, or raise the setting.",
    )


def _ended() -> StoreError:
    return TransactionImpossible(
        "This transaction has ended.", hint="Read what you need of it before its block ends; do not keep its cursors."
    )


def _lost(job: ClaimedJob) -> ClaimLost:
    return ClaimLost(
        f"The run of job {job.id} under claim {job.number} is not this node's any more.",
        why="The node was taken for dead, or somebody has ended the job.",
        hint="Nothing was written; whoever has the claim now runs the job.",
    )
