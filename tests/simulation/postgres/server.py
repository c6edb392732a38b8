"""The server of the model: transactions that begin in one order and commit in another, their locks, and its own faults.

    a statement arrives -> begins: its xid -> does its work -> time passes -> commits, or is rolled back -> the answer
                                 |___ in progress: a snapshot names it, and its locks are passed by ___|

What a transaction writes is written at its commit, in one step; nobody sees it before that. It runs on the server: a
process that freezes meanwhile does not hold it up.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, Protocol, TypeVar

from ferryman.domain.errors import IllegalTransition, StoreError, StoreFailed
from ferryman.testing.history import entries
from tests.simulation.loop import SimLoop, pause
from tests.simulation.notes import Notes
from tests.simulation.plan import ServerPlan
from tests.simulation.postgres.cursor import Snapshot
from tests.simulation.postgres.tables import ModelMemory

T = TypeVar("T")
TOGETHER: Final = "together"
"""The verb of a transaction of a caller's own, in which many jobs may be enqueued."""
LATE: Final = (0.05, 0.3, 1.0)
"""Seconds that a transaction which commits late is in progress."""
BRING: Final = frozenset({"insert", "let_in", "draw", "finish", "release", "retry", "promote", "rescue", TOGETHER})
"""Transactions that may make jobs pending."""


class Transaction:
    """From its first write to its end."""

    def __init__(self, loop: SimLoop, xid: int, process: str, verb: str) -> None:
        self.xid = xid
        self.process = process
        self.verb = verb
        self.locks: list[str] = []
        """Jobs that nobody else may take until it ends."""
        self.over: asyncio.Future[None] = loop.create_future()
        self.work: Callable[[], Any] | None = None
        """What it writes; None: its statements have not come so far, and all it can do is be rolled back."""
        self.blocked: Callable[[], Transaction | None] = _nobody
        """For whose end its commit has to wait."""
        self.late = False
        """Whether it is in progress for long, whatever the dice say."""
        self.doomed = False
        """Whether it is rolled back in the end: nobody is there any more whom it could answer."""

    @property
    def open(self) -> bool:
        """Whether it is in progress."""
        return not self.over.done()


Begun = Callable[[Transaction], Callable[[], T]]
"""What a statement does before the commit of its transaction; gives what that writes."""


class Connection(Protocol):
    """What the server knows of a process."""

    def lose(self) -> None:
        """The connection is gone: every call under way fails."""


