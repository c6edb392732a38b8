"""Many connections at once: jobs that commit late or never, nodes that claim, finish, give back and die."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.inserting import insert_plain
from ferryman.store.postgres.lanes import make
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
NODES = 4
PRODUCERS = 6
TRANSACTIONS = 40
"""By each producer; each of up to ten jobs, one of them of 400."""


class Churn:
    """What is to be true at the end: each committed job completes once, and nothing else does."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.ids = minter(seed)
        self.committed: set[str] = set()
        self.completed: Counter[str] = Counter()
        self.clock = ManualClock()
        self.producing = PRODUCERS

    async def produce(self, store: PostgresStore, connection: Any) -> None:
        for n in range(TRANSACTIONS):
            count = 400 if n == TRANSACTIONS // 2 else self.dice.randint(1, 10)
            now = self.clock.now()
            jobs = [new_job(self.ids.mint(now), priority=self.dice.choice((3, 5))) for _ in range(count)]
            transaction = connection.transaction()
            await transaction.start()
            await drive(connection, store._statements, insert_plain(store._lanes, jobs, now))
            for _ in range(self.dice.choice((0, 0, 1, 5, 40))):
                await connection.fetchval("SELECT 1")  # others get ahead meanwhile
            if self.dice.random() < 0.15:
                await transaction.rollback()
            else:
                await transaction.commit()
                self.committed.update(job.id for job in jobs)
        self.producing -= 1

    async def consume(self, store: PostgresStore, name: str) -> None:
        node = await store.register(node_info(name), self.clock.now())
        while self.producing or self.completed.total() < len(self.committed):
            self.clock.advance(0.05)  # so that the look behind the cursor comes, too
            limit = self.dice.choice((1, 5, 50))
            batch = await store.claim(claim_of(node, self.ids.number(), limit), self.clock.now())
            if self.dice.random() < 0.05:
                await store.release(node, batch.id, self.clock.now())
            elif batch.jobs:
                await self.end(store, node, batch.jobs)
            await store.promote(self.clock.now(), 100)

    async def end(self, store: PostgresStore, node: int, jobs: list[Any]) -> None:
        ends = []
        for job in jobs:
            what = self.dice.choices((What.DONE, What.SNOOZED, What.INTERRUPTED), (90, 5, 5))[0]
            outcome = Outcome(what, "1" if what is What.DONE else None, delay=0.0)
            ends.append(decide(job, outcome, Run(self.ids.number()), self.clock.now()))
        report = await store.finish(node, ends, self.clock.now())
        assert report.fenced == frozenset()
        self.completed.update(each.id for each in ends if each.what is What.DONE)


@pytest.mark.parametrize("seed", range(2))
async def test_each_committed_job_completes_once(database: str, seed: int) -> None:
    churn = Churn(seed)
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(database, churn.clock)) for _ in range(NODES)]
        connections = [await stack.enter_async_context(connected(database)) for _ in range(PRODUCERS)]
        for store in stores:
            lanes = make(store._lanes, [("default", "t", 3), ("default", "t", 5)])
            await drive(connections[0], store._statements, lanes)
        producers = [churn.produce(stores[0], connection) for connection in connections]
        consumers = [churn.consume(store, f"n{n}") for n, store in enumerate(stores)]
        await asyncio.wait_for(asyncio.gather(*producers, *consumers), 100)
        counts = await stores[0].counts(churn.clock.now())
    assert set(churn.completed) == churn.committed
    assert set(churn.completed.values()) == {1}
    assert not any(counts.standing.values())
    assert counts.totals["completed"] == len(churn.committed)
