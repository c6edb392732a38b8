"""place, cancel_waiting: what a person may ask of many jobs that wait; and retry for later."""

from __future__ import annotations

import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.controlling import Placement
from ferryman.store.protocol import RetryResult
from ferryman.testing.conformance.bench import HOUR, Bench

RESTING = [status for status in Status if status in TERMINAL or status is Status.PROCESSING]


class Placing:
    """A job that waits gets another queue, priority or time; every other job is left alone."""

    async def test_a_pending_job_comes_into_its_new_lane_and_is_claimed_there(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(3)]
        assert await bench.store.place([ids[2]], Placement(priority=1), bench.now) == {ids[2]: Status.PENDING}
        read = await bench.read(ids[2])
        assert (read.queue, read.priority, read.status, read.claim) == ("default", 1, Status.PENDING, 0)
        assert [job.id for job in (await bench.claim()).jobs] == [ids[2], ids[0], ids[1]]

    async def test_a_job_moves_to_another_queue_and_its_depth_with_it(self, bench: Bench) -> None:
        id, later = await bench.add(), await bench.bring(Status.SCHEDULED)
        met = await bench.store.place([later, id], Placement(queue="poison"), bench.now)
        assert list(met.items()) == [(later, Status.SCHEDULED), (id, Status.PENDING)]
        standing = {key: n for key, n in (await bench.counts()).standing.items() if n}
        assert standing == {("poison", Status.PENDING): 1, ("poison", Status.SCHEDULED): 1}
        assert [job.id for job in await bench.listed(queues=frozenset({"poison"}))] == [id, later]
        assert (await bench.claim(queues=frozenset({"default"}))).jobs == []
        (job,) = (await bench.claim(queues=frozenset({"poison"}))).jobs
        assert (job.id, job.lane.queue) == (id, "poison")

    async def test_jobs_stand_at_the_end_of_their_new_line_in_the_order_given(self, bench: Bench) -> None:
        ids = [await bench.add(priority=5) for _ in range(3)]
        there = await bench.add(priority=3)
        await bench.store.place([ids[1], ids[0]], Placement(priority=3), bench.now)
        assert [job.id for job in (await bench.claim()).jobs] == [there, ids[1], ids[0], ids[2]]

    async def test_a_job_that_stands_right_keeps_its_place(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(2)]
        for placement in (Placement(priority=5), Placement(queue="default"), Placement(run_at=bench.now)):
            assert await bench.store.place([ids[0]], placement, bench.now) == {ids[0]: Status.PENDING}
        assert [job.id for job in (await bench.claim()).jobs] == ids

    async def test_placing_twice_changes_nothing_more(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(2)]
        placement = Placement("other", 2, bench.now + 60 * MICROS)
        await bench.store.place(ids, placement, bench.now)
        read = await bench.listed()
        assert set((await bench.store.place(ids, placement, bench.now)).values()) == {Status.SCHEDULED}
        assert await bench.listed() == read
        assert (await bench.counts()).standing[("other", Status.SCHEDULED)] == 2

    async def test_a_pending_job_is_put_off(self, bench: Bench) -> None:
        id = await bench.add()
        due = bench.now + 60 * MICROS
        assert await bench.store.place([id], Placement(run_at=due), bench.now) == {id: Status.PENDING}
        read = await bench.read(id)
        assert (read.status, read.run_at) == (Status.SCHEDULED, due)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(60)
        assert (await bench.store.promote(bench.now, 10)).count == 1
        job = await bench.claim_one()
        assert (job.id, job.run_at) == (id, due)

    async def test_a_scheduled_job_runs_sooner_or_later_or_now(self, bench: Bench) -> None:
        id = await bench.bring(Status.SCHEDULED)
        due = bench.now + 60 * MICROS
        for asked in (bench.now + 7200 * MICROS, due):
            assert await bench.store.place([id], Placement(run_at=asked), bench.now) == {id: Status.SCHEDULED}
            assert (await bench.read(id)).run_at == asked
        assert (await bench.store.promote(bench.now, 10)).next_due == due
        assert await bench.store.place([id], Placement(run_at=bench.now), bench.now) == {id: Status.SCHEDULED}
        assert (await bench.claim_one()).id == id
        assert (await bench.read(id)).run_at == bench.now

    async def test_a_new_priority_leaves_the_time_as_it_is(self, bench: Bench) -> None:
        id = await bench.bring(Status.SCHEDULED)
        before = await bench.read(id)
        await bench.store.place([id], Placement(priority=0), bench.now)
        after = await bench.read(id)
        assert (after.status, after.run_at, after.priority) == (Status.SCHEDULED, before.run_at, 0)
        bench.clock.advance(HOUR)
        await bench.store.promote(bench.now, 10)
        assert (await bench.claim_one()).lane.priority == 0

    async def test_a_moved_job_is_as_it_was(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=2)
        await bench.finish(job, What.INTERRUPTED)
        await bench.store.place([job.id], Placement(run_at=bench.now + MICROS), bench.now)
        await bench.store.place([job.id], Placement("other", 0, bench.now), bench.now)
        again = await bench.claim_one()
        assert (again.number, again.attempt, again.interruptions) == (2, 1, 1)
        await bench.finish(again, What.FAILED, delay=0.0)
        await bench.store.promote(bench.now, 10)
        await bench.store.place([job.id], Placement(priority=9), bench.now)
        # its last attempt is still only for an idle worker
        assert (await bench.claim(idle=0)).jobs == []
        last = await bench.claim_one()
        assert (last.attempt, last.lane.queue) == (2, "other")

    async def test_its_lane_stays_when_it_has_left_its_place(self, bench: Bench) -> None:
        id = await bench.add(unique_key="k")
        await bench.store.place([id], Placement("other", 1), bench.now)
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        for status in (Status.FAILED, Status.PENDING):
            read = await bench.read(id)
            assert (read.status, read.queue, read.priority) == (status, "other", 1)
            assert [job.id for job in await bench.listed(queues=frozenset({"other"}))] == [id]
            await bench.store.retry(id, bench.now)
        assert (await bench.claim_one()).lane.queue == "other"

    @pytest.mark.parametrize("status", RESTING, ids=str)
    async def test_a_job_that_does_not_wait_stays_as_it_is(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status)
        before = await bench.read(id)
        placement = Placement("other", 1, bench.now + MICROS)
        assert await bench.store.place([id], placement, bench.now) == {id: status}
        assert await bench.read(id) == before

    async def test_only_those_that_are_there_are_told_of(self, bench: Bench) -> None:
        ended, there, nobody = await bench.bring(Status.FAILED), await bench.add(), bench.job().id
        bench.clock.advance(10_000)
        met = await bench.store.place([nobody, ended, there, "no id", there], Placement(priority=1), bench.now)
        assert met == {there: Status.PENDING}
        assert await bench.store.place([], Placement(priority=1), bench.now) == {}

    async def test_a_moved_job_still_expires(self, bench: Bench) -> None:
        id = await bench.add(expires_at=bench.now + MICROS)
        await bench.store.place([id], Placement("other", run_at=bench.now + 60 * MICROS), bench.now)
        bench.clock.advance(1)
        assert await bench.store.expire(bench.now, 10) == 1
        assert await bench.status(id) is Status.CANCELLED