class Server:
    """One database, and what is in progress in it."""

    def __init__(
        self, memory: ModelMemory, plan: ServerPlan, trip: float, loop: SimLoop, notes: Notes, seed: int
    ) -> None:
        """`trip` is the usual length of a statement in seconds."""
        self.memory = memory
        self.notes = notes
        self.loop = loop
        self.dice = random.Random(f"server {seed}")
        self.connections: list[Connection] = []
        self.locked: dict[str, Transaction] = {}
        """By job: who has taken it, and may be rolled back yet."""
        self.plan = plan
        self._trip = trip
        self._calm = False
        self._down = 0
        self._read_only = 0
        self._open: dict[int, Transaction] = {}
        self._last = 0
        """The greatest xid that was given out."""
        self._ended = 0
        """The greatest xid whose transaction has ended."""

    # -- being there -----------------------------------------------------------------------------

    def require(self, *, writing: bool) -> None:
        """Raises StoreFailed: it is down, or refuses to write."""
        if self._down:
            raise StoreFailed("The simulated server is starting.")
        if writing and self._read_only:
            raise StoreFailed("The simulated server is read-only.")

    def writes(self) -> bool:
        """Whether it is up and takes writes."""
        return not (self._down or self._read_only)

    def calm(self) -> None:
        """From here on nothing is late or fails by itself."""
        self._calm = True

    async def restart(self, seconds: float) -> None:
        """Everything under way fails, each with or without its commit; it is up again after a while."""
        self.notes.note(entries.Restarted, "nemesis", seconds=seconds)
        self._down += 1
        self._cut_off()
        await pause(seconds)
        self._down -= 1

    async def fail_over(self, seconds: float) -> None:
        """The same, but it can be read at once, and written after a while."""
        self.notes.note(entries.ReadOnly, "nemesis", seconds=seconds)
        self._read_only += 1
        self._cut_off()
        await pause(seconds)
        self._read_only -= 1

    def _cut_off(self) -> None:
        for connection in self.connections:
            connection.lose()
        for transaction in list(self._open.values()):
            if transaction.work is not None and transaction.blocked() is None and self.dice.random() < 0.5:
                self._try_to_commit(transaction)
            else:
                self.roll_back(transaction)

    def died(self, process: str) -> None:
        """The process is gone. The server notices that with what waits for it, and with some statements under way."""
        for transaction in [each for each in self._open.values() if each.process == process]:
            if transaction.work is None or self.dice.random() < 0.5:
                self.roll_back(transaction)

    def abandoned(self, process: str) -> None:
        """The connection of a process is gone: what its callers have not committed is rolled back at once. Statements
        under way go on, some to their commit."""
        for transaction in [each for each in self._open.values() if each.process == process]:
            if transaction.verb == TOGETHER and transaction.work is None:
                self.roll_back(transaction)
            else:
                transaction.doomed = self.dice.random() < 0.5

    async def rest(self) -> None:
        """Wait until nothing is in progress."""
        while self._open:
            await next(iter(self._open.values())).over

    # -- transactions ----------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What a statement that begins now sees."""
        xmax = self._ended + 1
        return Snapshot(xmax, frozenset(xid for xid in self._open if xid < xmax))

    def bringing(self, xids: Iterable[int]) -> int:
        """How many of some transactions are in progress and may make jobs pending."""
        return sum(xid in self._open and self._open[xid].verb in BRING for xid in xids)

    def begin(self, process: str, verb: str) -> Transaction:
        """A transaction makes its first write."""
        self._last += 1
        transaction = self._open[self._last] = Transaction(self.loop, self._last, process, verb)
        return transaction

    def lock(self, transaction: Transaction, jobs: Iterable[str]) -> None:
        """Take jobs until the transaction ends."""
        for job in jobs:
            assert job not in self.locked
            self.locked[job] = transaction
            transaction.locks.append(job)

    def commit(self, transaction: Transaction) -> Any:
        """Write what it has to write, for all to see. Raises StoreError: it is rolled back instead."""
        assert transaction.work is not None
        self.memory.tables.xid = transaction.xid
        try:
            answer = transaction.work()
        except IllegalTransition as error:  # it may have written half of it
            raise AssertionError("What a transaction had taken was moved by another one.") from error
        except StoreError:
            self.roll_back(transaction)
            raise
        self._end(transaction)
        return answer

    def roll_back(self, transaction: Transaction) -> None:
        """Forget it. Those who have passed by what it had taken do not hear of that."""
        if transaction.locks:
            self.notes.note(entries.Undone, transaction.process, jobs=list(transaction.locks))
        self._end(transaction)

    def _try_to_commit(self, transaction: Transaction) -> None:
        try:
            self.commit(transaction)
        except StoreError:
            return

    def _end(self, transaction: Transaction) -> None:
        for job in transaction.locks:
            del self.locked[job]
        del self._open[transaction.xid]
        self._ended = max(self._ended, transaction.xid)
        transaction.over.set_result(None)

    # -- statements ------------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Have the server do something; on no lane of any process."""
        self.loop.create_task(work, context=self.loop.stage.copy())

    async def statement(
        self, process: str, verb: str, begun: Begun[T], answer: asyncio.Future[T], *, late: bool
    ) -> None:
        """One statement in a transaction of its own."""
        transaction = self.begin(process, verb)
        transaction.late = late
        await self.execute(transaction, begun, answer)

    async def execute(self, transaction: Transaction, begun: Begun[T], answer: asyncio.Future[T]) -> None:
        """The last statement of a transaction, and its commit.

        Args:
            begun: does what comes before the commit, and gives what that writes.
            answer: gets the result; whoever waits for it may have been told meanwhile that the connection is gone.
        """
        try:
            transaction.work = begun(transaction)
            result = await self._conclude(transaction)
        except StoreError as error:
            if transaction.open:
                self.roll_back(transaction)
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(result)

    async def _conclude(self, transaction: Transaction) -> Any:
        """Commit after a while. Raises StoreError: it was rolled back."""
        await pause(self._lasts(transaction))
        while transaction.open and (other := transaction.blocked()) is not None:
            await asyncio.shield(other.over)
        if not transaction.open:
            raise StoreFailed("The simulated server has cut this off.")
        if transaction.doomed or (not self._calm and self.dice.random() < self.plan.undone):
            raise StoreFailed("The simulated server has rolled this back.")
        return self.commit(transaction)

    def _lasts(self, transaction: Transaction) -> float:
        if not self._calm and (transaction.late or self.dice.random() < self.plan.late):
            return self.dice.choice(LATE)
        return self.dice.random() * self._trip


def _nobody() -> None:
    return None
