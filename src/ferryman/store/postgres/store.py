"""PostgresStore: the verbs of the protocol over one PostgreSQL database, from as many processes as there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.job import Attempt, Job, Lane, NewJob
from ferryman.domain.outcome import Finish, What
from ferryman.store.forks import AroundForks, AtFork, Forks, in_children
from ferryman.store.gating import keys_in
from ferryman.store.postgres import chores, lanes, people, reading, rules
from ferryman.store.postgres.behind import LookBehind
from ferryman.store.postgres.bell import PostgresBell
from ferryman.store.postgres.claiming import Known
from ferryman.store.postgres.commanding import Commanding
from ferryman.store.postgres.connecting import Connecting
from ferryman.store.postgres.cursor import Cursor
from ferryman.store.postgres.ended import EndedRuns
from ferryman.store.postgres.ending import end_open_runs
from ferryman.store.postgres.flow import Flow
from ferryman.store.postgres.gating import Gates
from ferryman.store.postgres.home import Home
from ferryman.store.postgres.joining import PostgresJoins
from ferryman.store.postgres.journaling import Forgetting
from ferryman.store.postgres.lines import Lines
from ferryman.store.postgres.liveness import Liveness
from ferryman.store.postgres.partitions import Partitions
from ferryman.store.postgres.rules import Rules
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import ask
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
    Page,
    Promoted,
    Rescued,
    Retention,
    RetryResult,
)
from ferryman.store.watching import Version

LEASE_SECONDS: Final = 10.0


class PostgresStore(Commanding):
    """One database; its parts share the lines and the lanes."""

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
        self._retention = retention
        self._statements = statements = statements or Statements()
        self._at_fork = at_fork
        self._connecting = connecting = Connecting(around_forks or Forks().around)
        self._lanes = known = lanes.Lanes()
        cursor = Cursor()
        self._lines = lines = Lines(target, statements, connecting.connect, on_claims=cursor.forget)
        self._chores = lines.chores
        self._people = lines.people
        home = Home(target, statements, connecting.connect)
        self.joins = PostgresJoins(home)
        """Takes jobs through the connections of others."""
        self.transactions = PostgresTransactions(home, lease)
        """Begins transactions for handlers."""
        self.bell = PostgresBell(target, lines.ring, connecting.connect)
        """Tells other processes; it is sent over the store's connections, so it works while the store is open."""
        self._behind = LookBehind(cursor, lines.chores, clock.monotonic)
        self._ended = EndedRuns()
        self._rules = Rules()
        self._flow = Flow(
            lines,
            Known(known, self._rules, cursor),
            self._ended,
            self._behind,
            self.transactions,
            self.bell,
            clock,
            target.place,
        )
        self._gates = Gates(lines)
        self._liveness = Liveness(lines, known, self._gates, locks, clock.monotonic)
        self._promoter = chores.Promoter(clock.monotonic)
        self._pruner = chores.Pruner(retention)
        self._forgetting = Forgetting()
        self._partitions = Partitions(retention, clock.monotonic)

    # -- life ------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Check that the database is there and has our tables."""
        await self._lines.open()
        try:
            await Schema(self.target, self._connecting.connect).check()
            await self._people.do(lanes.read(self._lanes))
            await self._people.do(rules.read(self._rules))
        except BaseException:
            await self.close()
            raise
        self._at_fork(self._abandon)

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        await self._behind.flush()
        self.bell.close()
        await self.bell.flush()
        await self.transactions.close()
        await self._lines.close()
        await self._liveness.close()

    def _abandon(self) -> None:
        """Forget everything: it is that of the process that forked this one."""
        self._behind.abandon()
        self._lines.abandon()
        self.bell.abandon()
        self.transactions.abandon()
        self._liveness.abandon()

    # -- running ---------------------------------------------------------------------------------

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
        keys = keys_in(jobs)
        if not keys:
            return await self._flow.insert(jobs, now, claim=claim, max_pending=max_pending, deed=deed)
        inserted = await self._flow.insert(jobs, now, max_pending=max_pending, deed=deed)
        await self._gates.let_in(keys, now, over=self._lines.inserts)
        return inserted if claim is None else Inserted(inserted.receipts, await self._flow.claim(claim, now))

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """See `Store.claim`."""
        return await self._flow.claim(request, now)

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        """See `Store.finish`. What a handler's transaction has written already is passed over."""
        report, keys = await self._flow.finish(node, finishes, now)
        return report.having_let_in(await self._gates.made_room(keys, now, over=self._lines.finishes))

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        """See `Store.open_batches`. Claim rows whose runs have all ended are removed on the way."""
        await self._chores.do(ask("close_batches", node, None))
        batches = await self._chores.do(reading.open_batches(node))
        self._ended.keep({each.id for each in batches})
        return batches

    async def release(self, node: int, batch: int, now: int) -> int:
        """See `Store.release`."""
        return await end_open_runs(self._chores, self._lanes, self._gates, What.RELEASED, now, batch=batch, node=node)

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        """See `Store.cancellations`."""
        return await self._chores.do(reading.cancellations(node))

    # -- people ----------------------------------------------------------------------------------

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        """See `Store.cancel`."""
        await self._people.do(lanes.read(self._lanes))
        result, keys = await self._people.transact(people.cancel(self._lanes, id, now, self._retention, deed, expected))
        return result.having_let_in(await self._gates.made_room(keys, now, over=self._people))

    async def force_cancel(self, asked_before: int, now: int) -> int:
        """See `Store.force_cancel`."""
        return await end_open_runs(
            self._chores, self._lanes, self._gates, What.CANCELLED, now, asked_before=asked_before
        )

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        """See `Store.retry`."""
        await self._people.do(lanes.read(self._lanes))
        result, keys = await self._people.transact(
            people.retry(self._lanes, id, now, self._retention, run_at, deed, expected)
        )
        await self._gates.let_in(keys, now, over=self._people)
        return result

    async def get(self, id: str, now: int) -> Job | None:
        """See `Store.get`."""
        return await self._people.read(reading.get(id, now, self._retention))

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        """See `Watching.versions`."""
        return await self._people.do(reading.versions(ids, now, self._retention))

    async def list(self, filter: JobFilter, now: int) -> Page:
        """See `Store.list`."""
        await self._people.do(lanes.read(self._lanes))
        return await self._people.read(reading.list_jobs(self._lanes, filter, now, self._retention))

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """See `Store.attempts`."""
        return await self._people.do(reading.attempts(id))

    async def counts(self, now: int) -> Counts:
        """See `Store.counts`."""
        return await self._people.read(reading.counts(now))

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
        promoted, keys = await self._chores.do(self._promoter.step(now, limit))
        await self._gates.let_in(keys, now, over=self._chores)
        return promoted

    async def expire(self, now: int, limit: int) -> int:
        """See `Store.expire`."""
        await self._chores.do(lanes.read(self._lanes))
        count, keys = await self._chores.transact(chores.expire(self._lanes, now, limit))
        await self._gates.made_room(keys, now, over=self._chores)
        return count

    async def prune(self, now: int, limit: int) -> int:
        """See `Store.prune`. Days that have partitions are dropped as a whole, now and then."""
        await self._partitions.keep(self._chores, now)
        count = await self._chores.transact(self._pruner.step(now, limit))
        await self._chores.transact(self._forgetting.step(now, limit))
        await self._gates.forget(now, limit, chores.id_horizon(now - self._pruner.youngest))
        return count

    def prunes_on(self) -> bool:
        """See `Store.prunes_on`."""
        return self._pruner.walking

    # -- nodes -----------------------------------------------------------------------------------

    async def register(self, node: NodeInfo, now: int) -> int:
        """See `Store.register`."""
        return await self._liveness.register(node, now)

    def beat(self, node: int) -> bool:
        """See `Store.beat`."""
        return self._liveness.beat(node)

    async def retire(self, node: int, now: int) -> None:
        """See `Store.retire`."""
        await self._liveness.retire(node, now)

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        """See `Store.rescue`."""
        return await self._liveness.rescue(now, lease)

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        """See `Store.nodes`."""
        return await self._liveness.nodes(now)
