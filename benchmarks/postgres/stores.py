"""A store by its URL, as one node drives it: for measures of its verbs, without an engine around them."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from benchmarks.postgres.starts import TEXT
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.engine.clock import SystemClock
from ferryman.engine.runner import ThreadRunner
from ferryman.store.factory import is_postgres, make_store
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import NodeInfo, Retention, Store
from ferryman.version import VERSION

TYPE = "noop"
DAY = 24 * 3600 * MICROS
PAYLOAD = f'{{"text":"{TEXT}"}}'


def store_at(url: str) -> Store:
    """The store that a URL names; not open yet."""
    retention = Retention(completed=DAY, failed=14 * DAY, cancelled=14 * DAY)
    ids = IdMinter(random.Random())
    return make_store(url, clock=SystemClock(), ids=ids, retention=retention, runner=ThreadRunner)


def migrate(url: str) -> None:
    """Make the tables in an empty database, as `ferryman migrate` does."""
    if is_postgres(url):
        thread = threading.Thread(target=lambda: asyncio.run(Schema(Target.of(url)).migrate()))
        thread.start()
        thread.join()
        return
    environment = {**os.environ, "FERRYMAN_DATABASE_URL": url}
    subprocess.run([sys.executable, "-m", "ferryman", "migrate"], env=environment, check=True, capture_output=True)


class StoreNode:
    """A store, and a node that is registered in it."""

    def __init__(self, url: str) -> None:
        self.store = store_at(url)
        self._ids = IdMinter(random.Random())
        self._node = 0

    @property
    def now(self) -> int:
        """The present, in microseconds."""
        return SystemClock().now()

    async def open(self) -> None:
        """Connect, and register a node that runs the one type."""
        await self.store.open()
        info = NodeInfo(self._ids.mint(self.now), "bench", os.getpid(), VERSION, frozenset({TYPE}), None, 10)
        self._node = await self.store.register(info, self.now)

    async def close(self) -> None:
        """Disconnect; what is still claimed stays so."""
        await self.store.close()

    def beat(self) -> bool:
        """Renew the claims. Blocking."""
        return self.store.beat(self._node)

    async def insert(self, count: int, key: str | None = None, gate: GateRule | None = None) -> Sequence[str]:
        """Hand jobs in, all of one key or of none; gives their ids."""
        now = self.now
        jobs = [NewJob(self._ids.mint(now), TYPE, PAYLOAD, now, key=key, gate=gate) for _ in range(count)]
        await self.store.insert(jobs, now)
        return [job.id for job in jobs]

    async def claim(self, limit: int) -> Batch:
        """Claim for a node with as many idle workers."""
        request = ClaimRequest(
            node=self._node,
            batch=self._ids.number(),
            types=frozenset({TYPE}),
            queues=None,
            limit=limit,
            idle=limit,
            alone=True,
        )
        return await self.store.claim(request, self.now)

    def ended(self, job: ClaimedJob, what: What, delay: float | None = None) -> Finish:
        """What to write for a run that lasted no time."""
        now = self.now
        result = "null" if what is What.DONE else None
        return decide(job, Outcome(what, result=result, delay=delay), Run(self._ids.number(), 1, now), now)

    async def write(self, finishes: Sequence[Finish]) -> None:
        """Write outcomes; nobody else may have ended these runs."""
        if (await self.store.finish(self._node, finishes, self.now)).fenced:
            raise RuntimeError("A write was fenced, and nobody had rescued the node.")

    async def complete(self, batch: Batch) -> None:
        """All of a batch is done."""
        await self.write([self.ended(job, What.DONE) for job in batch.jobs])

    async def timed_claim(self, limit: int) -> tuple[Batch, float]:
        """A claim, and how many seconds it took."""
        began = time.monotonic()
        batch = await self.claim(limit)
        return batch, time.monotonic() - began
