"""Procrastinate, doing the same work.

Tried once each for the drain: 5, 10, 20 and 40 jobs at once, and deleting what succeeded: all within a tenth of each
other, so it keeps its jobs, as it does by default. Pools of 4 (its default), 10 and 20 for 50 callers: 10 was ahead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict

from benchmarks.postgres.measures import main
from benchmarks.postgres.side import CHUNK
from benchmarks.postgres.starts import TEXT, Starts


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """What of Procrastinate can be tuned."""

    concurrency: int = 10
    connections: int = 10
    delete: str = "never"


class ProcrastinateSide:
    """Implements `Side`."""

    def __init__(self, url: str, starts: Starts, options: Options) -> None:
        self._options = options
        logging.getLogger("procrastinate").setLevel(logging.ERROR)  # it would warn that this file is the main module
        most = options.connections
        self._app = App(connector=PsycopgConnector(conninfo=url, min_size=most, max_size=most))

        @self._app.task(name="noop")
        async def noop(text: str) -> None:  # noqa: ARG001 - the same payload
            starts.note()

        self._noop = noop

    async def prepare(self) -> None:
        """Its schema."""
        async with self._app.open_async():
            await self._app.schema_manager.apply_schema_async()

    async def open(self) -> None:
        """The pool."""
        await self._app.open_async()

    async def close(self) -> None:
        """Close the pool."""
        await self._app.close_async()

    async def enqueue(self) -> None:
        """One defer."""
        await self._noop.defer_async(text=TEXT)

    async def enqueue_many(self, count: int) -> None:
        """Batches of jobs, each a call."""
        payload: JSONDict = {"text": TEXT}
        for done in range(0, count, CHUNK):
            await self._noop.batch_defer_async(*[payload] * min(CHUNK, count - done))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker."""
        running = asyncio.create_task(
            self._app.run_worker_async(
                concurrency=self._options.concurrency, install_signal_handlers=False, delete_jobs=self._options.delete
            )
        )
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def left(self) -> bool:
        """Jobs that have not ended."""
        row = await self._app.connector.execute_query_one_async(
            "select exists (select from procrastinate_jobs where status in ('todo', 'doing')) as found"
        )
        return bool(row["found"])


if __name__ == "__main__":
    main(__file__, ProcrastinateSide, Options)
