"""Events to listen to, made short."""

from __future__ import annotations

from ferryman.domain.events import Ended
from ferryman.domain.job import ClaimedJob, JobError, Lane
from ferryman.domain.outcome import Outcome, Run, What, decide

SECOND = 1_000_000
BOOM = JobError("FM501", "ValueError", "boom", "Traceback:\n  ValueError: boom")


def claimed(
    *,
    number: int = 1,
    attempt: int = 1,
    max_attempts: int = 5,
    interruptions: int = 0,
    type: str = "echo",
    queue: str = "default",
    created_at: int = 0,
    run_at: int | None = None,
) -> ClaimedJob:
    return ClaimedJob(
        id="job-1",
        number=number,
        attempt=attempt,
        crashes=0,
        interruptions=interruptions,
        batch=1,
        lane=Lane(queue, type, 5),
        payload="{}",
        max_attempts=max_attempts,
        timeout=None,
        created_at=created_at,
        run_at=run_at,
        expires_at=None,
        unique_key=None,
        tags=(),
    )


def ended(
    what: What,
    job: ClaimedJob | None = None,
    *,
    started_at: int | None = 2 * SECOND,
    finished_at: int = 3 * SECOND,
    delay: float | None = 4.5,
    error: JobError | None = None,
    retryable: bool = True,
) -> Ended:
    job = job or claimed()
    error = BOOM if what is What.FAILED and error is None else error
    outcome = Outcome(what, error=error, delay=delay, retryable=retryable)
    run = Run(1, None if started_at is None else 7, started_at)
    return Ended(job, outcome, decide(job, outcome, run, finished_at))
