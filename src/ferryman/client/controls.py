"""What those say who look after queues: place jobs anew, purge, retry many at a rate, wait until a queue is empty."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from ferryman.client.deeds import Deeds
from ferryman.client.finding import Counted, Finding
from ferryman.client.pausing import wait_within
from ferryman.client.request import no_such_job
from ferryman.domain import options
from ferryman.domain.audit import MANY, Action
from ferryman.domain.errors import BadOption, WrongState
from ferryman.domain.events import Events, JobCancelledByRequest, JobRetriedByRequest
from ferryman.domain.filters import Field, JobFilter, render
from ferryman.domain.job import MICROS, Job
from ferryman.domain.secrets import MASK
from ferryman.domain.state import INITIAL, MOVABLE, RETRIABLE, TERMINAL, Status
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Clock, RetryResult, Store, Wakeup
from ferryman.store.watching import Version

T = TypeVar("T")

PAGE: Final = 500
"""Jobs that are changed in one commit."""
TOGETHER: Final = 50
"""Retries that are under way at once, each a commit of its own, which a busy store groups."""
LOOK: Final = 0.5
"""Seconds between two looks at a queue that is to become empty."""
_HIDDEN: Final = frozenset({f'"{MASK}"'})
UNHURRIED: Final = frozenset({Status.PENDING, Status.PROCESSING})


class Retried(msgspec.Struct, frozen=True):
    """What became of a retry of many."""

    count: int
    taken: int = 0
    """How many were left alone because a live job has their unique key by now."""
    last_at: int | None = None
    """When the last of them is due, in microseconds; None where all are pending."""


class Controls:
    """Verbs about many jobs, and about the places of jobs that wait. Every error is one of `ferryman.errors`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wakeup: Wakeup,
        events: Events,
        deeds: Deeds,
        get: Callable[[str], Awaitable[Job]],
        finding: Finding,
    ) -> None:
        """`get` reads one job, and raises JobNotFound."""
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        self._events = events
        self._deeds = deeds
        self._get = get
        self._finding = finding

    # -- places ----------------------------------------------------------------------------------

    def placement(
        self,
        *,
        queue: str | None = None,
        priority: int | None = None,
        run_at: int | None = None,
        delay: float | None = None,
    ) -> Placement:
        """What a person asks for, checked. `run_at` is in microseconds, `delay` in seconds from now; 0 means at once.

        Raises:
            BadOption: naming what is wrong; also where nothing is to be changed.
        """
        now = self._clock.now()
        if delay is not None:
            if run_at is not None:
                raise options.refused("delay", delay, "either delay or run_at, not both")
            run_at = now + round(options.seconds_of("delay", delay) * MICROS)
        if queue is None and priority is None and run_at is None:
            raise BadOption("Nothing is to be changed.", hint="Say which queue, priority or time the job is to have.")
        return Placement(
            None if queue is None else options.queue(queue),
            None if priority is None else options.priority(priority),
            None if run_at is None else options.moment("run_at", run_at, now),
        )

    async def place(
        self, id: str, placement: Placement, *, by: str | None = None, expected: Version | None = None
    ) -> Job:
        """Give a job that waits another queue, priority or time. Gives the job as it then was.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it is neither pending nor scheduled, or has a key.
        """
        met = await self._place([id], placement, by, expected=expected)
        if id not in met:
            raise no_such_job(id)
        if met[id] is Status.WAITING:  # so stores tell of every job with a key that has not started
            raise WrongState(
                f"Job {id} has a key, and keeps its place.",
                why="The gate of its key knows where it stands: in another place it could overtake others of its key.",
                hint="Cancel it and enqueue it anew, or change the key itself with `ferryman keys`.",
            )
        if met[id] not in MOVABLE:
            raise WrongState(f"Job {id} is {met[id]}.", why="Only a pending or scheduled job can be moved.")
        return await self._get(id)

    async def place_all(
        self, filter: JobFilter, placement: Placement, before: int | None = None, *, by: str | None = None
    ) -> int:
        """Do the same for every pending or scheduled job that fits. Returns how many.

        Args:
            filter: which; no statuses mean both.
            placement: where they are to stand.
            before: leave jobs alone that were made after this time, in microseconds; now by default.
            by: who does it; each commit has a deed, which says how many jobs they were.

        Raises:
            BadOption: the filter asks for another status.
        """
        count = 0
        narrowed = _narrowed(filter, MOVABLE, MOVABLE)
        async for page in self._pages(narrowed, before):
            met = await self._place([job.id for job in page], placement, by, narrowed)
            count += sum(status in MOVABLE for status in met.values())
        return count

    async def _place(
        self,
        ids: Sequence[str],
        placement: Placement,
        by: str | None,
        filter: JobFilter | None = None,
        expected: Version | None = None,
    ) -> dict[str, Status]:
        met = await self._deeds.do(
            lambda deed: self._store.place(ids, placement, deed.at, deed=deed, expected=expected),
            Action.JOB_PLACE,
            MANY,
            by,
            queue=placement.queue,
            priority=placement.priority,
            run_at=None if placement.run_at is None else options.moment_text(placement.run_at),
            filter=None if filter is None else _members(filter),
        )
        if placement.run_at is not None and placement.run_at > self._clock.now():
            self._wakeup.scheduled(placement.run_at)
        else:
            self._wakeup.work()
        return dict(met)

    # -- many ------------------------------------------------------------------------------------

    async def purge(self, filter: JobFilter, before: int | None = None, *, by: str | None = None) -> int:
        """Cancel every job that fits and that nobody runs. Returns how many; arguments are as for `place_all`.

        Raises:
            BadOption: the filter asks for a status in which somebody runs a job, or in which it has ended.
        """
        count = 0
        narrowed = _narrowed(filter, INITIAL, INITIAL)
        async for page in self._pages(narrowed, before):
            count += await self._purge(page, narrowed, by)
        return count

    async def _purge(self, page: Sequence[Job], filter: JobFilter, by: str | None) -> int:
        ids = [job.id for job in page]
        ended = await self._deeds.do(
            lambda deed: self._store.cancel_waiting(ids, deed.at, deed=deed),
            Action.JOB_PURGE,
            MANY,
            by,
            filter=_members(filter),
        )
        cancelled = set(ended)
        for job in page:
            if job.id in cancelled:
                self._events.emit(JobCancelledByRequest(job.id, job.type, job.queue, running=False))
        if cancelled:
            self._wakeup.work()  # the slots that they had may have let others in
        return len(cancelled)

    async def retry_all(
        self,
        filter: JobFilter,
        rate: float | str | None = None,
        before: int | None = None,
        *,
        by: str | None = None,
    ) -> Retried:
        """Send every failed or cancelled job back that fits, with all its attempts.

        Args:
            filter: which; no statuses mean failed ones.
            rate: so many a second, or a text such as "5/m", become pending, spread over time by their run_at, of which
                none is later than in ten years; None is all at once.
            before: as for `place_all`.

        Raises:
            BadOption: the rate is none, or the filter asks for another status.
        """
        per_second = None if rate is None else options.rate(rate)
        begin = self._clock.now()
        told = Retried(0)
        async for page in self._pages(_narrowed(filter, RETRIABLE, frozenset({Status.FAILED})), before):
            for start in range(0, len(page), TOGETHER):
                told = await self._retry(page[start : start + TOGETHER], begin, per_second, told, by)
        return told

    async def delete(self, id: str, *, by: str | None = None) -> None:
        """Delete a job that has ended, with its attempts, errors and result.

        Raises:
            JobNotFound: there is no such job.
            WrongState: it has not ended, or others have not that were claimed together with it.
        """
        deleted = await self._deeds.do(
            lambda deed: self._store.delete(id, deed.at, deed=deed), Action.JOB_DELETE, id, by
        )
        if deleted.before is None:
            raise no_such_job(id)
        if deleted.before not in TERMINAL:
            raise WrongState(
                f"Job {id} is {deleted.before}.",
                why="Only a job that has ended can be deleted.",
                hint="Cancel it first.",
            )
        if not deleted.gone:
            raise WrongState(
                f"Job {id} cannot be deleted yet.",
                why="Its node claimed it together with others that have not ended: until then their claim keeps it.",
                hint="Try again once they have ended.",
            )
        self._wakeup.work()  # a sequence that waited for it may go on

    async def would_purge(self, filter: JobFilter) -> Counted:
        """How many jobs `purge` would cancel now. Raises BadOption."""
        return await self._finding.count(_narrowed(filter, INITIAL, INITIAL), self._clock.now())

    async def would_retry(self, filter: JobFilter) -> Counted:
        """How many jobs `retry_all` would send back now. Raises BadOption."""
        narrowed = _narrowed(filter, RETRIABLE, frozenset({Status.FAILED}))
        return await self._finding.count(narrowed, self._clock.now())

    async def _retry(
        self, jobs: Sequence[Job], begin: int, rate: float | None, told: Retried, by: str | None
    ) -> Retried:
        """Retry a few; how many there were before says when the first of them is due."""
        seconds = [None if rate is None else min((told.count + n) / rate, options.MAX_DELAY) for n in range(len(jobs))]
        due = [None if each is None else begin + round(each * MICROS) for each in seconds]
        results = await _all_of([self._retry_one(job, at, by) for job, at in zip(jobs, due, strict=True)])
        done = [
            (job, at)
            for job, at, result in zip(jobs, due, results, strict=True)
            if result.before in RETRIABLE and result.holder is None
        ]
        for job, _ in done:
            self._events.emit(JobRetriedByRequest(job.id, job.type, job.queue))
        later = [at for _, at in done if at is not None and at > begin]
        self._wakeup.work()
        if later:
            self._wakeup.scheduled(later[0])
        taken = sum(result.holder is not None for result in results)
        return Retried(told.count + len(done), told.taken + taken, max(later, default=told.last_at))

    async def _retry_one(self, job: Job, run_at: int | None, by: str | None) -> RetryResult:
        return await self._deeds.do(
            lambda deed: self._store.retry(job.id, deed.at, run_at, deed=deed),
            Action.JOB_RETRY,
            job.id,
            by,
            run_at=None if run_at is None else options.moment_text(run_at),
        )

    async def _pages(self, filter: JobFilter, before: int | None) -> AsyncIterator[Sequence[Job]]:
        """Every job that fits and was made before, oldest first; none comes twice."""
        newest = self._clock.now() if before is None else before
        filter = msgspec.structs.replace(filter, limit=PAGE, newest_first=False)
        while True:
            page = await self._finding.list(filter)
            meant = [job for job in page if job.created_at <= newest]
            if meant:
                yield meant
            if page.next is None or (page and not meant):  # what follows was made later
                return
            filter = msgspec.structs.replace(filter, after=page.next)

    # -- waiting ---------------------------------------------------------------------------------

    async def drain(self, queue: str, timeout: float | None = None) -> int:  # noqa: ASYNC109 - it gives what is left
        """Wait until nothing of a queue is pending or processing; what is scheduled stays.

        Args:
            queue: its name.
            timeout: seconds to wait; None is no bound.

        Returns:
            How many jobs are pending or processing still: 0, unless the time was over.
        """
        options.queue(queue)
        loop = asyncio.get_running_loop()
        deadline = math.inf if timeout is None else loop.time() + timeout
        while True:
            standing = (await self._store.counts(self._clock.now())).standing
            left = sum(standing.get((queue, status), 0) for status in UNHURRIED)
            patience = deadline - loop.time()
            if not left or patience <= 0:
                return left
            await wait_within(loop.create_future(), min(LOOK, patience))


