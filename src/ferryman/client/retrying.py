"""Sends failed and cancelled jobs back: one, or all that fit, at a rate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.client.changing import Changing
from ferryman.client.finding import Counted
from ferryman.client.request import no_such_job
from ferryman.domain import options
from ferryman.domain.audit import Action
from ferryman.domain.errors import UniqueKeyTaken, WrongState
from ferryman.domain.events import JobRetriedByRequest
from ferryman.domain.filters import JobFilter
from ferryman.domain.filters.narrowing import narrowed
from ferryman.domain.job import MICROS, Job
from ferryman.domain.state import RETRIABLE, Status
from ferryman.store.protocol import RetryResult
from ferryman.store.watching import Version

TOGETHER: Final = 50
"""Retries that are under way at once, each a commit of its own, which a busy store groups."""
_USUAL: Final = frozenset({Status.FAILED})


class Retried(msgspec.Struct, frozen=True):
    """What became of a retry of many."""

    count: int
    taken: int = 0
    """How many were left alone because a live job has their unique key by now."""
    last_at: int | None = None
    """When the last of them is due, in microseconds; None where all are pending."""


class Retrying(Changing):
    """A part of a client."""

    async def retry(self, id: str, *, by: str | None = None, expected: Version | None = None) -> Job:
        """Send one job back, as `Client.retry` says."""
        if not options.is_id(id):
            raise no_such_job(id)
        result = await self._deeds.do(
            lambda deed: self._store.retry(id, deed.at, deed=deed, expected=expected), Action.JOB_RETRY, id, by
        )
        if result.before is None:
            raise no_such_job(id)
        if result.before not in RETRIABLE:
            raise WrongState(f"Job {id} is {result.before}.", why="Only a failed or cancelled job can be retried.")
        if result.holder is not None:
            raise UniqueKeyTaken(f"Job {result.holder} has the unique key of job {id} by now.", holder=result.holder)
        self._wakeup.work()
        job = await self._get(id)
        self._events.emit(JobRetriedByRequest(id, job.type, job.queue))
        return job

    async def retry_all(
        self,
        filter: JobFilter,
        rate: float | str | None = None,
        before: int | None = None,
        *,
        by: str | None = None,
    ) -> Retried:
        """Send every failed or cancelled job back that fits, as `Controls.retry_all` says."""
        per_second = None if rate is None else options.rate(rate)
        begin = self._clock.now()
        told = Retried(0)
        async for page in self._finding.pages(narrowed(filter, RETRIABLE, _USUAL), before):
            for start in range(0, len(page), TOGETHER):
                told = await self._retry(page[start : start + TOGETHER], begin, per_second, told, by)
        return told

    async def would_retry(self, filter: JobFilter) -> Counted:
        """How many jobs `retry_all` would send back now. Raises BadOption."""
        return await self._finding.count(narrowed(filter, RETRIABLE, _USUAL), self._clock.now())

    async def _retry(
        self, jobs: Sequence[Job], begin: int, rate: float | None, told: Retried, by: str | None
    ) -> Retried:
        """Retry a few; how many there were before says when the first of them is due."""
        seconds = [None if rate is None else min((told.count + n) / rate, options.MAX_DELAY) for n in range(len(jobs))]
        due = [None if each is None else begin + round(each * MICROS) for each in seconds]
        verbs = [self._retry_one(job, at, by) for job, at in zip(jobs, due, strict=True)]
        answers = await asyncio.gather(*verbs, return_exceptions=True)
        results = [each for each in answers if isinstance(each, RetryResult)]
        done = [
            (job, at)
            for job, at, answer in zip(jobs, due, answers, strict=True)
            if isinstance(answer, RetryResult) and answer.before in RETRIABLE and answer.holder is None
        ]
        later = [at for _, at in done if at is not None and at > begin]
        self._announce([job for job, _ in done], min(later, default=None))
        for failure in answers:
            if isinstance(failure, BaseException):
                raise failure
        taken = sum(result.holder is not None for result in results)
        return Retried(told.count + len(done), told.taken + taken, max(later, default=told.last_at))

    def _announce(self, jobs: Sequence[Job], due: int | None) -> None:
        """Say what was sent back; the first that is not pending at once is due at that time."""
        for job in jobs:
            self._events.emit(JobRetriedByRequest(job.id, job.type, job.queue))
        self._wakeup.work()
        if due is not None:
            self._wakeup.scheduled(due)

    async def _retry_one(self, job: Job, run_at: int | None, by: str | None) -> RetryResult:
        return await self._deeds.do(
            lambda deed: self._store.retry(job.id, deed.at, run_at, deed=deed),
            Action.JOB_RETRY,
            job.id,
            by,
            run_at=None if run_at is None else options.moment_text(run_at),
        )
