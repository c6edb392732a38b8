"""`ctx.transaction()`: a handler's own writes, its follow-ups and its completion in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, TypeVar

from ferryman.domain.errors import (
    AlreadyCommitted,
    ResultNotSerialisable,
    ResultTooLarge,
    SyncInsideLoop,
    TransactionImpossible,
)
from ferryman.domain.outcome import Outcome
from ferryman.engine.desk import Desk
from ferryman.engine.running import Running
from ferryman.store.transactions import OpenTransaction

T = TypeVar("T")
_LOOK_SECONDS: Final = 0.05
"""How often a waiting thread runs a bit of Python: only there a stop can be raised in it."""
_BAD_RESULTS: Final = MappingProxyType({kind.code: kind for kind in (ResultNotSerialisable, ResultTooLarge)})


class Transaction:
    """What `with` or `async with` gives. When the block ends, all is committed; when it raises, nothing is."""

    def __init__(self, desk: Desk, running: Running, outcome: Callable[[Any], Outcome]) -> None:
        """`outcome` makes one of the run's result."""
        self.result: Any = None
        """The job's result, if the transaction commits. What the handler returns later counts for nothing."""
        self._desk = desk
        self._running = running
        self._outcome = outcome
        self._opened: OpenTransaction | None = None

    # -- in the block ----------------------------------------------------------------------------

    @property
    def connection(self) -> Any:
        """The connection, a `sqlite3.Connection` of the store's own file; it cannot commit or roll back."""
        if self._opened is None:
            raise TransactionImpossible(
                "This transaction is not open.", hint="Write `with ctx.transaction() as tx:` and use it in the block."
            )
        return self._opened.connection

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """Run a statement, here and now; gives its cursor.

        Raises:
            TransactionTimedOut: the transaction lasted longer than TRANSACTION_TIMEOUT; all is undone.
            TransactionImpossible: the statement would end the transaction, or it has ended.
            sqlite3.Error: as always.
        """
        return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Any], /) -> Any:
        """Run a statement once for each row. Raises as `execute`."""
        return self.connection.executemany(sql, rows)

    # -- around it -------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Wait for the turn and for the file's lock, and begin.

        Raises:
            AlreadyCommitted: the run has committed a transaction before.
            ClaimLost: the run is not this node's any more.
            StoreBusy: somebody else has kept on writing for five seconds.
            SyncInsideLoop: an event loop runs here; write `async with`.
            TransactionImpossible: the run has one open already.
        """
        _refuse_inside_loop()
        begun = self._begin()
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
        begun = self._begin()
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

    def _begin(self) -> Future[OpenTransaction]:
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
        begun = self._desk.begin(running.job)
        running.in_transaction = True
        return begun

    def _leave(self, begun: Future[OpenTransaction]) -> None:
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
