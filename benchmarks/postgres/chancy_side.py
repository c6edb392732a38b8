"""chancy, doing the same work.

Its handlers run on the event loop (its AsyncExecutor), and it looks for more as soon as a job has ended
(eager_polling). Tried for the drain, in six rounds: 500 jobs at once with outcomes written every 0.1 s, and 2,000 with
every 0.1 s and every second (its default). Their medians to the last committed end lie within 3 %, rounds of one far
apart; the last has the highest rate of starts by far, as it starts what it claims before it has written outcomes, and
it takes a fifth more memory than the first. 1,000 at once were slower.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from chancy import Chancy, Job, Queue, Worker  # type: ignore[import-untyped]

from benchmarks.postgres.chancy_jobs import STARTS, noop
from benchmarks.postgres.measures import main
from benchmarks.postgres.starts import TEXT, Starts


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """What of chancy can be tuned."""

    concurrency: int = 2000
    connections: int = 10
    eager: bool = True


class ChancySide:
    """Implements `Side`."""

    def __init__(self, url: str, starts: Starts, options: Options) -> None:
        self._starts = starts
        self._options = options
        log = logging.getLogger("chancy")
        log.setLevel(logging.ERROR)  # a line for each job, else
        self._chancy = Chancy(url, max_connection_pool_size=options.connections, log=log)
        self._job = Job.from_func(noop, kwargs={"text": TEXT})

    async def prepare(self) -> None:
        """Its tables, and its queue."""
        await self._chancy.migrate()
        queue = Queue(
            name="default",
            concurrency=self._options.concurrency,
            executor=Chancy.Executor.Async,
            eager_polling=self._options.eager,
        )
        await self._chancy.declare(queue, upsert=True)

    async def open(self) -> None:
        """The pool, which `prepare` may have opened."""
        await self._chancy.pool.open()

    async def close(self) -> None:
        """Close the pool."""
        await self._chancy.pool.close()

    async def enqueue(self) -> None:
        """One push."""
        await self._chancy.push(self._job)

    async def enqueue_many(self, count: int) -> None:
        """It cuts them into batches of 1,000 itself."""
        async for _ in self._chancy.push_many([self._job] * count):
            pass

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker."""
        STARTS.set(self._starts)
        worker = Worker(self._chancy, register_signal_handlers=False)
        await worker.start()
        try:
            yield
        finally:
            await worker.stop()

    async def left(self) -> bool:
        """Jobs that have not ended."""
        async with self._chancy.pool.connection() as connection:
            found = await connection.execute(
                "select exists (select from chancy_jobs where state in ('pending', 'running', 'retrying'))"
            )
            row = await found.fetchone()
            return row is not None and bool(row[0])


if __name__ == "__main__":
    main(__file__, ChancySide, Options)
