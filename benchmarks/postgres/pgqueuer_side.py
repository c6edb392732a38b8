"""PgQueuer, doing the same work.

What its page on tuning says: a bigger batch, pools, its settings for autovacuum. Tried for the drain, in three rounds:
batches of 200, 500 and 1,000, whose medians differ by less than the rounds of one do, and a worker with one connection,
which was a little slower than with a pool. For 50 callers: 1, 4, 5 and 10 connections, of which 4 or 5 seemed best. In
bulk: 1,000 and 5,000 jobs to an insert, twice, which made no clear difference. Its quickstart gives
`--with batch=10 --with connections=1 --with worker_connections=1 --with autovacuum=false`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import msgspec
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries

from benchmarks.postgres.measures import main
from benchmarks.postgres.side import CHUNK
from benchmarks.postgres.starts import TEXT, Starts


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """What of PgQueuer can be tuned."""

    batch: int = 500
    chunk: int = CHUNK
    connections: int = 5
    """Connections of those who enqueue; with more than one they are a pool."""
    worker_connections: int = 4
    """Connections of the worker, likewise."""
    autovacuum: bool = True


@asynccontextmanager
async def driver(url: str, connections: int) -> AsyncIterator[Driver]:
    """One connection, or a pool of them."""
    if connections == 1:
        connection = await asyncpg.connect(url)
        yield AsyncpgDriver(connection)
        await connection.close()
    else:
        async with asyncpg.create_pool(url, min_size=connections, max_size=connections) as pool:
            yield AsyncpgPoolDriver(pool)


class PgQueuerSide:
    """Implements `Side`."""

    def __init__(self, url: str, starts: Starts, options: Options) -> None:
        self._url = url
        self._starts = starts
        self._options = options
        self._connected = AsyncExitStack()

    async def prepare(self) -> None:
        """`pgq install`, and `pgq autovac`."""
        async with driver(self._url, 1) as one:
            await Queries(one).install()
            if self._options.autovacuum:
                await Queries(one).optimize_autovacuum()

    async def open(self) -> None:
        """Connect those who enqueue."""
        self._queries = Queries(await self._connected.enter_async_context(driver(self._url, self._options.connections)))

    async def close(self) -> None:
        """Disconnect."""
        await self._connected.aclose()

    async def enqueue(self) -> None:
        """One insert."""
        await self._queries.enqueue("noop", TEXT.encode())

    async def enqueue_many(self, count: int) -> None:
        """Lists of jobs, each an insert."""
        for done in range(0, count, self._options.chunk):
            size = min(self._options.chunk, count - done)
            await self._queries.enqueue(["noop"] * size, [TEXT.encode()] * size, [0] * size)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """What `pgq run` runs, with connections of its own."""
        async with driver(self._url, self._options.worker_connections) as own:
            manager = PgQueuer(own)

            @manager.entrypoint("noop")
            async def noop(job: Job) -> None:  # noqa: ARG001 - PgQueuer looks at its type
                self._starts.note()

            running = asyncio.create_task(manager.run(batch_size=self._options.batch))
            try:
                yield
            finally:
                manager.shutdown.set()
                await running

    async def left(self) -> bool:
        """Jobs that have ended leave its table."""
        (row,) = await self._queries.driver.fetch("select exists (select from pgqueuer) as found")
        return bool(row["found"])


if __name__ == "__main__":
    main(__file__, PgQueuerSide, Options)
