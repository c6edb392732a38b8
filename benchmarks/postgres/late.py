"""A transaction that brings many jobs and commits late, while other jobs come, are claimed and end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from typing import Any

import psycopg

from benchmarks.figures import percentiles
from benchmarks.postgres.starts import TEXT
from benchmarks.postgres.stores import StoreNode
from ferryman import Ferryman
from ferryman.domain.claim import Batch
from ferryman.store.factory import sqlite_path

LIMIT = 1000
"""How many jobs a claim takes at most, as a node with a large channel claims."""
AROUND = 100
"""How many jobs come with each round beside the late ones."""


class LateTransaction:
    """The transaction, in a thread of its own: it has enqueued, waits for a word, and commits."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._count = count
        self._word = threading.Event()
        self._loop = asyncio.get_running_loop()
        self.enqueued: asyncio.Future[None] = self._loop.create_future()
        self.running = asyncio.ensure_future(asyncio.to_thread(self._run))

    def commit(self) -> None:
        """Let it commit; `running` ends when it has."""
        self._word.set()

    def _run(self) -> None:
        with closing(_connection(self._url)) as connection, Ferryman(self._url) as app:

            @app.job
            def noop(text: str) -> None: ...

            connection.execute("begin")
            app.enqueue_many((noop.call(TEXT) for _ in range(self._count)), tx=connection)
            self._loop.call_soon_threadsafe(self.enqueued.set_result, None)
            self._word.wait()
            connection.execute("commit")


def _connection(url: str) -> Any:
    """A connection of a user's own, whose transactions are begun and ended by hand."""
    path = sqlite_path(url)
    return psycopg.connect(url, autocommit=True) if path is None else sqlite3.connect(path, isolation_level=None)


class Rounds:
    """Inserts, claims and finishes, again and again, and what the claims were like."""

    def __init__(self, node: StoreNode) -> None:
        self._node = node
        self.inserted = 0
        self.claimed = 0
        self.sizes: list[int] = []
        self.waits: list[float] = []

    async def one(self) -> Batch:
        """Some jobs come, some are claimed, all of these end."""
        await self._node.insert(AROUND)
        self.inserted += AROUND
        batch, took = await self._node.timed_claim(LIMIT)
        self.sizes.append(len(batch.jobs))
        self.claimed += len(batch.jobs)
        self.waits.append(took)
        if batch.jobs:
            await self._node.complete(batch)
        return batch


async def late(url: str, count: int, hold: float) -> dict[str, float]:
    """Enqueue `count` jobs in a transaction, hold it for `hold` seconds of claims, commit, and claim all of them.

    On SQLite nobody else writes while a transaction does: give no time to hold there.
    """
    node = StoreNode(url)
    await node.open()
    before, after = Rounds(node), Rounds(node)
    await before.one()
    transaction = LateTransaction(url, count)
    try:
        await asyncio.wait([transaction.enqueued, transaction.running], return_when=asyncio.FIRST_COMPLETED)
        began = time.monotonic()
        while time.monotonic() - began < hold and not transaction.running.done():
            await before.one()
    finally:
        transaction.commit()
    await transaction.running
    committed = time.monotonic()
    after.inserted = before.inserted - before.claimed + count
    while after.claimed < after.inserted:
        await after.one()
    took = time.monotonic() - committed
    await node.close()
    return {
        "jobs_while_held": before.claimed,
        **{f"held_{name}": value for name, value in percentiles(before.waits).items()},
        "seconds_until_claimed": took,
        "largest_claim": max(after.sizes),
        **{f"after_{name}": value for name, value in percentiles(after.waits).items()},
        "slowest_ms": max(after.waits) * 1000,
    }
