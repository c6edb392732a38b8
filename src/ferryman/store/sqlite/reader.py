"""The reading side: one read-only connection on a thread of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ferryman.domain.errors import StoreClosed
from ferryman.store.forks import AroundForks
from ferryman.store.protocol import Runner
from ferryman.store.sqlite.connected import Connected
from ferryman.store.sqlite.database import connect
from ferryman.store.sqlite.failures import explain
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import Statements

Result = TypeVar("Result")


class Reader(Connected):
    """Runs reads, each over one snapshot."""

    def __init__(self, runner: Runner, path: Path, around_forks: AroundForks) -> None:
        super().__init__(around_forks)
        self._runner = runner
        self._path = path

    async def open(self, statements: Statements) -> None:
        """Connect, after the writer has migrated."""
        await self._runner.run(lambda: self.connect(lambda: Session(connect(self._path, read_only=True), statements)))

    async def do(self, request: Callable[[Session], Result]) -> Result:
        """Run one read.

        Raises:
            StoreError: the file cannot be read.
        """
        return await self._runner.run(lambda: self.use(lambda: self._within(request)))

    def _within(self, request: Callable[[Session], Result]) -> Result:
        session = self._session
        if session is None:
            raise StoreClosed("The store is closed.", hint="Open it before use.")
        try:
            session.connection.execute("BEGIN")
            try:
                return request(session)
            finally:
                session.connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._runner.run(self.disconnect)
        await self._runner.close()
