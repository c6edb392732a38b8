"""The connection of one process to the server: calls under way, which fail when it is lost, and its cursors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ferryman.domain.errors import StoreFailed
from ferryman.domain.job import Lane
from ferryman.testing.history import entries
from tests.simulation.noting import TOOK, Took
from tests.simulation.postgres.cursor import Cursor
from tests.simulation.postgres.server import Begun, Server, Transaction

T = TypeVar("T")


class Connection:
    """Sends statements to the server, and waits for its answers."""

    def __init__(self, server: Server, process: str) -> None:
        self.server = server
        self.process = process
        self.cursors: dict[Lane, Cursor] = {}
        """Up to where it has looked in each lane."""
        self.rescan_at = 0.0
        """When it looks from the beginning again: of a claim that was rolled back it has no sign."""
        self._pending: dict[asyncio.Future[Any], str] = {}
        """Calls under way, and their verbs."""
        self._failing = False
        self.forget()
        server.connections.append(self)

    def lose(self) -> None:
        """It is gone, and another one is made: every call under way fails, and nobody here knows what was committed."""
        for answer, verb in self._pending.items():
            if not answer.done():
                self._note_fault(verb, "lost")
                answer.set_exception(StoreFailed("The simulated connection is lost."))
        self.server.abandoned(self.process)
        self.forget()

    def fail_in(self, seconds: float) -> None:
        """It will be lost soon; the next write, if it comes before that, has no answer by then."""
        self._failing = True
        self.server.loop.call_later(seconds, self.lose)

    def forget(self) -> None:
        """A new connection has looked at nothing yet."""
        self.cursors = {}
        self._failing = False
        self.rescanned()

    def rescanned(self) -> None:
        """It has looked from the beginning."""
        self.rescan_at = self.server.loop.time() + self.server.plan.rescan

    def die(self) -> None:
        """The process is gone."""
        self.server.connections.remove(self)
        self.server.died(self.process)

    def require(self, verb: str) -> None:
        """Raises StoreFailed: the server is down, or refuses to write."""
        try:
            self.server.require(writing=True)
        except StoreFailed:
            self._note_fault(verb, "before")
            raise

    async def write(self, verb: str, begun: Begun[T]) -> T:
        """One statement in a transaction of its own."""
        self.require(verb)
        late, self._failing = self._failing, False
        return await self._sent(
            verb, lambda answer: self.server.statement(self.process, verb, begun, answer, late=late)
        )

    async def simply(self, verb: str, do: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The same, where nothing is to be done before the commit."""
        took = TOOK.get()

        def begun(_transaction: Transaction) -> Callable[[], T]:
            return noted(lambda: at_once(do()), took)

        return await self.write(verb, begun)

    async def conclude(self, transaction: Transaction, work: Callable[[], T]) -> T:
        """Commit a transaction that is open, with all that it writes."""
        self.require(transaction.verb)
        if not transaction.open:
            raise StoreFailed("The simulated connection was lost, and with it the transaction.")

        def begun(_transaction: Transaction) -> Callable[[], T]:
            return work

        return await self._sent(transaction.verb, lambda answer: self.server.execute(transaction, begun, answer))

    async def read(self, do: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What has been committed."""
        self.server.require(writing=False)
        return await do()

    async def _sent(self, verb: str, statement: Callable[[asyncio.Future[T]], Coroutine[Any, Any, None]]) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.server.run(statement(answer))
        self._pending[answer] = verb
        try:
            return await answer
        finally:
            del self._pending[answer]

    def _note_fault(self, verb: str, kind: str) -> None:
        self.server.notes.note(entries.Faulted, "nemesis", process=self.process, verb=verb, kind=kind)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a verb of the memory store gives, which never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    raise AssertionError("the memory store waits for nothing")


def noted(work: Callable[[], T], took: Took | None) -> Callable[[], T]:
    """The same work; it is noted as it takes effect."""

    def done() -> T:
        answer = work()
        if took is not None:
            took(answer)
        return answer

    return done
