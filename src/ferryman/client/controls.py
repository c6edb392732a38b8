"""What those say who look after queues: place jobs anew, purge, retry many at a rate, wait until a queue is empty."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ferryman.client.cancelling import Cancelling
from ferryman.client.deeds import Deeds
from ferryman.client.finding import Counted, Finding
from ferryman.client.meant import members
from ferryman.client.pausing import wait_within
from ferryman.client.request import no_such_job
from ferryman.client.retrying import Retried, Retrying
from ferryman.domain import options
from ferryman.domain.audit import MANY, Action
from ferryman.domain.errors import BadOption, WrongState
from ferryman.domain.filters import JobFilter
from ferryman.domain.filters.narrowing import narrowed
from ferryman.domain.job import MICROS, Job
from ferryman.domain.state import MOVABLE, TERMINAL, Status
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Clock, Store, Wakeup
from ferryman.store.watching import Version

LOOK: Final = 0.5
"""Seconds between two looks at a queue that is to become empty."""
UNHURRIED: Final = frozenset({Status.PENDING, Status.PROCESSING})


class Controls:
    """Verbs about many jobs, and about the places of jobs that wait. Every error is one of `ferryman.errors`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wakeup: Wakeup,
        deeds: Deeds,
        get: Callable[[str], Awaitable[Job]],
        finding: Finding,
        cancelling: Cancelling,
        retrying: Retrying,
    ) -> None:
        """`get` reads one job, and raises JobNotFound."""
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        self._deeds = deeds
        self._get = get
        self._finding = finding
        self._cancelling = cancelling
        self._retrying = retrying

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
        movable = narrowed(filter, MOVABLE, MOVABLE)
        async for page in self._finding.pages(movable, before):
            met = await self._place([job.id for job in page], placement, by, movable)
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
            filter=None if filter is None else members(filter),
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
        return await self._cancelling.purge(filter, before, by=by)

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
        return await self._retrying.retry_all(filter, rate, before, by=by)

    async def delete(self, id: str, *, by: str | None = None, expected: Version | None = None) -> None:
        """Delete a job that has ended, with its attempts, errors and result.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it has not ended, or others have not that were claimed together with it.
        """
        deleted = await self._deeds.do(
            lambda deed: self._store.delete(id, deed.at, deed=deed, expected=expected), Action.JOB_DELETE, id, by
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
        return await self._cancelling.would_purge(filter)

    async def would_retry(self, filter: JobFilter) -> Counted:
        """How many jobs `retry_all` would send back now. Raises BadOption."""
        return await self._retrying.would_retry(filter)

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