async def _all_of(verbs: Sequence[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """What each of them gives. Raises what the first of them raised, once all have ended."""
    tasks = [asyncio.ensure_future(each) for each in verbs]
    await asyncio.wait(tasks)
    return [each.result() for each in tasks]


def _narrowed(filter: JobFilter, allowed: frozenset[Status], usual: frozenset[Status]) -> JobFilter:
    """The filter with the statuses that are meant where it names none. Raises BadOption: one is not allowed."""
    named = filter.named(Field.STATUS)
    for status in sorted((named or frozenset()) - allowed):
        raise options.refused("status", status, ", ".join(each for each in Status if each in allowed))
    return msgspec.structs.replace(filter, statuses=usual) if named is None else filter


def _members(filter: JobFilter) -> dict[str, Any]:
    """What a filter asks for, as the log says it: without what it looks for in payloads."""
    asked = {"status": filter.statuses, "type": filter.types, "queue": filter.queues, "tag": filter.tags}
    told: dict[str, Any] = {name: sorted(values) for name, values in asked.items() if values}
    terms = frozenset(replace(term, values=_HIDDEN) if term.field is Field.PAYLOAD else term for term in filter.terms)
    text = render(JobFilter(terms=terms, created=filter.created, finished=filter.finished))
    return {**told, "text": text} if text else told
