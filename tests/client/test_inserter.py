"""Which new jobs share a commit, and who waits for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from ferryman.client.inserter import Inserter
from ferryman.client.pressure import Pressure
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.events import Events
from ferryman.domain.job import Idempotency, NewJob
from ferryman.store.protocol import Inserted, Receipt, Store, Verdict
from ferryman.testing.clock import ManualClock
from tests.client.world import Wakes

pytestmark = pytest.mark.anyio
KEYS = pytest.mark.parametrize(
    "key", [{"unique_key": "k"}, {"idempotency": Idempotency("k", "hash", 1 << 60)}], ids=["unique", "idempotency"]
)


def keyed(job: NewJob) -> bool:
    return job.unique_key is not None or job.idempotency is not None


class Held:
    """A store in which somebody's open transaction has every key."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        """That transaction has ended."""
        self.asked: list[list[str]] = []
        """The ids of each group, as it came."""

    async def insert(
        self, jobs: Sequence[NewJob], now: int, *, claim: ClaimRequest | None = None, **_more: Any
    ) -> Inserted:
        self.asked.append([job.id for job in jobs])
        if any(map(keyed, jobs)):
            await self.over.wait()
        return Inserted([Receipt(job.id, Verdict.INSERTED) for job in jobs], None)


def inserter(store: Held, node: Offering | None = None) -> Inserter:
    clock, given = ManualClock(), cast("Store", store)
    pressure = Pressure(given, clock, max_pending=0, max_age=0)
    return Inserter(given, clock, Wakes(), Events(), pressure=pressure, direct=node)


def job(id: str, **options: Any) -> NewJob:
    return NewJob(id, "send", "{}", 0, **options)


async def turn() -> None:
    """Let everything that is ready run."""
    for _ in range(5):
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0)


@KEYS
async def test_who_waits_for_a_key_lets_nobody_else_wait(key: dict[str, Any]) -> None:
    store = Held()
    several = inserter(store)
    waiting = several.submit(job("a", **key))
    await turn()
    plain = [several.submit(job(id)) for id in "bc"]
    await turn()
    assert [answer.done() for answer in (waiting, *plain)] == [False, True, True]
    assert store.asked == [["a"], ["b", "c"]], "one commit for both, as ever"
    store.over.set()
    assert (await waiting).id == "a"


@KEYS
async def test_those_with_keys_share_their_commits(key: dict[str, Any]) -> None:
    store = Held()
    several = inserter(store)
    waiting = [several.submit(job(id, **key)) for id in "ab"]
    await turn()
    waiting += [several.submit(job(id, **key)) for id in "cd"]
    store.over.set()
    await asyncio.gather(*waiting)
    assert store.asked == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("options", [{}, {"unique_key": "k"}], ids=["plain", "keyed"])
async def test_a_flush_waits_for_either_kind(options: dict[str, Any]) -> None:
    class Slow(Held):
        async def insert(self, jobs: Sequence[NewJob], now: int, **more: Any) -> Inserted:
            await self.over.wait()
            return await super().insert(jobs, now, **more)

    store = Slow()
    several = inserter(store)
    answer = several.submit(job("a", **options))
    flushing = asyncio.create_task(several.flush())
    await turn()
    assert not flushing.done()
    store.over.set()
    await flushing
    assert answer.done()


class Offering:
    """A node that offers to start jobs at once."""

    def __init__(self) -> None:
        self.offers = 0
        self.settled = 0

    def offer(self) -> ClaimRequest | None:
        self.offers += 1
        return ClaimRequest(1, 1, frozenset(), None, 1, 1, True)

    def settle(self, request: ClaimRequest, batch: Batch | None) -> None:
        self.settled += 1


@KEYS
async def test_no_offer_waits_for_a_key(key: dict[str, Any]) -> None:
    store, node = Held(), Offering()
    several = inserter(store, node)
    waiting = several.submit(job("a", **key))
    await turn()
    assert node.offers == 0
    await several.submit(job("b"))
    assert (node.offers, node.settled) == (1, 1)
    store.over.set()
    await waiting
