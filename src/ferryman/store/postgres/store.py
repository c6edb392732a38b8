"""PostgresStore: the verbs of the protocol over one PostgreSQL database, from as many processes as there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.errors import NodeNotLive, StoreBusy, StoreError, StoreUnreachable
from ferryman.domain.job import Attempt, Job, Lane, NewJob
from ferryman.domain.outcome import Finish, What
from ferryman.store.forks import AroundForks, AtFork, Forks, in_children
from ferryman.store.postgres import chores, claiming, finishing, inserting, lanes, nodes, people, reading
from ferryman.store.postgres.bell import PostgresBell
from ferryman.store.postgres.connecting import Connecting
from ferryman.store.postgres.connections import ENGINE, INSERTS, UNSAFE, Line
from ferryman.store.postgres.cursor import Cursor
from ferryman.store.postgres.failures import explain
from ferryman.store.postgres.home import Home
from ferryman.store.postgres.joining import PostgresJoins
from ferryman.store.postgres.locks import NodeLocks
from ferryman.store.postgres.loopthread import LoopThread
from ferryman.store.postgres.partitions import Partitions
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import AlreadyThere, Row, Steps, ask
from ferryman.store.postgres.target import Target
from ferryman.store.postgres.transaction import PostgresTransactions
from ferryman.store.protocol import (
    CancelResult,
    Clock,
    Counts,
    Declaration,
    FinishReport,
    Inserted,
    JobFilter,
    NodeInfo,
    NodeStatus,
    Promoted,
    Receipt,
    Rescued,
    Retention,
    RetryResult,
)

Result = TypeVar("Result")

ENGINE_SECONDS: Final = 8.0
"""For so long a statement of the engine may take: less than a lease."""
INSERT_SECONDS: Final = 1.8
JOBS_PER_SECOND: Final = 2_000
"""For so long an enqueue may take, and so much longer for many jobs."""
PATIENCE_SECONDS: Final = 1.8
FIRST_PAUSE_SECONDS: Final = 0.05
"""For so long an enqueue is tried again whose connection was lost, with pauses that double."""
PEOPLE_SECONDS: Final = 30.0
BEAT_SECONDS: Final = 2.0
LEASE_SECONDS: Final = 10.0
LOOK_BEHIND_SECONDS: Final = 10.0
"""How often a node looks behind its cursor."""


class PostgresStore:
    """One database. Verbs of the engine have connections of their own, so that nothing else delays them."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        retention: Retention,
        locks: Path,
        lease: float = LEASE_SECONDS,
        statements: Statements | None = None,
        at_fork: AtFork = in_children,
        around_forks: AroundForks | None = None,
    ) -> None:
        """Make a store; nothing is connected yet.

        Args:
            url: postgresql://user:password@host:port/database.
            clock: the two times.
            retention: how long ended jobs are kept.
            locks: a folder that all processes on this machine share, by which they know each other's end at once.
            lease: how long the nodes of this process may be silent and keep their claims; transactions of their
                handlers end before.
            statements: of another store of this process; else they are read from their files.
            at_fork: has the connections forgotten in forked children.
            around_forks: has forks wait for connections that are being made; else the store sees to that itself.

        Raises:
            BadSetting: no database has such a URL.
        """
        self.target = target = Target.of(url)
        self._clock = clock
        self._retention = retention
        self._statements = statements = statements or Statements()
        self._at_fork = at_fork
        self._lanes = lanes.Lanes()
        self._cursor = Cursor()
        self._look_behind_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._locks = NodeLocks(locks)
        self._own: dict[int, str] = {}
        self._watch = nodes.Watch(clock.monotonic)
        self._promoter = chores.Promoter(clock.monotonic)
        self._pruner = chores.Pruner(retention)
        self._partitions = Partitions(retention, clock.monotonic)
        self._beats = LoopThread("ferryman-beats")
        self._connecting = connecting = Connecting(around_forks or Forks().around)
        line = partial(Line, target, statements, connect=connecting.connect)
        self._claims = line(size=1, seconds=ENGINE_SECONDS, setting_up=ENGINE, on_connect=self._cursor.forget)
        self._finishes = line(size=1, seconds=ENGINE_SECONDS, setting_up=ENGINE)
        self._inserts = line(size=4, seconds=INSERT_SECONDS, setting_up=INSERTS)
        self._chores = line(size=2, seconds=PEOPLE_SECONDS, setting_up=ENGINE)
        self._people = line(size=4, seconds=PEOPLE_SECONDS, setting_up=ENGINE)
        self._beating = line(size=1, seconds=BEAT_SECONDS)
        self._ringing = line(size=1, seconds=BEAT_SECONDS, setting_up=UNSAFE)
        self.bell = PostgresBell(target, self._ringing, connecting.connect)
        """Tells other processes; it is sent over the store's connections, so it works while the store is open."""
        home = Home(target, statements, connecting.connect)
        self.joins = PostgresJoins(home)
        """Takes jobs through the connections of others."""
        self.transactions = PostgresTransactions(home, lease)
        """Begins transactions for handlers."""

    # -- life ------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Check that the database is there and has our tables."""
        for line in self._lines():
            await line.open()
        try:
            await Schema(self.target, self._connecting.connect).check()
            await self._people.do(lanes.read(self._lanes))
        except BaseException:
            await self.close()
            raise
        self._at_fork(self._abandon)

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        if self._looking is not None:
            await asyncio.wait((self._looking,))
        self.bell.close()
        await self.bell.flush()
        await self.transactions.close()
        for line in self._lines():
            await line.close()
        await self._beats.close(self._beating.close)
        self._locks.close()

    def _lines(self) -> tuple[Line, ...]:
        return self._claims, self._finishes, self._inserts, self._chores, self._people, self._ringing

    def _abandon(self) -> None:
        for line in (*self._lines(), self._beating):
            line.abandon()
        self._beats.abandon()
        self.bell.abandon()
        self.transactions.abandon()
        self._locks.close()

    # -- handing in ------------------------------------------------------------------------------

    async def insert(
        self, jobs: Sequence[NewJob], now: int, *, claim: ClaimRequest | None = None, max_pending: int = 0
    ) -> Inserted:
        """See `Store.insert`. A lost connection is tried again: what was stored is known by its id."""
        seconds = INSERT_SECONDS + len(jobs) / JOBS_PER_SECOND
        try:
            async with asyncio.timeout(seconds):  # whatever it is that gives no answer
                return await self._patiently(lambda: self._insert(jobs, now, claim, max_pending, seconds))
        except TimeoutError as error:
            raise explain(error, self.target.place) from error

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
        self, jobs: Sequence[NewJob], now: int, claim: ClaimRequest | None, max_pending: int, seconds: float
    ) -> Inserted:
        await self._know_lanes((job.queue, job.type, job.priority) for job in jobs)
        if inserting.is_plain(jobs, max_pending):
            try:
                return await self._store(inserting.insert_plain(self._lanes, jobs, now), jobs, now, claim, seconds)
            except AlreadyThere:
                pass  # some were stored before: the same enqueue, said twice
        judged = inserting.insert_judged(self._lanes, jobs, now, max_pending)
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
        both = claiming.after(steps, claiming.claim(self._lanes, self._cursor, claim, now))
        receipts, taken = await self._claims.transact(both, seconds)
        if taken is None:  # somebody has made a lane: the jobs are stored, the claim is made up for
            return Inserted(receipts, await self.claim(claim, now))
        at_hand = {job.id: claiming.body_of(job) for job in jobs}
        return Inserted(receipts, await self._with_bodies(claim, taken, now, at_hand))

    async def _know_lanes(self, wanted: Iterable[tuple[str, str, int]]) -> None:
        missing = self._lanes.missing(wanted)
        if missing:
            await self._inserts.do(lanes.make(self._lanes, missing))

    # -- running ---------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """See `Store.claim`."""
        self._look_behind()
        while True:
            taken = await self._claims.do(claiming.claim(self._lanes, self._cursor, request, now))
            if taken is not None:
                return await self._with_bodies(request, taken, now, {})
            await self._chores.do(lanes.read(self._lanes))

    async def _with_bodies(
        self, request: ClaimRequest, taken: claiming.Taken, now: int, at_hand: Mapping[str, Row]
    ) -> Batch:
        """What was claimed, with the bodies: those at hand, and the others as the database has them."""
        found = dict(at_hand)
        missing = [run for run in taken.runs if run.id not in found]
        if missing:
            found.update(await self._claims.do(claiming.bodies(missing)))
        lost = [run for run in taken.runs if run.id not in found]
        if lost:
            ends = [finishing.bodiless(request.batch, run, self._lanes.by_number[run.lane], now) for run in lost]
            await self.finish(request.node, ends, now)
        return claiming.batch_of(self._lanes, request.batch, taken, found)

    def _look_behind(self) -> None:
        """Now and then, beside the claims, look for what was given back behind the cursor."""
        now = self._clock.monotonic()
        if now >= self._look_behind_at and (self._looking is None or self._looking.done()):
            self._look_behind_at = now + LOOK_BEHIND_SECONDS
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        with suppress(StoreError):  # the next one will
            await self._chores.do(claiming.left_behind(self._cursor))

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        """See `Store.finish`. What a handler's transaction has written already is passed over."""
        finishing.check(finishes)
        finishes = self.transactions.unwritten(finishes)
        if not finishes:
            return FinishReport(frozenset())
        await self._know_lanes({each.lane for each in finishes})
        await self._know_lanes((job.queue, job.type, job.priority) for each in finishes for job in each.follow_ups)
        if not any(each.follow_ups for each in finishes):
            try:
                return await self._finishes.do(finishing.finish_plain(self._lanes, node, finishes, now))
            except AlreadyThere:
                pass  # some were written before: by us, with a reply that was lost, or by somebody else
        return await self._finishes.transact(finishing.finish_carefully(self._lanes, node, finishes, now))

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        """See `Store.open_batches`. Claim rows whose runs have all ended are removed on the way."""
        await self._chores.do(ask("close_batches", node))
        return await self._chores.do(reading.open_batches(node))

    async def release(self, node: int, batch: int, now: int) -> int:
        """See `Store.release`."""
        return await self._end_open_runs(What.RELEASED, now, batch=batch, node=node)

    async def _end_open_runs(
        self,
        what: What,
        now: int,
        *,
        batch: int | None = None,
        node: int | None = None,
        asked_before: int | None = None,
    ) -> int:
        """Give every open run that fits the same outcome, batch by batch. Returns how many were written."""
        runs = await self._chores.do(finishing.open_runs(batch, node, asked_before))
        if any(run.lane not in self._lanes.by_number for run in runs):
            await self._chores.do(lanes.read(self._lanes))
        by_batch: dict[tuple[int, int], list[Finish]] = {}
        for run in runs:
            end = finishing.ended(run, self._lanes.by_number[run.lane], what, now)
            by_batch.setdefault((run.node, run.batch), []).append(end)
        count = 0
        for (owner, _), ends in by_batch.items():
            report = await self._chores.transact(finishing.finish_carefully(self._lanes, owner, ends, now))
            count += len(ends) - len(report.fenced)
        return count

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        """See `Store.cancellations`."""
        return await self._chores.do(reading.cancellations(node))

    # -- people ----------------------------------------------------------------------------------

    async def cancel(self, id: str, now: int) -> CancelResult:
        """See `Store.cancel`."""
        await self._people.do(lanes.read(self._lanes))
        return await self._people.transact(people.cancel(self._lanes, id, now, self._retention))

    async def force_cancel(self, asked_before: int, now: int) -> int:
        """See `Store.force_cancel`."""
        return await self._end_open_runs(What.CANCELLED, now, asked_before=asked_before)

    async def retry(self, id: str, now: int) -> RetryResult:
        """See `Store.retry`."""
        await self._people.do(lanes.read(self._lanes))
        return await self._people.transact(people.retry(self._lanes, id, now, self._retention))

    async def get(self, id: str, now: int) -> Job | None:
        """See `Store.get`."""
        return await self._people.transact(reading.get(id, now, self._retention))

    async def list(self, filter: JobFilter, now: int) -> Sequence[Job]:
        """See `Store.list`."""
        await self._people.do(lanes.read(self._lanes))
        return await self._people.transact(reading.list_jobs(self._lanes, filter, now, self._retention))

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """See `Store.attempts`."""
        return await self._people.do(reading.attempts(id))

    async def counts(self, now: int) -> Counts:
        """See `Store.counts`."""
        return await self._people.transact(reading.counts(now))

    async def lanes(self) -> Mapping[int, Lane]:
        """See `Store.lanes`."""
        await self._people.do(lanes.read(self._lanes))
        return dict(self._lanes.by_number)

    async def known_types(self) -> Mapping[str, Declaration]:
        """See `Store.known_types`."""
        return await self._people.do(reading.known_types())

    # -- chores ----------------------------------------------------------------------------------

    async def promote(self, now: int, limit: int) -> Promoted:
        """See `Store.promote`."""
        return await self._chores.do(self._promoter.step(now, limit))

    async def expire(self, now: int, limit: int) -> int:
        """See `Store.expire`."""
        await self._chores.do(lanes.read(self._lanes))
        return await self._chores.transact(chores.expire(self._lanes, now, limit))

    async def prune(self, now: int, limit: int) -> int:
        """See `Store.prune`. Days that have partitions are dropped as a whole, now and then."""
        if self._partitions.is_due():
            await self._keep_partitions(now)
        return await self._chores.transact(self._pruner.step(now, limit))

    async def _keep_partitions(self, now: int) -> None:
        """Whatever keeps it from being done, the next time is soon."""
        with suppress(StoreError):
            await self._chores.do(self._partitions.drop(now))
            await self._chores.do(self._partitions.make())
            self._partitions.done()

    def prunes_on(self) -> bool:
        """See `Store.prunes_on`."""
        return self._pruner.walking

    # -- nodes -----------------------------------------------------------------------------------

    async def register(self, node: NodeInfo, now: int) -> int:
        """See `Store.register`. The lock is held before the row can be seen."""
        self._locks.enter(node.id)
        try:
            number = await self._people.transact(nodes.register(node, now))
        except NodeNotLive:
            self._locks.leave(node.id)
            raise
        self._own[number] = node.id
        return number

    def beat(self, node: int) -> bool:
        """See `Store.beat`."""
        return self._beats.run(self._beat(node))

    async def _beat(self, node: int) -> bool:
        await self._beating.open()
        return bool(await self._beating.do(ask("beat", node)))

    async def retire(self, node: int, now: int) -> None:
        """See `Store.retire`."""
        await self._people.do(ask("end_node", node, now))
        id = self._own.pop(node, None)
        if id is not None:
            self._locks.leave(id)

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        """See `Store.rescue`. A node ends first, which stops its claims; then they are given back."""
        live = await self._chores.do(nodes.live_nodes())
        silent = set(self._watch.silent(live, lease))
        rescued: list[Rescued] = []
        for node in live:
            if (node in silent or self._gone(node.id)) and await self._chores.transact(
                nodes.end(node.number, node.beats, now)
            ):
                self._locks.bury(node.id)
                count = await self._end_open_runs(What.LOST, now, node=node.number)
                rescued.append(Rescued(node.id, count))
        for number in await self._chores.do(nodes.orphans()):
            count = await self._end_open_runs(What.LOST, now, node=number)
            await self._chores.do(ask("close_batches", number))
            if count:
                rescued.append(Rescued("", count))
        return rescued

    def _gone(self, id: str) -> bool:
        return id not in self._own.values() and self._locks.gone(id)

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        """See `Store.nodes`."""
        return await self._people.do(nodes.seen(now, lambda number, id: self._gone(id) or self._watch.overdue(number)))
