"""Cancels jobs: one, or all that fit and that nobody runs."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.client.changing import Changing
from ferryman.client.finding import Counted
from ferryman.client.meant import members
from ferryman.client.request import no_such_job
from ferryman.domain import options
from ferryman.domain.audit import MANY, Action
from ferryman.domain.errors import WrongState
from ferryman.domain.events import JobCancelledByRequest
from ferryman.domain.filters import JobFilter
from ferryman.domain.filters.narrowing import narrowed
from ferryman.domain.job import Job
from ferryman.domain.state import INITIAL, TERMINAL, Status
from ferryman.store.watching import Version


class Cancelling(Changing):
    """A part of a client."""

    async def cancel(self, id: str, *, by: str | None = None, expected: Version | None = None) -> Job:
        """Cancel one job, as `Client.cancel` says."""
        if not options.is_id(id):
            raise no_such_job(id)
        result = await self._deeds.do(
            lambda deed: self._store.cancel(id, deed.at, deed=deed, expected=expected), Action.JOB_CANCEL, id, by
        )
        if result.before is None:
            raise no_such_job(id)
        if result.before in TERMINAL:
            raise WrongState(f"Job {id} is {result.before} already.", why="Only a job that has not ended can be.")
        if result.readied:
            self._wakeup.work()
        running = result.before is Status.PROCESSING
        if running:
            self._wakeup.cancelled(result.node)
        job = await self._get(id)
        self._events.emit(JobCancelledByRequest(id, job.type, job.queue, running))
        return job

    async def purge(self, filter: JobFilter, before: int | None = None, *, by: str | None = None) -> int:
        """Cancel every job that fits and that nobody runs, as `Controls.purge` says."""
        count = 0
        waiting = narrowed(filter, INITIAL, INITIAL)
        async for page in self._finding.pages(waiting, before):
            count += await self._purge(page, waiting, by)
        return count

    async def would_purge(self, filter: JobFilter) -> Counted:
        """How many jobs `purge` would cancel now. Raises BadOption."""
        return await self._finding.count(narrowed(filter, INITIAL, INITIAL), self._clock.now())

    async def _purge(self, page: Sequence[Job], filter: JobFilter, by: str | None) -> int:
        ids = [job.id for job in page]
        ended = await self._deeds.do(
            lambda deed: self._store.cancel_waiting(ids, deed.at, deed=deed),
            Action.JOB_PURGE,
            MANY,
            by,
            filter=members(filter),
        )
        cancelled = set(ended)
        for job in page:
            if job.id in cancelled:
                self._events.emit(JobCancelledByRequest(job.id, job.type, job.queue, running=False))
        if cancelled:
            self._wakeup.work()  # the slots that they had may have let others in
        return len(cancelled)
