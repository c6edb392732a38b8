"""SqliteStore: the verbs of the protocol over one SQLite file."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.errors import NodeNotLive
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, Job, Lane, NewJob
from ferryman.domain.outcome import Finish, What
from ferryman.store.forks import AroundForks, AtFork, Forks, in_children
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
    Runner,
)
from ferryman.store.sqlite import (
    checkpoint,
    chores,
    claiming,
    database,
    finishing,
    inserting,
    nodes,
    people,
    reading,
)
from ferryman.store.sqlite.commanding import Commanding
from ferryman.store.sqlite.joining import SqliteJoins
from ferryman.store.sqlite.liveness import Liveness, nodes_folder
from ferryman.store.sqlite.reader import Reader
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import Statements
from ferryman.store.sqlite.transaction import SqliteTransactions
from ferryman.store.sqlite.writer import Writer
from ferryman.store.watching import Version

Result = TypeVar("Result")
EXIT_ENVIRONMENT: Final = 3


def end_process(error: BaseException) -> None:
    """A failed sync leaves unknown what is on the disk: the only safe thing is to stop at once."""
    os.write(2, f"ferryman: the disk failed to sync ({error}); ending.\n".encode())
    os._exit(EXIT_ENVIRONMENT)


class SqliteStore(Commanding):
    """One file, one writer thread and one reader thread per process; several processes may share the file."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        ids: IdMinter,
        retention: Retention,
        runner: Callable[[str], Runner],
        on_fatal: Callable[[BaseException], None] = end_process,
        statements: Statements | None = None,
        at_fork: AtFork = in_children,
        around_forks: AroundForks | None = None,
    ) -> None:
        """Make a store; nothing is opened yet.

        Args:
            path: the file.
            clock: the two times.
            ids: mints the numbers that the store needs.
            retention: how long ended jobs are kept.
            runner: makes a named runner for blocking steps.
            on_fatal: called when the disk failed to sync, after which nobody knows what is on it.
            statements: of another store of this process; else they are read from their files.
            at_fork: has the locks given back in forked children.
            around_forks: has the connections closed while the process forks; else the store sees to that itself.
        """
        self.path = path
        folder = nodes_folder(path)
        self._clock = clock
        self._retention = retention
        self._make_runner = runner
        self._on_fatal = on_fatal
        self._around_forks = around_forks or Forks().around
        self._at_fork = at_fork
        self._pauses = random.Random(ids.number())
        self._statements = statements or Statements()
        self._liveness = Liveness(folder, clock.monotonic)
        self._checkpoints = checkpoint.Checkpoints(folder)
        self._pruner = chores.Pruner(retention)
        self._own: dict[int, str] = {}
        self._writer: Writer | None = None
        self._reader: Reader | None = None

    async def open(self) -> None:
        """Check the path, migrate, connect."""
        if self._writer is not None:
            return
        database.check_version()
        database.check_path(self.path)
        writer = Writer(
            self._make_runner("ferryman-writer"),
            self.path,
            monotonic=self._clock.monotonic,
            pauses=self._pauses,
            on_fatal=self._on_fatal,
            around_forks=self._around_forks,
        )
        reader = Reader(self._make_runner("ferryman-reader"), self.path, self._around_forks)
        try:
            await writer.open(self._open_session)
            await reader.open(self._statements)
        except BaseException:
            await writer.close()
            await reader.close()
            raise
        self._writer, self._reader = writer, reader
        self._at_fork(self._let_go)

    def _open_session(self) -> Session:
        connection = database.open_migrated(self.path)
        connection.execute("PRAGMA busy_timeout = 0")  # the writer takes turns instead of waiting longer and longer
        self._checkpoints.adopt(connection)
        return Session(connection, self._statements)

    async def close(self) -> None:
        """Finish what was asked and let go of the file."""
        writer, reader, self._writer, self._reader = self._writer, self._reader, None, None
        if reader is not None:
            await reader.close()
        if writer is not None:
            await writer.close()
        self._let_go()

    def _let_go(self) -> None:
        """Give every lock back."""
        self._liveness.close()
        self._checkpoints.close()

    @cached_property
    def joins(self) -> SqliteJoins:
        """For those who have a connection of their own."""
        return SqliteJoins(self.path, self._statements)

    @cached_property
    def transactions(self) -> SqliteTransactions:
        """For the handlers of this process."""
        return SqliteTransactions(
            self.path,
            self._statements,
            monotonic=self._clock.monotonic,
            pauses=self._pauses,
            on_fatal=self._on_fatal,
            writer_waits=lambda: self._writer is not None and self._writer.waits,
            around_forks=self._around_forks,
        )

    async def insert(
        self,
        jobs: Sequence[NewJob],
        now: int,
        *,
        claim: ClaimRequest | None = None,
        max_pending: Bound = 0,
        deed: Deed | None = None,
    ) -> Inserted:
        """See `Store.insert`."""
        return await self._write(lambda session: inserting.insert(session, jobs, now, claim, max_pending, deed))

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """See `Store.claim`."""
        return await self._write(lambda session: claiming.claim(session, request, now))

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        """See `Store.finish`."""
        return await self._write(lambda session: finishing.finish(session, node, finishes, now))

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        """See `Store.open_batches`."""
        return await self._read(lambda session: reading.open_batches(session, node))

    async def release(self, node: int, batch: int, now: int) -> int:
        """See `Store.release`."""
        return await self._write(
            lambda session: finishing.end_open_runs(session, What.RELEASED, now, batch=batch, node=node)
        )

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        """See `Store.cancellations`."""
        return await self._read(lambda session: session.document("node_cancellations", finishing.run_keys, node=node))

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        """See `Store.cancel`."""
        return await self._write_where(
            [id], now, expected, lambda each: people.cancel(each, id, now, self._retention, deed)
        )

    async def force_cancel(self, asked_before: int, now: int) -> int:
        """See `Store.force_cancel`."""
        return await self._write(
            lambda session: finishing.end_open_runs(session, What.CANCELLED, now, asked_before=asked_before)
        )

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        """See `Store.retry`."""
        return await self._write_where(
            [id], now, expected, lambda session: people.retry(session, id, now, self._retention, run_at, deed)
        )

    async def get(self, id: str, now: int) -> Job | None:
        """See `Store.get`."""
        return await self._read(lambda session: reading.get(session, id, now, self._retention))

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        """See `Watching.versions`."""
        return await self._read(lambda session: reading.versions(session, ids, now, self._retention))

    async def list(self, filter: JobFilter, now: int) -> Page:
        """See `Store.list`."""
        return await self._read(lambda session: reading.list_jobs(session, filter, now, self._retention))

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """See `Store.attempts`."""
        return await self._read(lambda session: reading.attempts(session, id))

    async def counts(self, now: int) -> Counts:
        """See `Store.counts`."""
        return await self._read(lambda session: reading.counts(session, now))

    async def lanes(self) -> Mapping[int, Lane]:
        """See `Store.lanes`."""
        return await self._read(lambda session: dict(session.lanes().by_number))

    async def known_types(self) -> Mapping[str, Declaration]:
        """See `Store.known_types`."""
        return await self._read(nodes.known_types)

    async def promote(self, now: int, limit: int) -> Promoted:
        """See `Store.promote`."""
        return await self._write(lambda session: chores.promote(session, now, limit))

    async def expire(self, now: int, limit: int) -> int:
        """See `Store.expire`."""
        return await self._write(lambda session: chores.expire(session, now, limit))

    async def prune(self, now: int, limit: int) -> int:
        """See `Store.prune`."""
        return await self._write(lambda session: self._pruner.step(session, now, limit))

    def prunes_on(self) -> bool:
        """See `Store.prunes_on`."""
        return self._pruner.walking

    async def register(self, node: NodeInfo, now: int) -> int:
        """See `Store.register`. The lock is held before the row can be seen."""
        self._liveness.enter(node.id)
        try:
            number = await self._write(lambda session: nodes.register(session, node, now))
        except NodeNotLive:
            self._liveness.leave(node.id)
            raise
        self._own[number] = node.id
        return number

    def beat(self, node: int) -> bool:
        """See `Store.beat`. Touches the lock file only. Raises StoreFailed: the file cannot be written."""
        id = self._own.get(node)
        return id is not None and self._liveness.beat(id)

    async def retire(self, node: int, now: int) -> None:
        """See `Store.retire`."""
        await self._write(lambda session: session.run("end_node", node=node, now=now))
        id = self._own.pop(node, None)
        if id is not None:
            self._liveness.leave(id)

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        """See `Store.rescue`. Judged by lock files; the row is ended and the claims given back in one commit."""
        live = await self._read(lambda session: session.document("live_nodes", nodes.live_nodes))
        dead = {number: id for number, id in live if self._liveness.dead(id, lease)}
        for number in await self._read(nodes.orphaned):
            dead.setdefault(number, "")
        rescued = [await self._bury(number, id, now, lease) for number, id in dead.items()]
        await self._adopt_checkpoints()
        return [each for each in rescued if each is not None]

    async def _bury(self, number: int, id: str, now: int, lease: float) -> Rescued | None:
        """Give one dead node's claims back, if it has not beaten in the meantime."""

        def step(session: Session) -> int | None:
            if id and not self._liveness.dead(id, lease):
                return None
            return nodes.bury(session, number, now)

        count = await self._write(step)
        if count is None:
            return None
        if id:
            self._liveness.bury(id)
        return Rescued(id, count)

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        """See `Store.nodes`. Whose lock can be had is gone."""
        rows = await self._read(lambda session: nodes.seen(session, now))
        lives = self._liveness
        return [nodes.status_of(row, gone=lives.gone(row.id), condition=lives.condition(row.id)) for row in rows]

    async def _adopt_checkpoints(self) -> None:
        """Take over the checkpoints when the process that did them is gone."""
        if not self._checkpoints.held:
            await self._write(lambda session: self._checkpoints.adopt(session.connection))
