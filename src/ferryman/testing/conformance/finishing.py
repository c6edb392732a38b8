"""finish: where every outcome leads a job, and what is then read of it."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.domain.error_groups import group_of
from ferryman.domain.errors import IllegalTransition
from ferryman.domain.job import MICROS, Attempt, JobError
from ferryman.domain.outcome import INTERRUPTIONS_MAX, What
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import WORKER, Bench

BOOM = JobError("FM501", "ValueError", "boom", "Traceback ...")
KEPT = msgspec.structs.replace(BOOM, group=group_of(BOOM).id)


class Finishing:
    """An outcome moves its job to its next place, in the same step as it is written."""

    async def test_a_job_completes_with_its_result(self, bench: Bench) -> None:
        job = await bench.start()
        bench.clock.advance(2)
        started = bench.now
        await bench.finish(job, What.DONE, result='{"a":1}')
        read = await bench.read(job.id)
        assert (read.status, read.result, read.attempt, read.claim) == (Status.COMPLETED, '{"a":1}', 1, 1)
        assert (read.started_at, read.finished_at, read.error) == (started, bench.now, None)
        assert read.worker_id == f"{read.node}/worker-{WORKER}"
        assert await bench.totals("completed", "failed", "retried") == [1, 0, 0]

    async def test_a_failure_to_be_retried_is_scheduled_with_its_error(self, bench: Bench) -> None:
        job = await bench.start()
        report = await bench.finish(job, What.FAILED, error=BOOM, delay=1.5)
        due = bench.now + round(1.5 * MICROS)
        read = await bench.read(job.id)
        assert (read.status, read.attempt, read.run_at, read.error) == (Status.SCHEDULED, 1, due, KEPT)
        assert (read.finished_at, read.started_at) == (None, bench.now)
        assert (report.scheduled, report.readied) == (due, False)
        assert await bench.totals("retried", "failed") == [1, 0]

    async def test_a_last_failure_ends_failed(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=1)
        await bench.finish(job, What.FAILED, error=BOOM, delay=1.5)
        read = await bench.read(job.id)
        assert (read.status, read.error, read.finished_at) == (Status.FAILED, KEPT, bench.now)
        assert await bench.totals("retried", "failed") == [0, 1]

    async def test_a_failure_that_is_not_retryable_ends_failed(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.FAILED, error=BOOM, retryable=False)
        assert await bench.status(job.id) is Status.FAILED

    async def test_the_error_stays_until_the_job_completes(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.FAILED, error=BOOM, delay=0.0)
        await bench.store.promote(bench.now, 10)
        again = await bench.claim_one()
        assert (await bench.read(job.id)).error == KEPT
        await bench.finish(again, What.SNOOZED, delay=0.0)
        assert (await bench.read(job.id)).error == KEPT
        await bench.store.promote(bench.now, 10)
        await bench.finish(await bench.claim_one())
        assert (await bench.read(job.id)).error is None

    async def test_a_snooze_spends_no_attempt_and_no_retry(self, bench: Bench) -> None:
        job = await bench.start()
        report = await bench.finish(job, What.SNOOZED, delay=60.0)
        read = await bench.read(job.id)
        assert (read.status, read.attempt, read.run_at) == (Status.SCHEDULED, 0, bench.now + 60 * MICROS)
        assert report.scheduled == read.run_at
        assert await bench.totals("retried") == [0]

    async def test_a_release_gives_the_job_back_as_it_was(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=1)
        report = await bench.finish(job, What.RELEASED)
        read = await bench.read(job.id)
        assert (read.status, read.attempt, read.claim) == (Status.PENDING, 0, 1)
        assert (report.readied, report.scheduled) == (True, None)
        again = await bench.claim_one()
        assert (again.number, again.attempt) == (2, 1)

    async def test_an_interruption_spends_no_attempt_and_is_counted(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=2)
        for count in range(1, INTERRUPTIONS_MAX + 1):
            await bench.finish(job, What.INTERRUPTED)
            job = await bench.claim_one()
            assert (job.interruptions, job.attempt) == (count, 1)
        await bench.finish(job, What.INTERRUPTED)
        assert (await bench.claim_one()).attempt == 2

    async def test_an_interruption_ends_a_job_of_one_attempt(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=1)
        await bench.finish(job, What.INTERRUPTED)
        read = await bench.read(job.id)
        assert read.status is Status.FAILED
        assert read.error is not None
        assert read.error.code == "FM506"

    async def test_a_handler_may_cancel_its_job(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.CANCELLED)
        read = await bench.read(job.id)
        assert (read.status, read.attempt, read.finished_at) == (Status.CANCELLED, 1, bench.now)
        assert await bench.totals("cancelled") == [1]

    async def test_each_attempt_keeps_its_own_story(self, bench: Bench) -> None:
        job = await bench.start()
        first = bench.now
        await bench.finish(job, What.FAILED, error=BOOM, delay=0.0)
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        await bench.finish(await bench.claim_one(), What.DONE, result="1")
        read = await bench.read(job.id)
        common = {"worker_id": read.worker_id, "node": read.node}
        assert list(await bench.store.attempts(job.id)) == [
            Attempt(
                number=1,
                what="failed",
                status=Status.SCHEDULED,
                attempt=1,
                error=KEPT,
                started_at=first,
                finished_at=first,
                **common,
            ),
            Attempt(
                number=2,
                what="done",
                status=Status.COMPLETED,
                attempt=2,
                error=None,
                started_at=bench.now,
                finished_at=bench.now,
                **common,
            ),
        ]

    async def test_a_batch_ends_run_by_run(self, bench: Bench) -> None:
        node = await bench.node()
        ids = [await bench.add() for _ in range(3)]
        jobs = (await bench.claim()).jobs
        await bench.finish(jobs[1])
        owed = [run for batch in await bench.store.open_batches(node) for run in batch.runs]
        assert sorted(tuple(run) for run in owed) == sorted([(ids[0], 1), (ids[2], 1)])
        await bench.write(bench.ended(jobs[0], What.DONE), bench.ended(jobs[2], What.DONE))
        assert list(await bench.store.open_batches(node)) == []

    async def test_one_finish_over_several_batches_reports_what_is_next(self, bench: Bench) -> None:
        jobs = [await bench.start() for _ in range(4)]
        report = await bench.write(
            bench.ended(jobs[0], What.DONE),
            bench.ended(jobs[1], What.SNOOZED, delay=20.0),
            bench.ended(jobs[2], What.SNOOZED, delay=10.0),
            bench.ended(jobs[3], What.RELEASED),
        )
        assert report.fenced == frozenset()
        assert (report.readied, report.scheduled) == (True, bench.now + 10 * MICROS)

    async def test_a_job_is_never_due_in_the_past(self, bench: Bench) -> None:
        job = await bench.start()
        finish = bench.ended(job, What.SNOOZED, delay=1.0)
        bench.clock.advance(5)
        report = await bench.write(finish)
        assert (await bench.read(job.id)).run_at == report.scheduled == bench.now

    async def test_a_finish_of_nothing_is_nothing(self, bench: Bench) -> None:
        assert (await bench.write()).fenced == frozenset()

    @pytest.mark.parametrize("status", [Status.WAITING, Status.PROCESSING], ids=str)
    async def test_no_outcome_leads_where_the_table_has_no_edge(self, bench: Bench, status: Status) -> None:
        good, bad = await bench.start(), await bench.start()
        wrong = msgspec.structs.replace(bench.ended(bad, What.RELEASED), status=status)
        with pytest.raises(IllegalTransition):
            await bench.write(bench.ended(good, What.DONE), wrong)
        assert [await bench.status(job.id) for job in (good, bad)] == [Status.PROCESSING] * 2


class FinishingWhenCancelled:
    """A job whose cancel was asked for does not run again, however its run ends."""

    @pytest.mark.parametrize(
        ("what", "delay"),
        [(What.FAILED, 1.0), (What.SNOOZED, 1.0), (What.RELEASED, None), (What.INTERRUPTED, None)],
        ids=str,
    )
    async def test_what_would_run_again_ends_cancelled(self, bench: Bench, what: What, delay: float | None) -> None:
        job = await bench.start(unique_key="k")
        await bench.store.cancel(job.id, bench.now)
        report = await bench.finish(job, what, delay=delay)
        assert await bench.status(job.id) is Status.CANCELLED
        assert report.cancelled == frozenset({job.id})
        assert (report.readied, report.scheduled) == (False, None)
        last = await bench.last(job.id)
        assert (last.number, last.what, last.status) == (1, what, Status.CANCELLED)
        assert await bench.totals("cancelled", "retried") == [1, 0]
        await bench.add(unique_key="k")

    async def test_a_write_said_again_hears_again_that_the_job_was_cancelled(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        ended = bench.ended(job, What.RELEASED)
        for _ in range(2):
            report = await bench.write(ended)
            assert (report.fenced, report.cancelled) == (frozenset(), frozenset({job.id}))

    @pytest.mark.parametrize(
        ("what", "retryable", "status"),
        [
            (What.DONE, True, Status.COMPLETED),
            (What.FAILED, False, Status.FAILED),
            (What.CANCELLED, True, Status.CANCELLED),
        ],
        ids=str,
    )
    async def test_what_has_ended_stays_as_it_ended(
        self, bench: Bench, what: What, retryable: bool, status: Status
    ) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        report = await bench.finish(job, what, retryable=retryable)
        assert await bench.status(job.id) is status
        assert report.cancelled == frozenset()

    async def test_only_the_job_that_was_asked_for_ends_cancelled(self, bench: Bench) -> None:
        asked, other = await bench.start(), await bench.start()
        await bench.store.cancel(asked.id, bench.now)
        report = await bench.write(bench.ended(asked, What.RELEASED), bench.ended(other, What.RELEASED))
        assert (report.cancelled, report.readied) == (frozenset({asked.id}), True)
        assert await bench.status(other.id) is Status.PENDING

    async def test_a_wish_ends_with_the_run_that_it_met(self, bench: Bench) -> None:
        node = await bench.node()
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        await bench.finish(job, What.SNOOZED, delay=1.0)
        assert list(await bench.store.cancellations(node)) == []
        await bench.store.retry(job.id, bench.now)
        await bench.finish(await bench.claim_one(), What.RELEASED)
        assert await bench.status(job.id) is Status.PENDING
