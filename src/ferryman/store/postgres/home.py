"""The store's own database, for those who write through connections of others: which server it is, and its lanes.

It is asked over a connection that is made for the question and closed again: once for each process, and for each new
lane. So nothing of this needs an open store, nor a particular thread or loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from ferryman.domain.errors import StoreBusy, StoreUnreachable, TransactionImpossible
from ferryman.domain.job import NewJob
from ferryman.store.postgres import lanes
from ferryman.store.postgres.acts import Acts
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.lent import Lent, lend
from ferryman.store.postgres.loopthread import LoopThread
from ferryman.store.postgres.own import Connect
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.postgres.target import Target

T = TypeVar("T")

SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.2


class Server(NamedTuple):
    """A database, as every role may ask for it: its number, and when its server was started."""

    database: int
    started: str


class Home:
    """What is known of the store's database. For any thread."""

    def __init__(
        self,
        target: Target,
        statements: Statements,
        connect: Connect = asyncpg.connect,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self.connect = connect
        """Makes a connection of asyncpg's."""
        self.lanes = lanes.Lanes()
        """Those that are known; not the store's own, which belong to its loop."""
        self._statements = statements
        self._monotonic = monotonic
        self._server: Server | None = None

    def lend(self, connection: object) -> Lent:
        """A connection for our statements. Raises TransactionImpossible."""
        return lend(connection, self._statements, self.target.place)

    def recognise(self, lent: Lent, *, on_loop: bool) -> Acts[None]:
        """See to it that a connection is one to this database that may write, and that its commits last.

        To be driven in its transaction. Raises TransactionImpossible.
        """
        found, read_only = yield from lent.do(_look())
        if found != self._server:  # nobody has asked yet, or the server was started again
            self._server, _ = yield from self.ask(_look(), on_loop=on_loop)
        if found != self._server:
            raise TransactionImpossible(
                f"The transaction is on another database than the store, which is {self.target.place}.",
                why="Two databases do not commit together.",
                hint="Keep your tables in the store's database, or point DATABASE_URL at that of your tables.",
            )
        if read_only:
            raise TransactionImpossible(
                "The transaction is read-only.", hint="Begin one that may write, on the primary server."
            )

    def know(self, wanted: Iterable[tuple[str, str, int]], *, on_loop: bool) -> Acts[None]:
        """See to it that these lanes are known, and made by another connection where there are none yet."""
        missing = self.lanes.missing(wanted)
        if missing:
            yield from self.ask(_make(self.lanes, missing), on_loop=on_loop)

    def ask(self, steps: Steps[T], *, on_loop: bool) -> Acts[T]:
        """Drive a verb over a connection of our own, each of its statements committing by itself."""
        answer: T = yield partial(self._ask if on_loop else self._block, steps)
        return answer

    def insist(self, verb: Callable[[], Steps[T]], seconds: float, *, on_loop: bool) -> Acts[T]:
        """Drive a verb in a transaction of our own, and try for so long where the server cannot be reached."""
        answer: T = yield partial(self._insist if on_loop else self._block_for, verb, seconds)
        return answer

    async def _ask(self, steps: Steps[T], *, whole: bool = False) -> T:
        line = Line(self.target, self._statements, size=1, seconds=SECONDS, connect=self.connect)
        await line.open()
        try:
            return await (line.transact if whole else line.do)(steps)
        finally:
            await line.close()

    async def _insist(self, verb: Callable[[], Steps[T]], seconds: float) -> T:
        deadline = self._monotonic() + seconds
        while True:
            try:
                return await self._ask(verb(), whole=True)
            except (StoreUnreachable, StoreBusy):
                if self._monotonic() + PAUSE_SECONDS >= deadline:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)

    def _block(self, steps: Steps[T]) -> T:
        return _apart(self._ask(steps))

    def _block_for(self, verb: Callable[[], Steps[T]], seconds: float) -> T:
        return _apart(self._insist(verb, seconds))


def lanes_of(jobs: Iterable[NewJob]) -> set[tuple[str, str, int]]:
    """The lanes in which jobs are to stand."""
    return {(job.queue, job.type, job.priority) for job in jobs}


def _apart(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own: the caller's thread may have one that is running."""
    thread = LoopThread("ferryman-ask")
    try:
        return thread.run(coroutine)
    finally:
        thread.end()


def _look() -> Steps[tuple[Server, bool]]:
    ((database, started, read_only, _),) = yield Ask("recognise")
    return Server(database, started), read_only


def _make(known: lanes.Lanes, wanted: set[tuple[str, str, int]]) -> Steps[None]:
    yield from lanes.read(known)
    missing = known.missing(wanted)
    if missing:
        yield from lanes.make(known, missing)
