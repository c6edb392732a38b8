"""claim: who is taken, in which order, how carefully, and what a worker gets to see."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import NodeNotLive
from ferryman.domain.job import MICROS, ClaimedJob, Lane
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.handing_in import NOBODY


class Claiming:
    """Pending jobs are taken by (priority, arrival), from the lanes that the node can run."""

    async def test_a_claimed_job_says_all_that_a_run_needs(self, bench: Bench) -> None:
        job = bench.job(
            "mail",
            payload='{"a":1}',
            queue="post",
            priority=3,
            max_attempts=4,
            timeout=2.5,
            expires_at=bench.now + MICROS,
            run_at=bench.now,
            unique_key="k",
            tags=("x",),
        )
        await bench.insert(job)
        batch = await bench.claim()
        assert batch.claimed_at == bench.now
        assert batch.jobs == [
            ClaimedJob(
                id=job.id,
                number=1,
                attempt=1,
                crashes=0,
                interruptions=0,
                batch=batch.id,
                lane=Lane("post", "mail", 3),
                payload='{"a":1}',
                max_attempts=4,
                timeout=2.5,
                created_at=job.created_at,
                run_at=job.run_at,
                expires_at=job.expires_at,
                unique_key="k",
                tags=("x",),
            )
        ]

    async def test_a_claimed_job_is_processing(self, bench: Bench) -> None:
        node = await bench.node()
        id = await bench.add()
        bench.clock.advance(1)
        batch = await bench.claim()
        job = await bench.read(id)
        assert (job.status, job.attempt, job.claim, job.started_at) == (Status.PROCESSING, 1, 1, bench.now)
        assert job.node is not None
        assert job.worker_id is None
        (still_open,) = await bench.store.open_batches(node)
        assert (still_open.id, [tuple(run) for run in still_open.runs]) == (batch.id, [(id, 1)])

    async def test_order_is_priority_then_arrival(self, bench: Bench) -> None:
        ids = {}
        for name, priority in [("c", 5), ("e", 9), ("a", 0), ("d", 5), ("b", 0)]:
            ids[await bench.add(priority=priority)] = name
        assert [ids[job.id] for job in (await bench.claim()).jobs] == ["a", "b", "c", "d", "e"]

    async def test_order_holds_across_lanes_within_one_insert_and_when_the_clock_goes_back(self, bench: Bench) -> None:
        jobs = [bench.job(queue=queue) for queue in ("x", "x", "x")]
        await bench.insert(*jobs)
        bench.clock.jump(-3600)
        later = [bench.job(queue="x") for _ in range(2)]
        await bench.insert(*later)
        assert [job.id for job in (await bench.claim()).jobs] == [job.id for job in (*jobs, *later)]

    async def test_arrival_counts_across_types_and_queues(self, bench: Bench) -> None:
        ids = []
        for turn in range(12):
            ids.append(await bench.add(("echo", "mail")[turn % 2], queue=f"q{turn % 3}"))
            bench.clock.advance(0.001)
        assert [job.id for job in (await bench.claim()).jobs] == ids

    async def test_limit_bounds_a_claim_and_the_rest_waits(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(5)]
        assert [job.id for job in (await bench.claim(limit=2)).jobs] == ids[:2]
        assert [job.id for job in (await bench.claim(limit=9)).jobs] == ids[2:]

    @pytest.mark.parametrize("limit", [0, 10])
    async def test_a_claim_that_finds_nothing_leaves_nothing(self, bench: Bench, limit: int) -> None:
        node = await bench.node()
        if not limit:
            await bench.add()
        assert (await bench.claim(limit=limit)).jobs == []
        assert list(await bench.store.open_batches(node)) == []

    async def test_only_lanes_of_known_types_and_queues_are_taken(self, bench: Bench) -> None:
        here = await bench.add(queue="a")
        await bench.add("mail", queue="a")
        await bench.add(queue="b")
        batch = await bench.claim(types=frozenset({"echo", "never seen"}), queues=frozenset({"a", "never seen"}))
        assert [job.id for job in batch.jobs] == [here]
        assert (await bench.claim(types=frozenset())).jobs == []
        assert (await bench.claim(queues=frozenset())).jobs == []
        assert len((await bench.claim()).jobs) == 2

    async def test_scheduled_and_ended_jobs_are_not_taken(self, bench: Bench) -> None:
        for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.SCHEDULED):
            await bench.bring(status)
        assert (await bench.claim()).jobs == []

    async def test_a_job_past_its_expiry_is_given_out(self, bench: Bench) -> None:
        id = await bench.add(expires_at=bench.now + MICROS)
        bench.clock.advance(5)
        assert (await bench.claim_one()).id == id

    async def test_a_job_that_comes_back_goes_to_the_end_of_its_lane(self, bench: Bench) -> None:
        first = await bench.start()
        second = await bench.add()
        await bench.finish(first, What.RELEASED)
        assert [job.id for job in (await bench.claim()).jobs] == [second, first.id]

    async def test_a_node_that_never_registered_may_not_claim(self, bench: Bench) -> None:
        id = await bench.add()
        with pytest.raises(NodeNotLive):
            await bench.claim(NOBODY)
        assert await bench.status(id) is Status.PENDING

    async def test_a_claim_said_twice_never_holds_a_job_twice(self, bench: Bench) -> None:
        node = await bench.node()
        ids = [await bench.add() for _ in range(3)]
        request = bench.request(node, limit=2)
        batch = await bench.store.claim(request, bench.now)
        bench.clock.advance(1)
        assert await bench.store.claim(request, bench.now) == batch
        (held,) = await bench.store.open_batches(node)
        assert [tuple(run) for run in held.runs] == [(id, 1) for id in ids[:2]]
        assert await bench.status(ids[2]) is Status.PENDING

    async def test_a_claim_said_again_later_gives_what_it_still_holds(self, bench: Bench) -> None:
        node = await bench.node()
        for _ in range(2):
            await bench.add()
        request = bench.request(node, limit=2)
        first, second = (await bench.store.claim(request, bench.now)).jobs
        await bench.finish(first)
        assert (await bench.store.claim(request, bench.now)).jobs == [second]


class ClaimingWithCare:
    """Jobs that a crash would end, or that may have caused one, are claimed with care (domain.claim)."""

    async def test_a_last_attempt_is_claimed_only_for_an_idle_worker(self, bench: Bench) -> None:
        free, last = await bench.add(), await bench.add(max_attempts=1)
        behind = await bench.add()
        assert [job.id for job in (await bench.claim(idle=1)).jobs] == [free]
        assert (await bench.claim(idle=0)).jobs == []
        assert [job.id for job in (await bench.claim(idle=1)).jobs] == [last, behind]

    async def test_jobs_without_care_are_prefetched_beyond_the_idle_workers(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(3)]
        assert [job.id for job in (await bench.claim(idle=0)).jobs] == ids

    async def test_two_crashes_make_a_job_run_alone(self, bench: Bench) -> None:
        poison = await self._crash_twice(bench, ["only"])
        await bench.add()
        node = await bench.node()
        assert poison[0] not in [job.id for job in (await bench.claim(node, alone=False)).jobs]
        (job,) = (await bench.claim(node, alone=True)).jobs
        assert (job.id, job.crashes, job.attempt) == (poison[0], 2, 3)

    async def test_one_claim_takes_at_most_one_job_that_must_be_alone(self, bench: Bench) -> None:
        poison = await self._crash_twice(bench, ["a", "b"])
        free = await bench.add()
        node = await bench.node()
        first, second = (await bench.claim(node)).jobs
        assert first.id in poison
        assert second.id == free

    async def test_jobs_that_must_be_alone_hold_nobody_up(self, bench: Bench) -> None:
        await self._crash_twice(bench, ["a", "b", "c"])
        free = await bench.add()
        node = await bench.node()
        assert [job.id for job in (await bench.claim(node, limit=1, alone=False)).jobs] == [free]

    async def test_one_by_one_even_those_that_must_be_alone_are_taken(self, bench: Bench) -> None:
        poison = await self._crash_twice(bench, ["a", "b", "c"])
        node = await bench.node()
        taken = [(await bench.claim(node, limit=1)).jobs[0].id for _ in poison]
        assert sorted(taken) == poison

    async def test_a_good_end_forgets_the_crashes(self, bench: Bench) -> None:
        await self._crash_twice(bench, ["a"])
        await bench.add()
        node = await bench.node()
        job = next(job for job in (await bench.claim(node)).jobs if job.crashes)
        await bench.write(bench.ended(job, What.SNOOZED, delay=0.0), node=node)
        await bench.store.promote(bench.now, 10)
        (again,) = (await bench.claim(node, idle=0, alone=False)).jobs
        assert (again.id, again.crashes) == (job.id, 0)

    async def _crash_twice(self, bench: Bench, names: list[str]) -> list[str]:
        """Jobs, and nothing else, under whose claim two nodes have died."""
        ids = [await bench.add(tags=(name,)) for name in names]
        for _ in range(2):
            node = await bench.node()
            taken = [(await bench.claim(node, limit=1)).jobs for _ in ids]
            assert all(len(jobs) == 1 for jobs in taken)
            await bench.bury(node)
        assert [await bench.status(id) for id in ids] == [Status.PENDING] * len(ids)
        return ids
