"""How new jobs reach the store: in groups, patiently, and with the node's offer to start some at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from ferryman.client.chunks import CHUNK
from ferryman.client.pausing import wait_within
from ferryman.client.pressure import Pressure
from ferryman.domain.audit import Deed
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.errors import NodeNotLive, StoreBusy
from ferryman.domain.events import Enqueued, Events
from ferryman.domain.job import NewJob
from ferryman.store.pile import Pile
from ferryman.store.protocol import Clock, DirectDispatch, Inserted, Receipt, Store, Verdict, Wakeup

PATIENCE: Final = 2.0
"""Seconds for which a busy store is asked again."""
_FIRST_PAUSE: Final = 0.02

T = TypeVar("T")


class Inserter:
    """Stores new jobs; what was stored is told to the wakeup and to the events."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wakeup: Wakeup,
        events: Events,
        *,
        pressure: Pressure,
        direct: DirectDispatch | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        self._events = events
        self._pressure = pressure
        self._direct = direct
        self._plain: Pile[NewJob, Receipt] = Pile(self.write, CHUNK)
        self._keyed: Pile[NewJob, Receipt] = Pile(self.write, CHUNK)
        """Somebody's open transaction may have a key: those who wait for it let nobody else wait."""

    def submit(self, job: NewJob) -> asyncio.Future[Receipt]:
        """Store a job together with whatever else of its kind is submitted while the last group is being written."""
        return (self._keyed if _is_keyed(job) else self._plain).submit(job)

    async def flush(self) -> None:
        """Wait until everything submitted so far has been answered."""
        await self._plain.flush()
        await self._keyed.flush()

    async def write(
        self, jobs: Sequence[NewJob], *, bounded: bool = True, deed: Deed | None = None
    ) -> Sequence[Receipt]:
        """Store jobs in one commit; unless that is to be `bounded`, no queue is too full for them.

        A `deed` is written with them.

        Raises StoreError; jobs that were stored all the same are not doubled.
        """
        inserted = await self._offer_and_insert(jobs, bounded, deed)
        self._announce(jobs, inserted)
        return inserted.receipts

    async def _offer_and_insert(self, jobs: Sequence[NewJob], bounded: bool, deed: Deed | None) -> Inserted:
        # an offer keeps the node from claiming until it is settled: it does not go where it may have to wait for a key
        offer = None if self._direct is None or any(map(_is_keyed, jobs)) else self._direct.offer()
        if self._direct is None or offer is None:
            return await self._insert(jobs, bounded, deed)
        try:
            inserted = await self._insert(jobs, bounded, deed, offer)
        except NodeNotLive:
            # the node was rescued: the jobs are none the worse for it, its offer is void
            self._direct.settle(offer, None)
            return await self._insert(jobs, bounded, deed)
        except BaseException:
            self._direct.settle(offer, None)
            raise
        self._direct.settle(offer, inserted.batch)
        return inserted

    async def _insert(
        self, jobs: Sequence[NewJob], bounded: bool, deed: Deed | None, offer: ClaimRequest | None = None
    ) -> Inserted:
        bounds = await self._pressure.bounds() if bounded else 0
        return await patiently(
            lambda: self._store.insert(jobs, self._clock.now(), claim=offer, max_pending=bounds, deed=deed)
        )

    def _announce(self, jobs: Sequence[NewJob], inserted: Inserted) -> None:
        """Say what is stored: counts to the events, work and due times to the wakeup."""
        counts: dict[tuple[str, str], int] = {}
        due: int | None = None
        work = False
        started = {job.id for job in inserted.batch.jobs} if inserted.batch else ()
        for job, receipt in zip(jobs, inserted.receipts, strict=True):
            if receipt.verdict is not Verdict.INSERTED and receipt.verdict is not Verdict.EXISTS:
                continue
            key = (job.type, job.queue)
            counts[key] = counts.get(key, 0) + 1
            if job.run_at is None or job.run_at <= job.created_at:
                work = work or job.id not in started
            elif due is None or job.run_at < due:
                due = job.run_at
        if work:
            self._wakeup.work()
        if due is not None:
            self._wakeup.scheduled(due)
        for (kind, queue), count in counts.items():
            self._events.emit(Enqueued(kind, queue, count))


def _is_keyed(job: NewJob) -> bool:
    return job.unique_key is not None or job.idempotency is not None


async def patiently(write: Callable[[], Awaitable[T]]) -> T:
    """Do a write that may be repeated, again and again for two seconds while the store is busy.

    Raises StoreBusy after that.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    pause = _FIRST_PAUSE
    while True:
        try:
            return await write()
        except StoreBusy:
            if loop.time() + pause > deadline:
                raise
        await wait_within(loop.create_future(), pause)
        pause *= 2
