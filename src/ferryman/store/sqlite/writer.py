"""The one writer of a process: groups what has piled up into one commit.

Each request of a group has its savepoint: one that fails is undone alone. Nothing is answered before
the commit has reached the disk.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from ferryman.domain.errors import FerrymanError, StoreClosed
from ferryman.store.forks import AroundForks
from ferryman.store.pile import Pile
from ferryman.store.protocol import Runner
from ferryman.store.sqlite.connected import Connected
from ferryman.store.sqlite.failures import explain, is_busy, is_fatal
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import Connection

Result = TypeVar("Result")
Request = Callable[[Session], Any]

GROUP_CAP: Final = 256
BUSY_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = (0.0001, 0.002)
"""Bounds of the random wait between two looks at a held lock: short, so that two processes take turns."""


class Writer(Connected):
    """Runs requests, each a function of the `Session`, in group commits."""

    def __init__(
        self,
        runner: Runner,
        path: Path,
        *,
        monotonic: Callable[[], float],
        pauses: random.Random,
        on_fatal: Callable[[BaseException], None],
        around_forks: AroundForks,
    ) -> None:
        super().__init__(around_forks)
        self._runner = runner
        self._path = path
        self._monotonic = monotonic
        self._pauses = pauses
        self._on_fatal = on_fatal
        self.waits = False
        """Whether a group is ready and another connection has the lock; who would take it next gives way."""
        self._never = threading.Event()
        self._pile: Pile[Request, Any] = Pile(self._write, GROUP_CAP)

    async def open(self, make: Callable[[], Session]) -> None:
        """Make the session on the writer's thread."""
        await self._runner.run(lambda: self.connect(make))

    async def do(self, request: Callable[[Session], Result]) -> Result:
        """Run one request; durable when this returns.

        Raises:
            StoreError: nothing of the request was stored, unless the commit itself failed to answer.
        """
        result: Result = await self._pile.submit(request)
        return result

    async def close(self) -> None:
        """Finish what was asked, then close the connection. Idempotent."""
        await self._pile.flush()
        await self._runner.run(self.disconnect)
        await self._runner.close()

    async def _write(self, requests: list[Request]) -> Sequence[Any]:
        return await self._runner.run(lambda: self.use(lambda: self._commit(requests)))

    def _commit(self, requests: list[Request]) -> list[Any]:
        """One group, on the writer's thread: begin, every request, commit."""
        session = self._session
        if session is None:
            raise StoreClosed("The store is closed.", hint="Open it again, or keep it open while it is in use.")
        try:
            self._begin(session.connection)
            answers = [self._attempt(session, request, alone=len(requests) == 1) for request in requests]
            session.conclude()
            session.connection.execute("COMMIT")
        except BaseException as error:
            self._undo(session)
            if isinstance(error, sqlite3.Error):
                if is_fatal(error):
                    self._on_fatal(error)
                raise explain(error, self._path) from error
            raise
        return answers

    def _begin(self, connection: Connection) -> None:
        """Take the write lock; look again, at random short intervals, while another process has it."""
        deadline = self._monotonic() + BUSY_SECONDS
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                self.waits = False
                return
            except sqlite3.OperationalError as error:
                self.waits = is_busy(error) and self._monotonic() < deadline
                if not self.waits:
                    raise
            self._never.wait(self._pauses.uniform(*PAUSE_SECONDS))

    def _attempt(self, session: Session, request: Request, *, alone: bool) -> Any:
        """One request in its savepoint; its error is its answer. A request alone needs no savepoint."""
        if alone:
            return request(session)
        before, changes = session.tallies.copy(), len(session.changes)
        session.connection.execute("SAVEPOINT request")
        try:
            answer = request(session)
        except (FerrymanError, sqlite3.IntegrityError, ValueError) as error:
            session.connection.execute("ROLLBACK TO request")
            session.abandon()
            session.tallies = before
            del session.changes[changes:]
            answer = explain(error, self._path) if isinstance(error, sqlite3.Error) else error
        session.connection.execute("RELEASE request")
        return answer

    def _undo(self, session: Session) -> None:
        session.abandon_all()
        if session.connection.in_transaction:
            session.connection.execute("ROLLBACK")