class CancellingWhatWaits:
    """Whatever nobody runs is cancelled in one commit; whatever runs or has ended is left alone."""

    async def test_what_waits_is_cancelled_and_nothing_else(self, bench: Bench) -> None:
        running = await bench.start()
        ended = await bench.bring(Status.COMPLETED)
        ids = [await bench.add(unique_key="k"), await bench.bring(Status.SCHEDULED)]
        asked = [ids[1], running.id, bench.job().id, ended, "no id", ids[0], ids[1]]
        assert list(await bench.store.cancel_waiting(asked, bench.now)) == [ids[1], ids[0]]
        for id in ids:
            last = await bench.last(id)
            assert (last.number, last.what, last.status, last.error) == (1, "cancelled", Status.CANCELLED, None)
        assert await bench.status(running.id) is Status.PROCESSING
        assert list(await bench.store.cancellations(await bench.home())) == []
        assert await bench.status(ended) is Status.COMPLETED
        await bench.finish(running)
        await bench.add(unique_key="k")
        assert await bench.totals("cancelled") == [2]

    async def test_what_was_cancelled_is_not_cancelled_again(self, bench: Bench) -> None:
        id = await bench.add()
        assert list(await bench.store.cancel_waiting([id], bench.now)) == [id]
        read = await bench.read(id)
        assert list(await bench.store.cancel_waiting([id], bench.now)) == []
        assert await bench.read(id) == read
        assert list(await bench.store.cancel_waiting([], bench.now)) == []


class RetryingLater:
    """A failed or cancelled job is sent back for a time."""

    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED], ids=str)
    async def test_it_is_scheduled_and_runs_when_it_is_due(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status, unique_key="k")
        due = bench.now + 60 * MICROS
        assert await bench.store.retry(id, bench.now, due) == RetryResult(status)
        read = await bench.read(id)
        assert (read.status, read.run_at, read.attempt, read.claim) == (Status.SCHEDULED, due, 0, 2)
        last = await bench.last(id)
        assert (last.what, last.status) == ("retried", Status.SCHEDULED)
        (receipt,) = await bench.insert(bench.job(unique_key="k"))
        assert receipt.id == id
        assert (await bench.store.promote(bench.now, 10)).next_due == due
        assert await bench.totals("retried") == [1]
        bench.clock.advance(60)
        await bench.store.promote(bench.now, 10)
        claimed = await bench.claim_one()
        assert (claimed.attempt, claimed.number) == (1, 3)

    async def test_a_time_that_has_come_means_at_once(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED)
        await bench.store.retry(id, bench.now, bench.now)
        assert await bench.status(id) is Status.PENDING

    async def test_it_still_expires(self, bench: Bench) -> None:
        id = await bench.bring(Status.CANCELLED, expires_at=bench.now + MICROS)
        await bench.store.retry(id, bench.now, bench.now + 60 * MICROS)
        bench.clock.advance(1)
        assert await bench.store.expire(bench.now, 10) == 1
        assert await bench.status(id) is Status.CANCELLED
