"""`ctx.transaction()`: a handler's own writes, its follow-ups and its completion in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import MappingProxyType, TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from ferryman.domain.errors import (
    AlreadyCommitted,
    ResultNotSerialisable,
    ResultTooLarge,
    SyncInsideLoop,
    TransactionImpossible,
)
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome
from ferryman.engine.running import Running

T = TypeVar("T")
_LOOK_SECONDS: Final = 0.05
"""How often a waiting thread runs a bit of Python: only there a stop can be raised in it."""
_BAD_RESULTS: Final = MappingProxyType({kind.code: kind for kind in (ResultNotSerialisable, ResultTooLarge)})


class Opened(Protocol):
    """A transaction that has begun, whoever begins it."""

    @property
    def connection(self) -> Any:
        """What the handler writes with."""
        ...


class AnyDesk(Protocol):
    """Where transactions are had: a `Desk`, or a `ManyDesk`. What it opened is given back to it as it was."""

    def begin(self, job: ClaimedJob, using: Any = None, *, blocking: bool) -> Future[Any]:
        """A transaction, once it can begin; `blocking` is that of a `with`."""
        ...

    def commit(self, opened: Any, running: Running, outcome: Outcome) -> Future[None]:
        """Write how the run ended, and commit."""
        ...

    def rollback(self, opened: Any) -> Future[None]:
        """Undo what was written."""
        ...

    def give_up(self, begun: Future[Any]) -> None:
        """Nobody waits for this transaction any more."""

    def close(self) -> None:
        """Undo what is open, refuse what waits and what comes."""


class Transaction:
    """What `with` or `async with` gives. When the block ends, all is committed; when it raises, nothing is."""

    def __init__(self, desk: AnyDesk, running: Running, outcome: Callable[[Any], Outcome], using: Any = None) -> None:
        """`outcome` makes one of the run's result; `using` is what the handler wants to write with."""
        self.result: Any = None
        """The job's result, if the transaction commits. What the handler returns later counts for nothing."""
        self._desk = desk
        self._running = running
        self._outcome = outcome
        self._using = using
        self._opened: Opened | None = None

    # -- in the block ----------------------------------------------------------------------------

    @property
    def connection(self) -> Any:
        """What the block writes with, in a transaction that begins and ends with it.

        SQLite: a `sqlite3.Connection` of the store's own file. PostgreSQL: in `async with` a connection of asyncpg's,
        in `with` one of psycopg's; with `using`, that, or what it gave.
        """
        if self._opened is None:
            raise TransactionImpossible(
                "This transaction is not open.", hint="Write `with ctx.transaction() as tx:` and use it in the block."
            )
        return self._opened.connection

    @property
    def session(self) -> Any:
        """The same, where `using` was a session of SQLAlchemy's, or makes them."""
        return self.connection

    def execute(self, sql: Any, /, *parameters: Any) -> Any:
        """Run a statement, with the connection's own `execute`; one of asyncpg's is awaited.

        Raises:
            TransactionTimedOut: the transaction lasted longer than TRANSACTION_TIMEOUT (SQLite); all is undone.
            TransactionImpossible: the statement would end the transaction (SQLite), or it has ended.
            sqlite3.Error, asyncpg.PostgresError, psycopg.Error: as always.
        """
        return self.connection.execute(sql, *parameters)

    def executemany(self, sql: str, rows: Iterable[Any], /) -> Any:
        """Run a statement once for each row, with the connection's own `executemany`. Raises as `execute`."""
        return self.connection.executemany(sql, rows)

    # -- around it -------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Wait for the turn and for the file's lock (SQLite), or for a connection (PostgreSQL), and begin.

        Raises:
            AlreadyCommitted: the run has committed a transaction before.
            ClaimLost: the run is not this node's any more (SQLite; PostgreSQL says so at the end).
            DriverMissing: PostgreSQL, and psycopg is not installed.
            StoreBusy: somebody else has kept on writing for five seconds.
            SyncInsideLoop: an event loop runs here; write `async with`.
            TransactionImpossible: the run has one open already, or `using` is nothing for it.
        """
        _refuse_inside_loop()
        begun = self._begin(blocking=True)
        try:
            self._opened = _wait(begun)
        except BaseException:
            self._leave(begun)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit; or roll back if the block raised."""
        ended = self._end(error)
        try:
            _wait(ended)
        except BaseException:
            _wait(ended)  # a stop was raised in this thread: what was begun comes to its end first
            raise

    async def __aenter__(self) -> Self:
        """As `__enter__`, off the event loop."""
        begun = self._begin(blocking=False)
        try:
            self._opened = await asyncio.wrap_future(begun)
        except BaseException:
            self._leave(begun)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit; or roll back if the block raised. A cancel that falls into it waits for its end."""
        ending = asyncio.wrap_future(self._end(error))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait((ending,))
            raise

    def _begin(self, *, blocking: bool) -> Future[Any]:
        running = self._running
        if running.committed is not None:
            raise AlreadyCommitted(
                f"The run of job {running.job.id} has committed a transaction before.",
                why="That wrote its completion.",
                hint="Do all in one.",
            )
        if running.ended or running.in_transaction:
            what = "has ended" if running.ended else "has a transaction open already"
            raise TransactionImpossible(f"The run of job {running.job.id} {what}.")
        begun = self._desk.begin(running.job, self._using, blocking=blocking)
        running.in_transaction = True
        return begun

    def _leave(self, begun: Future[Any]) -> None:
        """The block is not entered."""
        self._desk.give_up(begun)
        self._running.in_transaction = False

    def _end(self, error: BaseException | None) -> Future[None]:
        opened, self._opened = self._opened, None
        assert opened is not None
        self._running.in_transaction = False
        if error is not None:
            return self._desk.rollback(opened)
        try:
            outcome = self._done()
        except BaseException:
            self._desk.rollback(opened)
            raise
        return self._desk.commit(opened, self._running, outcome)

    def _done(self) -> Outcome:
        """The completion. Raises ResultNotSerialisable or ResultTooLarge."""
        outcome = self._outcome(self.result)
        if outcome.error is not None:
            raise _BAD_RESULTS[outcome.error.code](outcome.error.message)
        return outcome


def _wait(future: Future[T]) -> T:
    """Block this thread until a future is done.

    Not by the future's own wait: a stop that is raised there could leave its condition half taken.
    """
    done: SimpleQueue[object] = SimpleQueue()
    future.add_done_callback(done.put)
    while True:
        try:
            done.get(timeout=_LOOK_SECONDS)
        except Empty:
            continue
        return future.result()


def _refuse_inside_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SyncInsideLoop(
        "Beginning a transaction may wait, and an event loop runs in this thread.",
        why="The loop, and every task on it, would stand still meanwhile.",
        hint="Write `async with ctx.transaction() as tx:` instead.",
    )
