"""Whatever fails in the store, and whenever the node is found dead: every job ends, once, and nothing stays claimed."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ferryman.domain.errors import StoreBusy, StoreFull
from ferryman.domain.state import TERMINAL, Status
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, handler, pause

VERBS = ("claim", "finish", "open_batches", "release", "register", "cancellations", "rescue", "retire")


class Story:
    """What the dice of one seed do to a node and its store, for half a virtual minute; then faults end."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.starts: Counter[str] = Counter()

    def handlers(self) -> list[Any]:
        async def quick() -> None:
            pass

        async def waits() -> None:
            await pause(self.dice.uniform(0.0, 3.0))

        async def fails() -> None:
            await pause(self.dice.choice([0.0, 0.1]))
            raise ValueError

        async def late() -> None:
            await pause(100.0)

        return [quick, waits, fails, handler(late, timeout=1.0)]

    async def play(self) -> None:
        dice = self.dice
        bench = Bench(*self.handlers(), workers=dice.choice([1, 2, 10]), capacity=dice.choice([1, 3, 100]))
        bench.store.trip = dice.choice([0.0, 0.01, 0.3])
        await bench.node.start()
        ids: list[str] = []
        for _ in range(dice.randrange(5, 25)):
            ids += await self.act(bench)
            await pause(dice.choice([0.0, 0.01, 0.5, 2.0]))
        bench.store._faults.clear()
        bench.store.beats.clear()
        if dice.random() < 0.5:
            await self.settle(bench, ids)
            await bench.node.stop()
        else:  # the stop comes first, another node finishes
            await bench.node.stop()
            assert not {job.status for job in await bench.jobs(ids)} & {Status.PROCESSING}
            other = Bench(*self.handlers(), workers=10, capacity=100)
            other.store._tables = bench.store._tables
            await other.node.start()
            await self.settle(other, ids)
            await other.node.stop()
        assert not bench.store._tables.claims
        for job in await bench.jobs(ids):
            assert job.attempt <= job.max_attempts
            attempts = await bench.store.attempts(job.id)
            assert sum(each.status in TERMINAL for each in attempts) == 1

    async def act(self, bench: Bench) -> list[str]:
        dice = self.dice
        life = bench.node._life
        if life is not None and life.number in bench.store._tables.nodes and dice.random() < 0.1:
            bench.store._tables.nodes[life.number].live = False
        if dice.random() < 0.1:
            bench.store.beats.extend([StoreBusy("busy")] * dice.randrange(1, 6))
        if dice.random() < 0.5:
            error = dice.choice([StoreBusy("busy"), StoreFull("full")])
            bench.store.fail(dice.choice(VERBS), error, dice.choice(["before", "after"]), dice.randrange(1, 4))
        type = dice.choice(["quick", "waits", "fails", "late"])
        ids = await bench.enqueue(type, count=dice.randrange(1, 20), max_attempts=dice.choice([1, 2, 5]))
        if dice.random() < 0.2:
            result = await bench.store.cancel(dice.choice(ids), bench.clock.now())
            bench.wakeup.cancelled(result.node)
        return ids

    async def settle(self, bench: Bench, ids: list[str]) -> None:
        for _ in range(600):
            if all(job.status in TERMINAL for job in await bench.jobs(ids)):
                return
            await pause(1.0)
        stuck = Counter((job.type, job.status) for job in await bench.jobs(ids) if job.status not in TERMINAL)
        raise AssertionError(f"Ten minutes after the last fault: {stuck}")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_every_job_ends_once_whatever_fails(seed: int) -> None:
    run_virtual(Story(seed).play())
