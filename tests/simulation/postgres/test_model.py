"""The model of PostgreSQL: what is visible when, what is passed by, what a lost connection and a restart leave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import NodeNotLive, StoreFailed
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, NewJob
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.state import Status
from ferryman.store.protocol import JobFilter, NodeInfo, Retention
from ferryman.testing.history import entries as e
from tests.simulation.loop import SimLoop, pause
from tests.simulation.notes import Notes
from tests.simulation.plan import ServerPlan
from tests.simulation.postgres.connection import at_once
from tests.simulation.postgres.server import TOGETHER, Server, Transaction
from tests.simulation.postgres.store import ModelStore
from tests.simulation.postgres.tables import ModelMemory
from tests.simulation.process import WallClock
from tests.simulation.test_loop import run

LATE = ServerPlan(late=1.0)
NOW = 1_000 * MICROS


class Bench:
    """A server, and some processes with a node each."""

    def __init__(self, loop: SimLoop) -> None:
        self.loop = loop
        self.notes = Notes(loop)
        self.memory = ModelMemory(WallClock(loop), IdMinter(random.Random(1)), Retention(10**15, 10**15, 10**15))
        self.server = Server(self.memory, ServerPlan(), 0.001, loop, self.notes, 1)
        self._batches = 0

    async def store(self, name: str) -> tuple[ModelStore, int]:
        store = ModelStore(self.server, name)
        return store, await store.register(NodeInfo(name, "h", 1, "1", frozenset({"mail"}), None, 1), NOW)

    def request(self, node: int, limit: int = 10, **changes: Any) -> ClaimRequest:
        self._batches += 1
        said = {"types": frozenset({"mail"}), "queues": None, "idle": limit, "alone": True} | changes
        return ClaimRequest(node=node, batch=self._batches, limit=limit, **said)

    async def claim(self, store: ModelStore, node: int, limit: int = 10, **changes: Any) -> list[str]:
        return ids(await store.claim(self.request(node, limit, **changes), NOW))

    def begin(self, store: ModelStore) -> Transaction:
        """A transaction of a caller's own."""
        return self.server.begin(store.connection.process, TOGETHER)

    async def commit(self, store: ModelStore, transaction: Transaction, *jobs: str) -> None:
        await store.connection.conclude(
            transaction, lambda: at_once(self.memory.insert([job(each) for each in jobs], NOW))
        )

    async def under_way(self, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A call whose statement has run, and whose commit comes late."""
        self.server.plan = LATE
        task = self.loop.create_task(call)
        await pause(0.0)
        await pause(0.0)
        self.server.plan = ServerPlan()
        return task

    def found(self) -> list[tuple[list[str], str]]:
        return [(each.jobs, each.how) for each in self.notes.entries if isinstance(each, e.Found)]

    def undone(self) -> list[list[str]]:
        return [each.jobs for each in self.notes.entries if isinstance(each, e.Undone)]

    def faults(self) -> list[tuple[str, str]]:
        return [(each.verb, each.kind) for each in self.notes.entries if isinstance(each, e.Faulted)]


def job(id: str, **fields: Any) -> NewJob:
    return NewJob(id, "mail", "{}", NOW, **fields)


def ids(batch: Batch) -> list[str]:
    return [each.id for each in batch.jobs]


def with_bench(play: Callable[[Bench], Coroutine[Any, Any, Any]]) -> None:
    async def begin(loop: SimLoop) -> None:
        await play(Bench(loop))

    run(1, begin)


# -- late commits ------------------------------------------------------------------------------------


def test_jobs_of_a_late_commit_stand_before_those_that_were_claimed_and_are_found_in_bounded_batches() -> None:
    async def play(bench: Bench) -> None:
        a, _ = await bench.store("a")
        b, node = await bench.store("b")
        late = bench.begin(a)
        await a.insert([job("second")], NOW)
        assert await bench.claim(b, node) == ["second"]
        assert await bench.claim(b, node) == []
        await bench.commit(a, late, *"uvwxy")
        assert await a.list(JobFilter(statuses=frozenset({Status.PENDING})), NOW)
        await a.insert([job("third")], NOW)
        assert [await bench.claim(b, node, 2) for _ in range(4)] == [["u", "v"], ["w", "x"], ["y", "third"], []]
        assert bench.found() == [(["u", "v"], "gap"), (["w", "x"], "gap"), (["y"], "gap")]
        assert [each.running for each in bench.notes.entries if isinstance(each, e.Passed)] == [1]

    with_bench(play)


def test_nobody_sees_what_is_not_committed_and_a_rollback_leaves_nothing() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        bench.server.plan = LATE
        inserting = bench.loop.create_task(a.insert([job("x")], NOW))
        await pause(0.001)
        assert await a.get("x", NOW) is None
        await inserting
        assert await a.get("x", NOW) is not None
        assert await bench.claim(a, node) == ["x"]
        own = bench.begin(a)
        bench.server.roll_back(own)
        with pytest.raises(StoreFailed):
            await bench.commit(a, own, "y")
        assert await a.get("y", NOW) is None

    with_bench(play)


def test_an_insert_gives_its_own_jobs_to_the_claim_that_rides_along() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("older")], NOW)
        inserted = await a.insert([job("x"), job("y")], NOW, claim=bench.request(node, 2))
        assert inserted.batch is not None
        assert ids(inserted.batch) == ["older", "x"]
        assert await bench.claim(a, node) == ["y"]
        with pytest.raises(NodeNotLive):
            await a.insert([job("z")], NOW, claim=bench.request(node + 1))
        assert await a.get("z", NOW) is None

    with_bench(play)


# -- what is seen and left ---------------------------------------------------------------------------


def test_a_job_that_must_wait_for_an_idle_worker_is_not_passed() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("x"), job("last chance", max_attempts=1), job("y")], NOW)
        assert await bench.claim(a, node, idle=0) == ["x"]
        assert await bench.claim(a, node, idle=0) == []
        assert await bench.claim(a, node) == ["last chance", "y"]
        assert bench.found() == []

    with_bench(play)


# -- SKIP LOCKED and rollbacks -----------------------------------------------------------------------


def test_what_another_claim_has_taken_is_passed_by_and_found_by_the_next_rescan_if_that_is_rolled_back() -> None:
    async def play(bench: Bench) -> None:
        a, first = await bench.store("a")
        b, second = await bench.store("b")
        await a.insert([job("x"), job("y")], NOW)
        claiming = await bench.under_way(bench.claim(a, first, 1))
        assert await bench.claim(b, second) == ["y"]
        bench.server.dice.seed(1)  # 0.13: what was under way is rolled back
        a.connection.die()
        assert bench.undone() == [["x"]]
        assert await bench.claim(b, second) == []
        await pause(ServerPlan().rescan - 1.0)
        assert await bench.claim(b, second) == []
        await pause(1.0)
        assert await bench.claim(b, second) == ["x"]
        assert bench.found() == [(["x"], "rescan")]
        claiming.cancel()

    with_bench(play)


def test_a_cancel_waits_for_who_has_taken_the_job() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("x")], NOW)
        claiming = await bench.under_way(bench.claim(a, node))
        assert (await a.cancel("x", NOW)).before is Status.PROCESSING
        assert claiming.done()

    with_bench(play)


def test_an_expiry_waits_for_who_has_taken_the_job_and_finds_it_gone() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("x", expires_at=NOW + 1)], NOW)
        claiming = await bench.under_way(bench.claim(a, node))
        assert await a.expire(NOW + 2, 10) == 0
        assert await claiming == ["x"]

    with_bench(play)


def test_a_claim_whose_node_was_found_dead_meanwhile_gives_back_what_it_took() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("x")], NOW)
        claiming = await bench.under_way(bench.claim(a, node))
        rescued = await a.rescue(NOW, 0.0)
        assert [each.node for each in rescued] == ["a"]
        with pytest.raises(NodeNotLive):
            await claiming
        assert bench.undone() == [["x"]]

    with_bench(play)


def test_a_node_is_dead_when_its_last_beat_is_older_than_the_lease() -> None:
    async def play(bench: Bench) -> None:
        a, first = await bench.store("a")
        await bench.store("b")
        await pause(1.5)
        assert a.beat(first)
        await pause(0.6)
        assert [each.node for each in await a.rescue(NOW, 2.0)] == ["b"]

    with_bench(play)


# -- lost connections, restarts ------------------------------------------------------------------------


def test_a_lost_connection_fails_what_is_under_way_and_some_of_it_is_committed_all_the_same() -> None:
    async def play(bench: Bench) -> None:
        a, _ = await bench.store("a")
        bench.server.plan = LATE
        names = [f"j{number}" for number in range(20)]
        calls = [bench.loop.create_task(a.insert([job(each)], NOW)) for each in names]
        own = bench.begin(a)
        await pause(0.0)
        await pause(0.0)
        a.connection.lose()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in answers} == {StoreFailed}
        assert not own.open, "what its callers had not committed is rolled back at once"
        assert bench.faults() == [("insert", "lost")] * 20
        await bench.server.rest()
        assert 0 < len(await a.list(JobFilter(limit=100), NOW)) < 20

    with_bench(play)


def test_after_a_lost_connection_a_node_looks_from_the_beginning() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("x")], NOW)
        assert await bench.claim(a, node) == ["x"]
        assert a.connection.cursors != {}
        a.connection.lose()
        assert a.connection.cursors == {}

    with_bench(play)


def test_a_claim_under_way_goes_by_the_rules_that_it_has_found() -> None:
    async def play(bench: Bench) -> None:
        (a, first), (b, second) = await bench.store("a"), await bench.store("b")
        await a.insert([job(name) for name in "xyz"], NOW)
        bench.server.plan = LATE
        under_way = bench.loop.create_task(bench.claim(a, first, limit=2))
        await pause(0.0)
        await pause(0.0)
        bench.server.plan = ServerPlan()
        await b.pause(Scope.TYPE, "mail", True)
        assert await bench.claim(b, second) == []
        await b.pause(Scope.TYPE, "mail", False)
        await b.limit(Scope.TYPE, "mail", Limit(1))
        assert await bench.claim(b, second) == ["z"], "nobody sees what has not been committed"
        assert await under_way == ["x", "y"]
        assert await bench.claim(b, second) == []

    with_bench(play)


def test_what_a_claim_has_found_goes_with_it_where_its_node_is_not_live_any_more() -> None:
    async def play(bench: Bench) -> None:
        (a, first), (b, second) = await bench.store("a"), await bench.store("b")
        await a.insert([job(name) for name in "xyz"], NOW)
        bench.server.plan = LATE
        under_way = bench.loop.create_task(bench.claim(a, first, limit=1))
        await pause(0.0)
        await pause(0.0)
        bench.server.plan = ServerPlan()
        await b.retire(first, NOW)
        with pytest.raises(NodeNotLive):
            await under_way
        await b.limit(Scope.TYPE, "mail", Limit(1))
        assert await bench.claim(b, second) == ["x"]

    with_bench(play)


def test_of_two_claims_under_one_limit_one_counts_the_other() -> None:
    async def play(bench: Bench) -> None:
        (a, first), (b, second) = await bench.store("a"), await bench.store("b")
        await a.insert([job(name) for name in "xyz"], NOW)
        await a.limit(Scope.TYPE, "mail", Limit(2))
        both = await asyncio.gather(bench.claim(a, first), bench.claim(b, second))
        assert sorted(len(jobs) for jobs in both) == [0, 2]

    with_bench(play)


def test_a_restart_fails_every_call_of_every_process_each_with_or_without_its_commit() -> None:
    async def play(bench: Bench) -> None:
        stores = [(await bench.store(name))[0] for name in "ab"]
        bench.server.plan = LATE
        calls = [bench.loop.create_task(stores[number % 2].insert([job(f"j{number}")], NOW)) for number in range(20)]
        await pause(0.0)
        await pause(0.0)
        restarting = bench.loop.create_task(bench.server.restart(1.0))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in answers} == {StoreFailed}
        with pytest.raises(StoreFailed):
            await stores[0].counts(NOW)
        with pytest.raises(StoreFailed):
            stores[0].beat(1)
        assert bench.faults()[-1] == ("beat", "before")
        await restarting
        assert 0 < len(await stores[0].list(JobFilter(limit=100), NOW)) < 20

    with_bench(play)


def test_a_server_that_fails_over_can_be_read_and_not_written_for_a_while() -> None:
    async def play(bench: Bench) -> None:
        a, node = await bench.store("a")
        await a.insert([job("x")], NOW)
        failing_over = bench.loop.create_task(bench.server.fail_over(1.0))
        await pause(0.1)
        assert await a.get("x", NOW) is not None
        with pytest.raises(StoreFailed):
            await bench.claim(a, node)
        await failing_over
        assert await bench.claim(a, node) == ["x"]

    with_bench(play)
