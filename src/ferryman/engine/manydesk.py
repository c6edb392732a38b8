"""Opens and ends the transactions of a node's handlers where the store bears many of them beside each other.

    begin ----> waiting for a connection ----> open ----> committed | rolled back    by the handler, as its block ends
                                                   \\----> broken off                when the node stops

There is no line here, and no clock: the store has so many connections, and the server ends who keeps silent. All of
it happens in tasks on the node's loop, so that stopping a handler (see threads.py) can fall into none of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from ferryman.domain.errors import StoreClosed
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, decide
from ferryman.engine.desk import claim_lost
from ferryman.engine.running import Committed, Running
from ferryman.store.protocol import Clock
from ferryman.store.transactions import HeldTransaction, ManyTransactions

T = TypeVar("T")


class ManyDesk:
    """Where handlers get their transactions. Made on the node's loop; its verbs may be called from any thread."""

    def __init__(self, store: ManyTransactions, node: int, clock: Clock, token: Callable[[], int]) -> None:
        """Make a desk; `node` and `token` are as for `Desk`."""
        self._store = store
        self._node = node
        self._clock = clock
        self._token = token
        self._loop = asyncio.get_running_loop()
        # touched on the loop alone
        self._closed = False
        self._open: set[HeldTransaction] = set()
        self._beginning: dict[Future[Any], asyncio.Task[None] | None] = {}
        """What waits, with the task that can be cancelled; one whose thread waits rolls back what it gets."""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- from any thread -------------------------------------------------------------------------

    def begin(self, job: ClaimedJob, using: Any = None, *, blocking: bool) -> Future[HeldTransaction]:
        """A transaction, once there is a connection for it. Who cancels the future owes a `give_up`.

        Raises (in the future): what `ManyTransactions.begin` does, StoreClosed.
        """
        answer: Future[HeldTransaction] = Future()
        self._soon(lambda: self._start(answer, job, using, blocking=blocking))
        return answer

    def commit(self, opened: HeldTransaction, running: Running, outcome: Outcome) -> Future[None]:
        """Write how the run ended, and commit; then `running.committed` says so.

        Raises (in the future): ClaimLost, StoreError, what the commit did.
        """
        return self._end(opened, lambda: self._commit(opened, running, outcome))

    def rollback(self, opened: HeldTransaction) -> Future[None]:
        """Undo what was written."""
        try:
            return self._end(opened, opened.rollback)
        except StoreClosed:  # the node is gone, and its connections with it
            done: Future[None] = Future()
            done.set_result(None)
            return done

    def give_up(self, begun: Future[HeldTransaction]) -> None:
        """Nobody waits for this transaction any more: it ends as soon as it has begun."""
        if not begun.cancel():
            begun.add_done_callback(self._take_back)

    def _take_back(self, begun: Future[HeldTransaction]) -> None:
        if not begun.cancelled() and begun.exception() is None:
            self.rollback(begun.result())

    def _soon(self, step: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(step)
        except RuntimeError:  # the loop is closed, and with it the node
            raise _stopped() from None

    def _end(self, opened: HeldTransaction, step: Callable[[], Coroutine[Any, Any, None]]) -> Future[None]:
        answer: Future[None] = Future()
        self._soon(lambda: self._spawn(self._ending(answer, opened, step)))
        return answer

    # -- on the node's loop ----------------------------------------------------------------------

    def close(self) -> None:
        """Refuse what waits and what comes, cut the connections of what is open. Does not wait; idempotent."""
        self._closed = True
        for answer, task in list(self._beginning.items()):
            _fail(answer, _stopped())
            if task is not None:
                task.cancel()
        for opened in self._open:
            opened.break_off()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _start(self, answer: Future[HeldTransaction], job: ClaimedJob, using: Any, *, blocking: bool) -> None:
        if self._closed:
            _fail(answer, _stopped())
            return
        task = self._spawn(self._begin(answer, job, using, blocking=blocking))
        self._beginning[answer] = None if blocking else task

    async def _begin(self, answer: Future[HeldTransaction], job: ClaimedJob, using: Any, *, blocking: bool) -> None:
        try:
            opened = await self._store.begin(self._node, job, using, blocking=blocking)
        except BaseException as error:
            _fail(answer, error)
            return
        finally:
            del self._beginning[answer]
        if not answer.done() and answer.set_running_or_notify_cancel():
            self._open.add(opened)
            answer.set_result(opened)
        else:
            await opened.rollback()

    async def _ending(
        self, answer: Future[None], opened: HeldTransaction, step: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """End a transaction, in one way or the other."""
        answer.set_running_or_notify_cancel()
        try:
            await step()
        except BaseException as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)
        finally:
            self._open.discard(opened)

    async def _commit(self, opened: HeldTransaction, running: Running, outcome: Outcome) -> None:
        now = self._clock.now()
        run = Run(self._token(), running.run.worker, running.run.started_at)
        running.completing = run.token
        if not await opened.finish(decide(running.job, outcome, run, now), now):
            raise claim_lost(running.job)
        running.committed = Committed(outcome, run)


def _fail(answer: Future[Any], error: BaseException) -> None:
    if not answer.done() and answer.set_running_or_notify_cancel():
        answer.set_exception(error)


def _stopped() -> StoreClosed:
    return StoreClosed("The node has stopped, so no transaction can begin or end.")
