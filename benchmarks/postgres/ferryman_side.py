"""Ferryman on the store that a URL names, with 10 workers and room for 1,000 jobs in the channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from benchmarks.inprocess import serving
from benchmarks.postgres.measures import main
from benchmarks.postgres.starts import TEXT, Starts
from benchmarks.postgres.stores import migrate, store_at
from ferryman import Ferryman
from ferryman.domain.state import Status
from ferryman.engine.clock import SystemClock
from ferryman.settings import load


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """What of Ferryman can be tuned."""

    workers: int = 10
    capacity: int = 1000


class FerrymanSide:
    """Implements `Side`."""

    def __init__(self, url: str, starts: Starts, options: Options) -> None:
        self._url = url
        given = {
            "database_url": url,
            "port": 0,
            "worker_count": options.workers,
            "job_queue_capacity": options.capacity,
        }
        self._settings = load({}, {}, Path.cwd(), given).settings
        self._app = Ferryman(url)
        self._watched = store_at(url)

        @self._app.job
        async def noop(text: str) -> None:  # noqa: ARG001 - a payload, as jobs have one
            starts.note()

        self._noop = noop

    async def prepare(self) -> None:
        """`ferryman migrate`."""
        migrate(self._url)

    async def open(self) -> None:
        """The app connects at its first enqueue; what looks at the store is open from now on."""
        await self._watched.open()

    async def close(self) -> None:
        """Close both."""
        self._app.close()
        await self._watched.close()

    async def enqueue(self) -> None:
        """One enqueue."""
        await self._noop.aenqueue(TEXT)

    async def enqueue_many(self, count: int) -> None:
        """It cuts them into commits of 1,000 itself."""
        await self._app.aenqueue_many(self._noop.call(TEXT) for _ in range(count))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """What `ferryman serve` runs."""
        async with serving(self._app, self._settings):
            yield

    async def left(self) -> bool:
        """Jobs that have not ended."""
        standing = (await self._watched.counts(SystemClock().now())).standing
        return any(count for (_, status), count in standing.items() if status is not Status.WAITING)


if __name__ == "__main__":
    main(__file__, FerrymanSide, Options)
