"""A job's way through the store, as the engine drives it: handed in, claimed, finished."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import StoreBusy, StoreUnreachable
from ferryman.domain.job import NewJob
from ferryman.domain.outcome import Finish
from ferryman.domain.schedule import Firing
from ferryman.store.gating import keys_told
from ferryman.store.postgres import claiming, finishing, inserting, lanes, rules, scheduling, shares
from ferryman.store.postgres.behind import LookBehind
from ferryman.store.postgres.bell import PostgresBell
from ferryman.store.postgres.claiming import Known
from ferryman.store.postgres.ended import EndedRuns
from ferryman.store.postgres.failures import explain
from ferryman.store.postgres.finishing import Settled
from ferryman.store.postgres.lines import INSERT_SECONDS, Lines
from ferryman.store.postgres.steps import AlreadyThere, Steps
from ferryman.store.postgres.transaction import PostgresTransactions
from ferryman.store.protocol import Clock, FinishReport, Inserted, Receipt
from ferryman.store.scheduling import Fired

Result = TypeVar("Result")

JOBS_PER_SECOND: Final = 2_000
"""For INSERT_SECONDS an enqueue may take, and so much longer for many jobs."""
PATIENCE_SECONDS: Final = 1.8
FIRST_PAUSE_SECONDS: Final = 0.05
"""For so long an enqueue is tried again whose connection was lost, with pauses that double."""


class Flow:
    """The verbs that every job passes through, one after the other, each over connections of its own."""

    def __init__(
        self,
        lines: Lines,
        known: Known,
        ended: EndedRuns,
        behind: LookBehind,
        transactions: PostgresTransactions,
        bell: PostgresBell,
        clock: Clock,
        place: str,
    ) -> None:
        """`known` is what this process has heard of; `place` is what errors call the database."""
        self._claims = lines.claims
        self._finishes = lines.finishes
        self._inserts = lines.inserts
        self._chores = lines.chores
        self._known = known
        self._lanes = known.lanes
        self._ended = ended
        self._behind = behind
        self._transactions = transactions
        self._bell = bell
        self._clock = clock
        self._place = place

    # -- handing in ------------------------------------------------------------------------------

    async def insert(
        self,
        jobs: Sequence[NewJob],
        now: int,
        *,
        claim: ClaimRequest | None = None,
        max_pending: Bound = 0,
        deed: Deed | None = None,
    ) -> Inserted:
        """See `Store.insert`. A lost connection is tried again: what was stored is known by its id."""
        seconds = INSERT_SECONDS + len(jobs) / JOBS_PER_SECOND
        try:
            async with asyncio.timeout(seconds):  # whatever it is that gives no answer
                return await self._patiently(lambda: self._insert(jobs, now, claim, max_pending, deed, seconds))
        except TimeoutError as error:
            raise explain(error, self._place) from error

    async def _patiently(self, write: Callable[[], Awaitable[Result]]) -> Result:
        deadline, pause = self._clock.monotonic() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
        while True:
            try:
                return await write()
            except StoreUnreachable:
                if self._clock.monotonic() + pause >= deadline:
                    raise
            await asyncio.sleep(pause)
            pause *= 2

    async def _insert(
        self,
        jobs: Sequence[NewJob],
        now: int,
        claim: ClaimRequest | None,
        max_pending: Bound,
        deed: Deed | None,
        seconds: float,
    ) -> Inserted:
        await self._know_lanes((job.queue, job.type, job.priority) for job in jobs)
        if deed is None and inserting.is_plain(jobs, max_pending):
            ring = self._bell.ride() if claim is None and inserting.are_due(jobs) else None
            plain = inserting.insert_plain(self._lanes, jobs, now, ring)
            try:
                inserted = await self._store(plain, jobs, now, claim, seconds)
            except AlreadyThere:
                pass  # some were stored before: the same enqueue, said twice
            else:
                if ring is not None:
                    self._bell.rode()
                return inserted
        judged = inserting.insert_judged(self._lanes, jobs, now, max_pending, deed)
        try:
            return await self._store(judged, jobs, now, claim, seconds, whole=True)
        except AlreadyThere as error:
            raise StoreBusy("Somebody else is storing one of these jobs just now.", hint="Try again.") from error

    async def _store(
        self,
        steps: Steps[list[Receipt]],
        jobs: Sequence[NewJob],
        now: int,
        claim: ClaimRequest | None,
        seconds: float,
        *,
        whole: bool = False,
    ) -> Inserted:
        """Insert; with a claim both are one commit, over the connection to which the cursor belongs."""
        if claim is None:
            do = self._inserts.transact if whole else self._inserts.do
            return Inserted(await do(steps, seconds))
        if any(job.unique_key is not None or job.idempotency is not None for job in jobs):
            # somebody else's open transaction may have the key: this waits for it, and claims do not wait with it
            receipts = await self._inserts.transact(steps, seconds)
            return Inserted(receipts, await self.claim(claim, now))
        both = claiming.after(steps, claiming.claim(self._known, claim, now))
        receipts, taken = await self._claims.transact(both, seconds)
        if taken is None:  # somebody has made a lane or a rule: the jobs are stored, the claim is made up for
            return Inserted(receipts, await self.claim(claim, now))
        return Inserted(receipts, await self._without_bodiless(claim, taken, now))

    async def _know_lanes(self, wanted: Iterable[tuple[str, str, int]]) -> None:
        missing = self._lanes.missing(wanted)
        if missing:
            await self._inserts.do(lanes.make(self._lanes, missing))

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        """See `Scheduling.fire`."""
        await self._know_lanes({(job.queue, job.type, job.priority) for job in firing.jobs})
        seconds = INSERT_SECONDS + len(firing.jobs) / JOBS_PER_SECOND
        return await self._inserts.transact(scheduling.fire(self._lanes, firing, now), seconds)

    # -- running ---------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """See `Store.claim`."""
        self._behind.begin_if_due()
        while True:
            fair = self._known.fair(request)
            drawn = await shares.draw(self._claims, fair, request.limit, now) if fair else shares.Drawn()
            taken = await self._take(request, now)
            if taken is not None and not taken.batch.jobs and drawn.is_short(0):  # others have taken what was ready
                await shares.draw(self._claims, fair, request.limit, now, anew=True)
                taken = await self._take(request, now)
            if taken is not None:
                batch = await self._without_bodiless(request, taken, now)
                claimed = len(batch.jobs)
                return batch.looking_again() if claimed < request.limit and drawn.is_short(claimed) else batch
            await self._chores.do(lanes.read(self._lanes))
            await self._chores.do(rules.read(self._known.rules))

    async def _take(self, request: ClaimRequest, now: int) -> claiming.Taken | None:
        do = self._claims.transact if self._known.bounds(request) else self._claims.do
        return await do(claiming.claim(self._known, request, now))

    async def _without_bodiless(self, request: ClaimRequest, taken: claiming.Taken, now: int) -> Batch:
        """What was claimed; runs of jobs whose bodies are gone end here."""
        if taken.bodiless:
            by_number = self._lanes.by_number
            ends = [finishing.bodiless(request.batch, run, by_number[run.lane], now) for run in taken.bodiless]
            await self.finish(request.node, ends, now)
        return taken.batch

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> Settled:
        """See `Store.finish`. What a handler's transaction has written already is passed over."""
        finishing.check(finishes)
        fresh = self._transactions.unwritten(finishes)
        passed = keys_told(finishes) if len(fresh) < len(finishes) else frozenset[str]()
        if not fresh:
            return Settled(FinishReport(frozenset()), passed)
        await self._know_lanes({each.lane for each in fresh})
        await self._know_lanes((job.queue, job.type, job.priority) for each in fresh for job in each.follow_ups)
        moves = finishing.targets(fresh)
        await self._know_lanes(moves)
        if not moves and not any(each.follow_ups for each in fresh):
            try:
                brisk = finishing.finish_briskly(self._lanes, self._ended, node, fresh, now)
                report, keys = await self._finishes.do(brisk)
            except AlreadyThere:
                pass  # some were written before: by us, with a reply that was lost, or by somebody else
            else:
                return Settled(report, keys | passed)
        report = await self._finishes.transact(finishing.finish_carefully(self._lanes, node, fresh, now))
        return Settled(report, keys_told(finishes))
