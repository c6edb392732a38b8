"""promote, expire, prune: what time does to jobs."""

from __future__ import annotations

import pytest

from ferryman.domain.job import MICROS, Idempotency
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import CancelResult, Promoted, RetryResult, Verdict
from ferryman.testing.conformance.bench import Bench


class Promoting:
    """A scheduled job is pending once it is due, and not before."""

    async def test_due_jobs_become_pending_in_the_order_in_which_they_are_due(self, bench: Bench) -> None:
        start = bench.now
        ids = {delay: await bench.add(run_at=start + delay * MICROS) for delay in (30, 10, 20, 40)}
        assert await bench.store.promote(start, 10) == Promoted(0, start + 10 * MICROS)
        bench.clock.advance(30)
        assert await bench.store.promote(bench.now, 10) == Promoted(3, start + 40 * MICROS)
        assert [job.id for job in (await bench.claim()).jobs] == [ids[10], ids[20], ids[30]]
        assert await bench.status(ids[40]) is Status.SCHEDULED
        bench.clock.advance(10)
        assert await bench.store.promote(bench.now, 10) == Promoted(1, None)
        assert await bench.store.promote(bench.now, 10) == Promoted(0, None)

    async def test_a_limit_takes_those_that_are_due_first(self, bench: Bench) -> None:
        ids = [await bench.add(run_at=bench.now + delay) for delay in (3, 1, 2)]
        due = bench.now + 3
        bench.clock.advance(1)
        assert await bench.store.promote(bench.now, 2) == Promoted(2, due)
        assert [await bench.status(id) for id in ids] == [Status.SCHEDULED, Status.PENDING, Status.PENDING]

    async def test_jobs_due_at_once_keep_the_order_of_their_ids(self, bench: Bench) -> None:
        ids = [await bench.add(run_at=bench.now + 1) for _ in range(5)]
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        assert [job.id for job in (await bench.claim()).jobs] == ids

    async def test_a_promoted_job_is_as_it_was(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.INTERRUPTED)
        job = await bench.claim_one()
        await bench.finish(job, What.FAILED, delay=1.0)
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        again = await bench.claim_one()
        assert (again.number, again.attempt, again.interruptions) == (3, 2, 0)

    async def test_priority_counts_more_than_being_due(self, bench: Bench) -> None:
        late = await bench.add(run_at=bench.now + MICROS, priority=1)
        waiting = await bench.add(priority=2)
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        assert [job.id for job in (await bench.claim()).jobs] == [late, waiting]

    async def test_a_scheduled_job_reads_when_it_is_due_and_then_what_was_asked(self, bench: Bench) -> None:
        asked = bench.now + MICROS
        id = await bench.add(run_at=asked)
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        await bench.finish(await bench.claim_one(), What.SNOOZED, delay=5.0)
        assert (await bench.read(id)).run_at == bench.now + 5 * MICROS
        bench.clock.advance(5)
        await bench.store.promote(bench.now, 10)
        assert (await bench.read(id)).run_at == asked


class Expiring:
    """A job that nobody started before its expires_at is cancelled; one that runs is left to its worker."""

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SCHEDULED], ids=str)
    async def test_a_job_that_stands_expires(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status, expires_at=bench.now + MICROS)
        assert await bench.store.expire(bench.now + MICROS - 1, 10) == 0
        bench.clock.advance(1)
        assert await bench.store.expire(bench.now, 10) == 1
        job = await bench.read(id)
        assert (job.status, job.claim, job.finished_at) == (Status.CANCELLED, 1, bench.now)
        assert job.error is not None
        assert job.error.code == "FM510"
        last = await bench.last(id)
        assert (last.what, last.error) == ("cancelled", job.error)
        assert (await bench.claim()).jobs == []
        assert await bench.totals("cancelled") == [1]
        assert await bench.store.expire(bench.now, 10) == 0

    @pytest.mark.parametrize("status", [Status.PROCESSING, Status.COMPLETED, Status.FAILED, Status.CANCELLED], ids=str)
    async def test_a_job_that_runs_or_has_ended_does_not_expire(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status, expires_at=bench.now + MICROS)
        before = await bench.read(id)
        bench.clock.advance(5)
        assert await bench.store.expire(bench.now, 10) == 0
        assert await bench.read(id) == before

    async def test_a_job_that_comes_back_after_its_time_expires(self, bench: Bench) -> None:
        job = await bench.start(expires_at=bench.now + MICROS)
        bench.clock.advance(5)
        assert await bench.store.expire(bench.now, 10) == 0
        await bench.finish(job, What.RELEASED)
        assert await bench.store.expire(bench.now, 10) == 1
        assert (await bench.read(job.id)).claim == 2

    async def test_a_retried_job_expires_again(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, expires_at=bench.now + MICROS)
        bench.clock.advance(5)
        assert await bench.store.expire(bench.now, 10) == 0
        await bench.store.retry(id, bench.now)
        assert await bench.store.expire(bench.now, 10) == 1

    async def test_running_jobs_do_not_keep_others_from_expiring(self, bench: Bench) -> None:
        for _ in range(3):
            await bench.start(expires_at=bench.now + 1)
        standing = [await bench.add(expires_at=bench.now + 2) for _ in range(3)]
        bench.clock.advance(1)
        for _ in range(6):
            await bench.store.expire(bench.now, 1)
        assert [await bench.status(id) for id in standing] == [Status.CANCELLED] * 3


