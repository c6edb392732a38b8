"""Opens and ends the transactions of a node's handlers: one at a time, on a thread of its own.

    begin ----> waiting ----> open ----> committed | rolled back        by the handler, at the end of its block
                                  \\----> expired                       by this thread, when it lasts too long

One at a time, because a file has one writer: who waits here in line holds no thread and no connection. Every
step is done by the desk's thread, so that stopping a handler (see threads.py) can fall into none of them.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final

from ferryman.domain.errors import ClaimLost, StoreClosed, TransactionImpossible
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, decide
from ferryman.engine.running import Committed, Running
from ferryman.engine.steps import StepsFactory, ThreadSteps
from ferryman.store.protocol import Clock
from ferryman.store.transactions import OpenTransaction, Transactions

log: Final = logging.getLogger("ferryman.engine")
Waiting: Final = deque[tuple[ClaimedJob, "Future[OpenTransaction]"]]


class Desk:
    """Where handlers get their transactions."""

    def __init__(
        self,
        store: Transactions,
        node: int,
        clock: Clock,
        token: Callable[[], int],
        *,
        timeout: float,
        steps: StepsFactory = ThreadSteps,
    ) -> None:
        """Make a desk; its thread starts with the first transaction.

        Args:
            node: the number that the store gave the node.
            token: gives each completion its own, by which it is known again; not that of the run, so that
                what is written when the run is cut off meanwhile is never taken for it.
            timeout: seconds that a transaction may last.
            steps: makes the thread.
        """
        self._store = store
        self._node = node
        self._clock = clock
        self._token = token
        self._timeout = timeout
        self._steps = steps(self._left, self._time_is_up, "ferryman-transactions")
        self._closing = threading.Lock()
        self._closed = False
        # touched by the desk's thread alone
        self._waiting = Waiting()
        self._open: OpenTransaction | None = None
        self._until = 0.0

    # -- from any thread -------------------------------------------------------------------------

    def begin(self, job: ClaimedJob, using: Any = None, *, blocking: bool = True) -> Future[OpenTransaction]:
        """A transaction, once it is this run's turn. Who cancels the future, or gives it up, owes a `give_up`.

        Raises:
            TransactionImpossible: the handler wants to write with something of its own.
            StoreClosed: the node has stopped.
            ClaimLost, StoreError: in the future.
        """
        if using is not None:
            raise TransactionImpossible(
                f"using={type(using).__name__}: a handler's transaction on a SQLite file has a connection of its own.",
                hint="Leave `using` out, and write with what the block gives. PostgreSQL takes connections of yours.",
            )
        answer: Future[OpenTransaction] = Future()
        self._put(partial(self._line_up, job, answer))
        return answer

    def commit(self, opened: OpenTransaction, running: Running, outcome: Outcome) -> Future[None]:
        """Write how the run ended, and commit; then `running.committed` says so.

        Raises (in the future): ClaimLost, TransactionTimedOut, StoreError.
        """
        answer: Future[None] = Future()
        self._put(partial(self._do, answer, opened, partial(self._commit, opened, running, outcome)))
        return answer

    def rollback(self, opened: OpenTransaction) -> Future[None]:
        """Undo what was written."""
        answer: Future[None] = Future()
        try:
            self._put(partial(self._do, answer, opened, opened.rollback))
        except StoreClosed:
            answer.set_result(None)  # whoever closed the desk has undone it
        return answer

    def give_up(self, begun: Future[OpenTransaction]) -> None:
        """Nobody waits for this transaction any more: it ends as soon as it has begun."""
        if not begun.cancel():
            begun.add_done_callback(self._take_back)

    def close(self) -> None:
        """Undo what is open, refuse what waits and what comes, end the thread. Does not wait; idempotent."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._steps.end(self._leave)

    def _put(self, step: Callable[[], None]) -> None:
        with self._closing:
            if self._closed:
                raise StoreClosed("The node has stopped, so no transaction can begin or end.")
            self._steps.put(partial(self._serve, step))

    def _take_back(self, begun: Future[OpenTransaction]) -> None:
        if not begun.cancelled() and begun.exception() is None:
            with suppress(StoreClosed):  # whoever closed the desk undoes it
                self._put(partial(self._do, Future(), begun.result(), begun.result().rollback))

    # -- on the desk's thread --------------------------------------------------------------------

    def _serve(self, step: Callable[[], None]) -> None:
        """Do a step. What it lets begin does so in a step of its own: others may get the file in between."""
        step()
        if self._waiting and self._open is None:
            self._steps.put(self._begin_next)

    def _time_is_up(self) -> None:
        self._serve(self._expire)

    def _leave(self) -> None:
        self._expire()
        for _, answer in self._waiting:
            _fail(answer, StoreClosed("The node stopped before the transaction could begin."))

    def _left(self) -> float | None:
        """Seconds that the open transaction may still last; None where there is none."""
        return None if self._open is None else self._until - self._clock.monotonic()

    def _expire(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            _undo(opened.expire)

    def _line_up(self, job: ClaimedJob, answer: Future[OpenTransaction]) -> None:
        self._waiting.append((job, answer))

    def _begin_next(self) -> None:
        """Begin the first transaction in line for which somebody still waits, unless one is open."""
        while self._waiting and self._open is None and not self._closed:
            job, answer = self._waiting.popleft()
            if answer.cancelled():
                continue
            try:
                opened = self._store.begin(self._node, job)
            except BaseException as error:
                _fail(answer, error)
                continue
            if answer.set_running_or_notify_cancel():
                self._open, self._until = opened, self._clock.monotonic() + self._timeout
                answer.set_result(opened)
            else:
                _undo(opened.rollback)

    def _do(self, answer: Future[None], opened: OpenTransaction, step: Callable[[], None]) -> None:
        """End a transaction, in one way or the other; it may have expired before."""
        awaited = answer.set_running_or_notify_cancel()
        try:
            step()
        except BaseException as error:
            if awaited:
                answer.set_exception(error)
        else:
            if awaited:
                answer.set_result(None)
        if self._open is opened:
            self._open = None

    def _commit(self, opened: OpenTransaction, running: Running, outcome: Outcome) -> None:
        job, now = running.job, self._clock.now()
        run = Run(self._token(), running.run.worker, running.run.started_at)
        running.completing = run.token
        if not opened.finish(decide(job, outcome, run, now), now):
            raise claim_lost(job)
        running.committed = Committed(outcome, run)


def claim_lost(job: ClaimedJob) -> ClaimLost:
    """Why a transaction was not committed."""
    return ClaimLost(
        f"The run of job {job.id} lost its claim, so its transaction was rolled back.",
        hint="Whoever has the claim now runs the job.",
    )


def _fail(answer: Future[OpenTransaction], error: BaseException) -> None:
    if answer.set_running_or_notify_cancel():
        answer.set_exception(error)


def _undo(step: Callable[[], None]) -> None:
    """Undo a transaction that nobody else will; the thread goes on whatever that gives."""
    try:
        step()
    except Exception:
        log.exception("A handler's transaction could not be rolled back.", extra={"event": "rollback_failed"})
