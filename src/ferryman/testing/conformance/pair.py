"""A store beside the memory store: both hear every verb, and must answer and look the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import msgspec

from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, Job
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import JobFilter, NodeInfo, Store
from ferryman.testing.conformance import invariants
from ferryman.testing.conformance.harness import LEASE, RETENTION, Harness

T = TypeVar("T")
Named = TypeVar("Named", Job, Attempt)
Say = Callable[[Store], Coroutine[Any, Any, T]]
SayAs = Callable[[Store, int], Coroutine[Any, Any, T]]
MILLISECOND: Final = 1_000


class Twin:
    """One node, under the number that each of the two stores gave it."""

    def __init__(self, id: str, memory: int, other: int) -> None:
        self.id, self.memory, self.other = id, memory, other
        self.alive = True


class Pair:
    """The store under test and its model, on one clock."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.clock = harness.clock
        self._runner = asyncio.Runner()
        self._gone: set[str] = set()
        self.memory = MemoryStore(self.clock, IdMinter(random.Random(1)), RETENTION, gone=self._gone.__contains__)
        self.other = self.run(harness.open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one verb."""
        return self._runner.run(work)

    def both(self, say: Say[T]) -> T:
        """Say a verb that needs no node to both stores; they must answer the same."""
        expected, found = self.run(say(self.memory)), self.run(say(self.other))
        assert found == expected
        return expected

    def both_as(self, node: Twin, say: SayAs[T]) -> T:
        """Say a verb for a node to both stores; they must answer the same."""
        expected, found = self.run(say(self.memory, node.memory)), self.run(say(self.other, node.other))
        assert found == expected
        return expected

    def register(self, info: NodeInfo) -> Twin:
        """Make a node live in both."""
        memory, other = (self.run(store.register(info, self.clock.now())) for store in (self.memory, self.other))
        return Twin(info.id, memory, other)

    def beat(self, node: Twin) -> None:
        """A node lives."""
        assert self.memory.beat(node.memory)
        assert self.other.beat(node.other)

    def kill(self, node: Twin) -> None:
        """A node's process ends without a word."""
        self._gone.add(node.id)
        self.run(self.harness.kill(self.other, node.other))

    def rescue(self) -> None:
        """Give back what the dead held; how many nodes that takes is the store's own business."""
        expected, found = (self.run(store.rescue(self.clock.now(), LEASE)) for store in (self.memory, self.other))
        assert sum(each.count for each in found) == sum(each.count for each in expected)

    def compare(self, nodes: Sequence[Twin]) -> None:
        """Whatever can be read must be the same."""
        now = self.clock.now()
        dead = frozenset(node.id for node in nodes if not node.alive)
        self.both(lambda store: pictures(store, now, dead))
        self.both(lambda store: store.keys(None, 100))
        memory, other = self.run(self.memory.counts(now)), self.run(self.other.counts(now))
        assert other.tallied == memory.tallied
        assert other.oldest_pending.keys() == memory.oldest_pending.keys()
        for queue, age in memory.oldest_pending.items():
            assert abs(other.oldest_pending[queue] - age) < MILLISECOND
        for node in nodes:
            self.both_as(node, owed)
            self.both_as(node, asked)
        self.run(invariants.check(self.memory, [node.memory for node in nodes], now))

    def close(self) -> None:
        """Close both."""
        self.run(self.harness.close())
        self._runner.close()


async def pictures(store: Store, now: int, dead: frozenset[str]) -> Sequence[object]:
    """Every job with its outcomes. A store need not remember the names of dead nodes for ever."""
    found: list[object] = []
    for job in await store.list(JobFilter(), now):
        assert await store.get(job.id, now) == job
        story = [_nameless(each, dead) for each in await store.attempts(job.id)]
        found.append((_nameless(job, dead), story))
    return found


def _nameless(what: Named, dead: frozenset[str]) -> Named:
    if what.node is None or what.node in dead:
        return msgspec.structs.replace(what, node=None, worker_id=None)
    return what


async def owed(store: Store, node: int) -> Sequence[object]:
    """What a node still owes."""
    return sorted((batch.id, *sorted(tuple(run) for run in batch.runs)) for batch in await store.open_batches(node))


async def asked(store: Store, node: int) -> Sequence[object]:
    """What a node is asked to cancel."""
    return sorted(tuple(run) for run in await store.cancellations(node))