class Pruning:
    """What has ended is hidden once its retention has passed, then deleted; nothing else ever is."""

    @pytest.mark.parametrize(
        ("status", "seconds"), [(Status.COMPLETED, 100), (Status.FAILED, 200), (Status.CANCELLED, 300)], ids=str
    )
    async def test_each_status_has_its_retention(self, bench: Bench, status: Status, seconds: int) -> None:
        id = await bench.bring(status)
        bench.clock.advance(seconds - 1)
        assert await bench.store.prune(bench.now, 100) == 0
        assert await bench.status(id) is status
        bench.clock.advance(1)
        assert await bench.store.get(id, bench.now) is None
        assert await bench.listed() == []
        assert await bench.store.cancel(id, bench.now) == CancelResult(None)
        assert await bench.store.retry(id, bench.now) == RetryResult(None)
        assert await bench.store.prune(bench.now, 100) == 1
        assert list(await bench.store.attempts(id)) == []
        assert await bench.store.prune(bench.now, 100) == 0

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SCHEDULED, Status.PROCESSING], ids=str)
    async def test_a_job_that_has_not_ended_is_kept_for_ever(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status)
        bench.clock.advance(1_000_000)
        assert await bench.store.prune(bench.now, 100) == 0
        assert await bench.status(id) is status

    async def test_retention_counts_from_the_last_end(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED)
        bench.clock.advance(150)
        await bench.store.retry(id, bench.now)
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        bench.clock.advance(150)
        assert await bench.store.prune(bench.now, 100) == 0
        assert await bench.status(id) is Status.FAILED

    async def test_totals_remember_what_was_pruned(self, bench: Bench) -> None:
        for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
            await bench.bring(status)
        bench.clock.advance(1_000)
        assert await bench.store.prune(bench.now, 100) == 3
        assert await bench.totals("created", "completed", "failed", "cancelled") == [3, 1, 1, 1]

    async def test_bounded_calls_prune_everything_in_the_end(self, bench: Bench) -> None:
        for status in (Status.COMPLETED, Status.PROCESSING, Status.CANCELLED, Status.SCHEDULED) * 3:
            await bench.bring(status)
        bench.clock.advance(1_000)
        pruned = [await bench.store.prune(bench.now, 2) for _ in range(20)]
        assert sum(pruned) == 6
        assert len(await bench.listed()) == 6

    async def test_a_walk_that_prunes_says_when_it_is_over(self, bench: Bench) -> None:
        for _ in range(3):
            await bench.bring(Status.PROCESSING)
        for _ in range(3):
            await bench.bring(Status.CANCELLED)
        bench.clock.advance(1_000)
        count = 0
        for _ in range(10):
            count += await bench.store.prune(bench.now, 1)
            if not bench.store.prunes_on():
                break
        assert (count, bench.store.prunes_on()) == (3, False)
        await bench.store.prune(bench.now, 100)
        assert not bench.store.prunes_on()

    async def test_a_pruned_id_is_free(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job)
        bench.clock.advance(1_000)
        await bench.store.prune(bench.now, 100)
        (receipt,) = await bench.insert(bench.job(id=job.id))
        assert receipt.verdict is Verdict.INSERTED
        assert (await bench.claim_one()).number == 1

    async def test_a_live_idempotency_key_survives_pruning(self, bench: Bench) -> None:
        promise = Idempotency("key", "hash", bench.now + 10 * MICROS)
        id = await bench.add(idempotency=promise)
        await bench.store.prune(bench.now, 100)
        (receipt,) = await bench.insert(bench.job(idempotency=promise))
        assert (receipt.id, receipt.verdict) == (id, Verdict.REPLAYED)
