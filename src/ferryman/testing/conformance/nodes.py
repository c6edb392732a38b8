"""register, beat, retire, rescue, release: who may claim, and what becomes of what a dead node held."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import NodeNotLive
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import Declaration, NodeInfo, NodeStatus, Rescued
from ferryman.testing.conformance.bench import HOUR, Bench
from ferryman.testing.conformance.handing_in import NOBODY
from ferryman.testing.conformance.harness import LEASE


class Nodes:
    """A node claims while it is live; what a dead one held comes back, and its late writes are fenced."""

    async def test_registered_types_are_known_for_good(self, bench: Bench) -> None:
        assert await bench.store.known_types() == {}
        first = await bench.node(types=frozenset({"a", "b"}))
        await bench.node(types=frozenset({"b", "c"}))
        await bench.bury(first)
        assert set(await bench.store.known_types()) == {"a", "b", "c"}

    async def test_what_a_type_declares_is_told_and_the_latest_registration_wins(self, bench: Bench) -> None:
        types = frozenset({"a", "b"})
        old = Declaration("mail", 3, 1, frozenset({"token", "password"}))
        await bench.node(types=types, declared={"a": old})
        answer = await bench.store.known_types()
        assert answer == {"a": old, "b": Declaration()}
        new = Declaration("post", 4, 2, arguments='{"properties":{"to":{"type":"string"}}}')
        node = await bench.node(types=types, declared={"a": new, "b": old})
        await bench.bury(node)
        assert await bench.store.known_types() == {"a": new, "b": old}
        assert answer == {"a": old, "b": Declaration()}, "an answer stays what it was"

    async def test_a_node_that_says_nothing_of_its_types_leaves_what_was_declared(self, bench: Bench) -> None:
        declared = {"a": Declaration("mail", 3, 1, frozenset({"token"}))}
        await bench.node(types=frozenset({"a"}), declared=declared)
        await bench.node(types=frozenset({"a"}))
        await bench.node(types=frozenset(), declared={"a": Declaration(), "never": Declaration()})
        assert await bench.store.known_types() == declared

    async def test_a_registration_said_twice_does_not_declare_again(self, bench: Bench) -> None:
        first, later = ({"a": Declaration(queue)} for queue in ("first", "later"))
        info = NodeInfo("node-x", "host", 1, "0.1.0", frozenset({"a"}), None, 1, first)
        await bench.store.register(info, bench.now)
        await bench.node(types=frozenset({"a"}), declared=later)
        await bench.store.register(info, bench.now)
        assert await bench.store.known_types() == later

    async def test_two_nodes_have_two_numbers(self, bench: Bench) -> None:
        assert await bench.node() != await bench.node()

    async def test_a_registration_said_twice_is_one_node(self, bench: Bench) -> None:
        info = NodeInfo("node-x", "host", 1, "0.1.0", frozenset({"echo"}), frozenset({"q"}), 1)
        assert await bench.store.register(info, bench.now) == await bench.store.register(info, bench.now)

    @pytest.mark.parametrize("held", [False, True], ids=["idle", "with a claim"])
    async def test_a_node_that_was_found_dead_is_never_live_again(self, bench: Bench, *, held: bool) -> None:
        info = NodeInfo("node-x", "host", 1, "0.1.0", frozenset({"echo"}), None, 1)
        node = await bench.store.register(info, bench.now)
        if held:
            await bench.add()
            await bench.claim(node)
        await bench.bury(node)
        with pytest.raises(NodeNotLive):
            await bench.store.register(info, bench.now)
        with pytest.raises(NodeNotLive):
            await bench.claim(node)

    async def test_a_node_that_retired_is_never_live_again(self, bench: Bench) -> None:
        info = NodeInfo("node-x", "host", 1, "0.1.0", frozenset({"echo"}), None, 1)
        await bench.store.retire(await bench.store.register(info, bench.now), bench.now)
        with pytest.raises(NodeNotLive):
            await bench.store.register(info, bench.now)

    async def test_a_live_node_beats(self, bench: Bench) -> None:
        node = await bench.node()
        assert bench.store.beat(node)
        assert not bench.store.beat(NOBODY)

    async def test_a_rescued_node_hears_of_it_and_may_not_claim(self, bench: Bench) -> None:
        node = await bench.node()
        await bench.bury(node)
        assert not bench.store.beat(node)
        await bench.add()
        with pytest.raises(NodeNotLive):
            await bench.claim(node)

    async def test_a_retired_node_may_not_claim(self, bench: Bench) -> None:
        node = await bench.node()
        await bench.store.retire(node, bench.now)
        await bench.store.retire(node, bench.now)
        assert not bench.store.beat(node)
        with pytest.raises(NodeNotLive):
            await bench.claim(node)
        assert await bench.rescue() == []

    async def test_retiring_a_node_that_never_was_is_nothing(self, bench: Bench) -> None:
        await bench.store.retire(NOBODY, bench.now)

    async def test_what_a_retired_node_still_held_is_not_lost(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.retire(await bench.home(), bench.now)
        await bench.rescue()
        assert await bench.status(job.id) is Status.PENDING

    async def test_what_a_retired_node_still_held_is_told_and_released(self, bench: Bench) -> None:
        node = await bench.node()
        ids = [await bench.add(max_attempts=1) for _ in range(3)]
        batch = await bench.claim(limit=2)
        await bench.store.retire(node, bench.now)
        (still_open,) = await bench.store.open_batches(node)
        assert (still_open.id, sorted(tuple(run) for run in still_open.runs)) == (batch.id, [(id, 1) for id in ids[:2]])
        assert await bench.store.release(node, batch.id, bench.now) == 2
        for id in ids[:2]:
            job = await bench.read(id)
            assert (job.status, job.attempt, job.error) == (Status.PENDING, 0, None)
            assert (await bench.last(id)).what == "released"
        assert list(await bench.store.open_batches(node)) == []
        assert sum(each.count for each in await bench.rescue()) == 0
        assert len((await bench.claim(await bench.node())).jobs) == 3

    # -- rescue ----------------------------------------------------------------------------------

    async def test_rescue_gives_back_what_a_dead_node_held(self, bench: Bench) -> None:
        node = await bench.node()
        ids = [await bench.add() for _ in range(3)]
        jobs = (await bench.claim(limit=2)).jobs + (await bench.claim(limit=1)).jobs
        await bench.finish(jobs[0])
        name = (await bench.read(ids[1])).node
        assert await bench.bury(node) == [Rescued(name or "", 2)]
        for id in ids[1:]:
            job = await bench.read(id)
            assert (job.status, job.attempt, job.claim, job.node) == (Status.PENDING, 1, 1, name)
            assert job.error is not None
            assert job.error.code == "FM505"
            last = await bench.last(id)
            assert (last.what, last.status, last.node, last.worker_id) == ("lost", Status.PENDING, name, None)
        assert await bench.status(ids[0]) is Status.COMPLETED
        assert await bench.totals("rescued", "completed", "retried") == [2, 1, 0]
        assert list(await bench.store.open_batches(node)) == []
        assert await bench.rescue() == []

    async def test_rescue_finds_a_dead_node_that_held_nothing(self, bench: Bench) -> None:
        (rescued,) = await bench.bury(await bench.node())
        assert rescued.count == 0

    async def test_rescue_leaves_the_living_alone(self, bench: Bench) -> None:
        living = await bench.node()
        job = await bench.start()
        await bench.bury(await bench.node())
        assert bench.store.beat(living)
        await bench.finish(job)

    async def test_beats_keep_a_node_alive_for_ever(self, bench: Bench) -> None:
        node = await bench.node()
        job = await bench.start()
        for _ in range(20):
            bench.clock.advance(LEASE / 2)
            assert bench.store.beat(node)
            assert await bench.rescue() == []
        await bench.finish(job)

    async def test_a_node_that_beats_no_more_is_dead_after_the_lease(self, bench: Bench) -> None:
        node = await bench.node()
        job = await bench.start()
        assert await bench.rescue() == []
        bench.clock.advance(LEASE - 1)
        assert await bench.rescue() == []
        bench.clock.advance(2)
        assert [each.count for each in await bench.rescue()] == [1]
        assert await bench.status(job.id) is Status.PENDING
        assert not bench.store.beat(node)

    async def test_an_observer_that_looks_for_the_first_time_waits_a_whole_lease(self, bench: Bench) -> None:
        await bench.node()
        bench.clock.advance(10 * LEASE)
        assert await bench.rescue() == []

    @pytest.mark.parametrize("seconds", [-86_400.0, 86_400.0])
    async def test_a_jump_of_the_wall_clock_kills_nobody(self, bench: Bench, seconds: float) -> None:
        node = await bench.node()
        await bench.rescue()
        bench.clock.jump(seconds)
        assert await bench.rescue() == []
        assert bench.store.beat(node)

    async def test_a_job_lost_on_its_last_attempt_ends_failed(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=1)
        await bench.bury(await bench.home())
        read = await bench.read(job.id)
        assert (read.status, read.attempt, read.finished_at) == (Status.FAILED, 1, bench.now)
        assert await bench.totals("rescued", "failed") == [1, 1]

    async def test_a_lost_job_whose_cancel_was_asked_for_ends_cancelled(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        await bench.bury(await bench.home())
        assert await bench.status(job.id) is Status.CANCELLED
        assert await bench.totals("rescued", "cancelled") == [1, 1]

    # -- what is told of nodes -------------------------------------------------------------------

    async def told(self, bench: Bench) -> dict[str, NodeStatus]:
        """What `nodes` tells, by id."""
        found = await bench.store.nodes(bench.now)
        assert len({each.id for each in found}) == len(found)
        return {each.id: each for each in found}

    async def test_a_node_is_told_of_as_it_registered(self, bench: Bench) -> None:
        assert list(await bench.store.nodes(bench.now)) == []
        since = bench.now
        info = NodeInfo("node-x", "ferry", 17, "0.1.0", frozenset({"echo"}), frozenset({"q", "r"}), 4)
        await bench.store.register(info, since)
        bench.clock.advance(HOUR)
        told = NodeStatus("node-x", "ferry", 17, "0.1.0", frozenset({"q", "r"}), 4, since, None, True, 0, info.types)
        assert list(await bench.store.nodes(bench.now)) == [told]

    async def test_a_node_that_serves_every_queue_names_none(self, bench: Bench) -> None:
        await bench.node()
        assert [each.queues for each in await bench.store.nodes(bench.now)] == [None]

    async def test_nodes_are_told_of_in_the_order_in_which_they_registered(self, bench: Bench) -> None:
        ids = [f"node-{number}" for number in (3, 1, 2)]
        for id in ids:
            await bench.store.register(NodeInfo(id, "host", 1, "0.1.0", frozenset(), None, 1), bench.now)
            bench.clock.advance(1)
        assert [each.id for each in await bench.store.nodes(bench.now)] == ids

    async def test_what_a_node_holds_is_counted_until_each_run_has_ended(self, bench: Bench) -> None:
        await bench.node()
        other = await bench.node()
        for _ in range(4):
            await bench.add()
        job = await bench.claim_one()
        batch = await bench.claim(limit=2)
        await bench.claim(other, limit=1)
        assert sorted(each.claimed for each in await bench.store.nodes(bench.now)) == [1, 3]
        await bench.finish(job)
        await bench.finish(batch.jobs[0])
        assert sorted(each.claimed for each in await bench.store.nodes(bench.now)) == [1, 1]

    async def test_a_dead_node_is_told_of_as_dead_and_is_not_buried_by_that(self, bench: Bench) -> None:
        job = await bench.start()
        node = await bench.home()
        name = (await bench.read(job.id)).node or ""
        assert (await self.told(bench))[name].live
        await bench.rescue()
        await bench.harness.kill(bench.store, node)
        for _ in range(2):
            dead = (await self.told(bench))[name]
            assert (dead.live, dead.ended_at, dead.claimed) == (False, None, 1)
        assert await bench.status(job.id) is Status.PROCESSING
        assert await bench.rescue() == [Rescued(name, 1)]
        buried = (await self.told(bench))[name]
        assert (buried.live, buried.ended_at, buried.claimed) == (False, bench.now, 0)

    async def test_an_ended_node_is_told_of_for_an_hour(self, bench: Bench) -> None:
        node = await bench.node()
        ended = bench.now
        await bench.store.retire(node, ended)
        bench.clock.advance(1)
        await bench.store.retire(node, bench.now)
        await bench.store.prune(bench.now, 10)
        [told] = (await self.told(bench)).values()
        assert (told.live, told.ended_at) == (False, ended)
        bench.clock.advance(HOUR - 2)
        await bench.store.prune(bench.now, 10)
        assert len(await self.told(bench)) == 1
        bench.clock.advance(1)
        assert await self.told(bench) == {}
        await bench.store.retire(await bench.node(), bench.now)
        assert len(await self.told(bench)) == 1

    async def test_a_node_that_retired_with_claims_ended_when_it_retired(self, bench: Bench) -> None:
        await bench.start()
        ended = bench.now
        await bench.store.retire(await bench.home(), ended)
        [told] = (await self.told(bench)).values()
        assert (told.live, told.ended_at, told.claimed) == (False, ended, 1)
        bench.clock.advance(5)
        await bench.rescue()
        [told] = (await self.told(bench)).values()
        assert (told.live, told.ended_at, told.claimed) == (False, ended, 0)

    # -- claims whose reply was lost -------------------------------------------------------------

    async def test_a_released_batch_goes_back_unspent(self, bench: Bench) -> None:
        node = await bench.node()
        ids = [await bench.add(max_attempts=1) for _ in range(3)]
        batch = await bench.claim()
        await bench.finish(batch.jobs[0])
        assert await bench.store.release(node, batch.id, bench.now) == 2
        for id in ids[1:]:
            job = await bench.read(id)
            assert (job.status, job.attempt, job.claim, job.error) == (Status.PENDING, 0, 1, None)
            assert (await bench.last(id)).what == "released"
        assert list(await bench.store.open_batches(node)) == []
        assert await bench.store.release(node, batch.id, bench.now) == 0

    async def test_a_release_keeps_what_is_known_of_crashes(self, bench: Bench) -> None:
        await bench.start()
        await bench.bury(await bench.home())
        node = await bench.node()
        batch = await bench.claim(node)
        await bench.store.release(node, batch.id, bench.now)
        (job,) = (await bench.claim(node)).jobs
        assert (job.crashes, job.attempt, job.number) == (1, 2, 3)

    async def test_a_release_of_a_job_whose_cancel_was_asked_for_cancels_it(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        assert await bench.store.release(await bench.home(), job.batch, bench.now) == 1
        assert await bench.status(job.id) is Status.CANCELLED

    async def test_a_node_releases_only_its_own(self, bench: Bench) -> None:
        job = await bench.start()
        other = await bench.node()
        assert await bench.store.release(other, job.batch, bench.now) == 0
        assert list(await bench.store.open_batches(other)) == []
        await bench.finish(job, What.DONE)
