"""Jobs in somebody else's transaction on the store's file: they exist iff that commits."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from ferryman.domain.bounds import Bound
from ferryman.domain.errors import TransactionImpossible
from ferryman.domain.job import NewJob
from ferryman.store.protocol import Declaration, Receipt
from ferryman.store.sqlite.borrowed import Borrowed, borrow
from ferryman.store.sqlite.database import APPLICATION_ID
from ferryman.store.sqlite.failures import explain
from ferryman.store.sqlite.guarded import GuardedConnection
from ferryman.store.sqlite.inserting import insert
from ferryman.store.sqlite.nodes import known_types
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import Statements, migrations
from ferryman.store.transactions import Entry

FULL: Final = 2


class SqliteJoins:
    """Joins transactions on one file."""

    def __init__(self, path: Path, statements: Statements) -> None:
        self._path = path
        self._statements = statements

    def insert(self, connection: Any, entry: Entry) -> list[Receipt]:
        """See `Joins.insert`."""
        with self.join(connection) as joined:
            jobs = entry.admit(joined.known_types() if entry.asks else None)
            return joined.insert(jobs, entry.now, entry.max_pending)

    async def ainsert(self, connection: Any, entry: Entry) -> list[Receipt]:
        """See `Joins.ainsert`. The statements run here, as those of the connection's owner do."""
        return self.insert(connection, entry)

    @contextmanager
    def join(self, connection: Any) -> Generator[SqliteJoined]:
        """Write in the transaction that is open on a connection; what fails leaves nothing of ours in it."""
        if not isinstance(connection, sqlite3.Connection):
            raise TransactionImpossible(
                f"tx cannot be a {type(connection).__name__}.",
                why="The store is a SQLite file, so it takes a sqlite3 connection of that file.",
                hint="A SQLAlchemy Session or Connection over Python's own driver (sqlite:///..) is one, too.",
            )
        turn = connection.step() if isinstance(connection, GuardedConnection) else nullcontext()
        with turn, borrow(connection) as lent:
            try:
                with self._within(connection, lent):
                    session = Session(lent, self._statements)
                    yield SqliteJoined(session)
                    session.conclude()
            except sqlite3.ProgrammingError:
                raise  # it is closed, or belongs to another thread
            except sqlite3.Error as error:
                raise explain(error, self._path) from error

    @contextmanager
    def _within(self, connection: sqlite3.Connection, lent: Borrowed) -> Generator[None]:
        """Inside the transaction; what fails leaves nothing of ours in it."""
        self._check(lent)
        begun = self._begin(connection, lent)
        lent.execute("SAVEPOINT ferryman")
        try:
            yield
        except BaseException:
            if begun:
                lent.execute("ROLLBACK")
            elif lent.in_transaction:  # SQLite may have rolled back all of it
                lent.execute("ROLLBACK TO ferryman")
                lent.execute("RELEASE ferryman")
            raise
        lent.execute("RELEASE ferryman")

    def _check(self, lent: Borrowed) -> None:
        """Refuse a connection to another file, or one whose commit could be lost. Raises TransactionImpossible."""
        files = {row[1]: row[2] for row in lent.execute("PRAGMA database_list").fetchall()}
        if not files["main"] or os.path.realpath(files["main"]) != os.path.realpath(self._path):
            raise TransactionImpossible(
                f"The transaction is on {files['main'] or 'a database in memory'}, the store is {self._path}.",
                why="Two files do not commit together.",
                hint="Keep your tables in the store's file: open it with a connection of your own.",
            )
        owner, version, newest = (
            lent.execute("PRAGMA application_id").fetchone()[0],
            lent.execute("PRAGMA user_version").fetchone()[0],
            migrations()[-1][0],
        )
        if owner != APPLICATION_ID or version != newest:
            raise TransactionImpossible(
                f"{self._path} does not have the tables of this version of Ferryman.",
                why="They are made or brought up to date by the first node, or the first enqueue without tx.",
                hint="Start a node first, or call app.wake() once, outside of any transaction.",
            )
        if lent.execute("PRAGMA synchronous").fetchone()[0] < FULL:
            raise TransactionImpossible(
                "The connection commits with synchronous=OFF or NORMAL.",
                why="A power cut could take a job back that was committed.",
                hint="Run PRAGMA synchronous = FULL on it before its transactions.",
            )

    def _begin(self, connection: sqlite3.Connection, lent: Borrowed) -> bool:
        """Begin where sqlite3 would have begun before its first write. Returns whether that was needed."""
        if lent.in_transaction:
            return False
        if connection.isolation_level is None or getattr(connection, "autocommit", -1) is True:
            raise TransactionImpossible(
                "No transaction is open on the connection.",
                why="It commits each statement by itself.",
                hint="Begin one first: connection.execute('BEGIN IMMEDIATE').",
            )
        lent.execute("BEGIN IMMEDIATE")
        return True


class SqliteJoined:
    """Somebody's own transaction, as far as we write in it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def known_types(self) -> Mapping[str, Declaration]:
        """As `Store.known_types`."""
        return known_types(self._session)

    def insert(self, jobs: Sequence[NewJob], now: int, max_pending: Bound) -> list[Receipt]:
        """As `Store.insert`; the jobs are durable, and others see them, iff the transaction commits."""
        return insert(self._session, jobs, now, None, max_pending).receipts
