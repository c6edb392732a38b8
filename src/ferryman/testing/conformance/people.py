"""cancel, force_cancel, retry: what a person may ask of a job."""

from __future__ import annotations

import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import CancelResult, RetryResult
from ferryman.testing.conformance.bench import Bench


class Cancelling:
    """A job that nobody runs is cancelled at once; a running one is asked to end."""

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SCHEDULED], ids=str)
    async def test_a_job_that_stands_is_cancelled_at_once(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status, unique_key="k")
        assert await bench.store.cancel(id, bench.now) == CancelResult(status)
        job = await bench.read(id)
        assert (job.status, job.claim, job.attempt, job.finished_at) == (Status.CANCELLED, 1, 0, bench.now)
        last = await bench.last(id)
        assert (last.number, last.what, last.status, last.node) == (1, "cancelled", Status.CANCELLED, None)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(7200)
        assert (await bench.store.promote(bench.now, 10)).count == 0
        await bench.add(unique_key="k")
        assert await bench.totals("cancelled") == [1]

    async def test_cancelling_keeps_what_the_job_went_through(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.FAILED, delay=60.0)
        ran = await bench.read(job.id)
        await bench.store.cancel(job.id, bench.now)
        read = await bench.read(job.id)
        assert (read.attempt, read.claim, read.error) == (1, 2, ran.error)
        assert (read.started_at, read.worker_id, read.node) == (ran.started_at, ran.worker_id, ran.node)

    async def test_a_running_job_is_asked_to_end(self, bench: Bench) -> None:
        node = await bench.node()
        job, other = await bench.start(), await bench.start()
        for _ in range(2):
            result = await bench.store.cancel(job.id, bench.now)
            assert result == CancelResult(Status.PROCESSING, (await bench.read(job.id)).node)
            assert [tuple(run) for run in await bench.store.cancellations(node)] == [(job.id, 1)]
        assert await bench.status(job.id) is Status.PROCESSING
        await bench.finish(job, What.CANCELLED)
        await bench.finish(other)
        assert list(await bench.store.cancellations(node)) == []

    async def test_the_run_under_way_is_asked_to_end_and_no_earlier_one(self, bench: Bench) -> None:
        """The batch of the first run is open still, because of a neighbour."""
        node = await bench.node()
        for _ in range(8):
            # batch ids are random, so the newer one is the smaller one now and then
            ids = [await bench.add() for _ in range(2)]
            first, neighbour = (await bench.claim()).jobs
            assert [first.id, neighbour.id] == ids
            await bench.finish(first, What.RELEASED)
            again = await bench.claim_one()
            await bench.store.cancel(again.id, bench.now)
            assert (await bench.read(again.id)).claim == again.number
            assert [tuple(run) for run in await bench.store.cancellations(node)] == [(again.id, again.number)]
            await bench.finish(again)
            await bench.finish(neighbour)

    async def test_a_node_hears_only_of_its_own(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        assert list(await bench.store.cancellations(await bench.node())) == []

    @pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED], ids=str)
    async def test_an_ended_job_stays_as_it_is(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status)
        before = await bench.read(id)
        assert await bench.store.cancel(id, bench.now) == CancelResult(status)
        assert await bench.read(id) == before

    async def test_a_job_that_nobody_knows_is_not_cancelled(self, bench: Bench) -> None:
        assert await bench.store.cancel(bench.job().id, bench.now) == CancelResult(None)

    async def test_a_cancel_is_forced_after_its_grace_and_only_then(self, bench: Bench) -> None:
        asked, late, other = await bench.start(unique_key="k"), await bench.start(), await bench.start()
        await bench.store.cancel(asked.id, bench.now)
        bench.clock.advance(10)
        await bench.store.cancel(asked.id, bench.now)
        await bench.store.cancel(late.id, bench.now)
        assert await bench.store.force_cancel(bench.now - 10 * MICROS, bench.now) == 0
        assert await bench.store.force_cancel(bench.now, bench.now) == 1
        read = await bench.read(asked.id)
        assert (read.status, read.claim, read.attempt) == (Status.CANCELLED, 1, 1)
        assert [await bench.status(job.id) for job in (late, other)] == [Status.PROCESSING] * 2
        assert await bench.store.force_cancel(bench.now, bench.now) == 0
        await bench.add(unique_key="k")


