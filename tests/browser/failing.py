"""Very many jobs that have failed, put into a store at once: `python -m tests.browser.failing URL --jobs 100000`.

The store has its tables already. The jobs are of the stock, and would go well if they were tried again.
"""

from __future__ import annotations

import argparse
import os
import random

from benchmarks.postgres.stores import store_at
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob, JobError, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.engine.clock import SystemClock
from ferryman.program import new_event_loop
from ferryman.store.protocol import NodeInfo, Store
from ferryman.version import VERSION

TYPE = "keep"
QUEUE = "stock"
PORTION = 1_000
"""So many jobs are written at once."""
AWAY = JobError("FM501", "ConnectionError", "No answer from payments.example")


class Failing:
    """A node under which each job fails."""

    def __init__(self, store: Store, ids: IdMinter) -> None:
        self._store = store
        self._ids = ids
        self._node = 0

    async def fill(self, count: int) -> None:
        """Hand so many jobs in, and have all of them fail."""
        clock = SystemClock()
        await self._store.open()
        now = clock.now()
        info = NodeInfo(self._ids.mint(now), "failing", os.getpid(), VERSION, frozenset({TYPE}), None, 10)
        self._node = await self._store.register(info, now)
        while count > 0:
            await self._fail(min(PORTION, count), clock.now())
            count -= PORTION
        await self._store.close()

    async def _fail(self, count: int, now: int) -> None:
        jobs = [NewJob(self._ids.mint(now), TYPE, "{}", now, queue=QUEUE, max_attempts=1) for _ in range(count)]
        request = ClaimRequest(
            self._node, self._ids.number(), frozenset({TYPE}), frozenset({QUEUE}), count, count, alone=True
        )
        # claimed as they are stored, so that no other node runs one before it has failed
        batch = (await self._store.insert(jobs, now, claim=request)).batch
        assert batch is not None and len(batch.jobs) == count
        self._store.beat(self._node)
        await self._store.finish(self._node, [self._failed(job, now) for job in batch.jobs], now)

    def _failed(self, job: ClaimedJob, now: int) -> Finish:
        return decide(job, Outcome(What.FAILED, error=AWAY), Run(self._ids.number(), 1, now), now)


def main() -> None:
    """Read the options and fill."""
    parser = argparse.ArgumentParser(description="Fill a store with jobs that have failed.")
    parser.add_argument("url")
    parser.add_argument("--jobs", type=int, default=100_000)
    options = parser.parse_args()
    failing = Failing(store_at(options.url), IdMinter(random.Random()))
    new_event_loop().run_until_complete(failing.fill(options.jobs))


if __name__ == "__main__":
    main()