class Retrying:
    """A failed or cancelled job starts over, but for its claim number; the retry leaves its trace."""

    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED], ids=str)
    async def test_an_ended_job_starts_over(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status)
        bench.clock.advance(1)
        assert await bench.store.retry(id, bench.now) == RetryResult(status)
        job = await bench.read(id)
        assert (job.status, job.attempt, job.claim, job.finished_at) == (Status.PENDING, 0, 2, None)
        last = await bench.last(id)
        assert (last.number, last.what, last.status, last.attempt) == (2, "retried", Status.PENDING, 0)
        assert (last.started_at, last.finished_at, last.node, last.worker_id) == (None, bench.now, None, None)
        claimed = await bench.claim_one()
        assert (claimed.attempt, claimed.number) == (1, 3)
        assert await bench.totals("retried") == [1]

    async def test_a_retried_job_has_all_its_attempts_again(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=1)
        await bench.bury(await bench.home())
        await bench.store.retry(job.id, bench.now)
        node = await bench.node()
        (again,) = (await bench.claim(node)).jobs
        assert (again.attempt, again.crashes, again.interruptions) == (1, 0, 0)
        await bench.write(bench.ended(again, What.DONE), node=node)
        assert await bench.status(job.id) is Status.COMPLETED

    async def test_a_retried_job_forgets_its_interruptions(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.INTERRUPTED)
        await bench.store.cancel(job.id, bench.now)
        await bench.store.retry(job.id, bench.now)
        assert (await bench.claim_one()).interruptions == 0

    async def test_a_retried_job_is_claimed_with_the_care_of_a_new_one(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, max_attempts=2)
        job = await bench.start(max_attempts=1)
        await bench.finish(job, What.FAILED)
        await bench.store.retry(id, bench.now)
        await bench.store.retry(job.id, bench.now)
        assert [each.id for each in (await bench.claim(idle=0)).jobs] == [id]
        assert [each.id for each in (await bench.claim(idle=1)).jobs] == [job.id]

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SCHEDULED, Status.PROCESSING, Status.COMPLETED], ids=str)
    async def test_a_job_that_has_not_ended_badly_stays_as_it_is(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status)
        before = await bench.read(id)
        assert await bench.store.retry(id, bench.now) == RetryResult(status)
        assert await bench.read(id) == before
        assert await bench.totals("retried") == [0]

    async def test_a_job_that_nobody_knows_is_not_retried(self, bench: Bench) -> None:
        assert await bench.store.retry(bench.job().id, bench.now) == RetryResult(None)

    async def test_a_retry_takes_its_unique_key_again(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, unique_key="k")
        assert await bench.store.retry(id, bench.now) == RetryResult(Status.FAILED)
        (receipt,) = await bench.insert(bench.job(unique_key="k"))
        assert receipt.id == id

    async def test_a_retry_yields_to_the_live_holder_of_its_unique_key(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, unique_key="k")
        holder = await bench.add(unique_key="k")
        before = await bench.read(id)
        assert await bench.store.retry(id, bench.now) == RetryResult(Status.FAILED, holder)
        assert await bench.read(id) == before
        await bench.store.cancel(holder, bench.now)
        assert await bench.store.retry(id, bench.now) == RetryResult(Status.FAILED)

    async def test_a_retry_is_open_until_retention_has_passed(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED)
        bench.clock.advance(199)
        assert await bench.store.retry(id, bench.now) == RetryResult(Status.FAILED)
        bench.clock.advance(10_000)
        assert await bench.store.prune(bench.now, 100) == 0
        assert await bench.status(id) is Status.PENDING
