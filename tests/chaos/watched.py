"""The production store, which notes what its node asks and is answered, and is where a process is made to die."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import StoreError
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.domain.outcome import Finish
from ferryman.store.factory import sqlite_path
from ferryman.store.protocol import Clock, FinishReport, Inserted, NodeInfo, Rescued, Retention, Runner
from ferryman.store.sqlite import SqliteStore
from ferryman.store.sqlite.session import Session
from ferryman.testing.history.entries import (
    Claimed,
    ClaimedRun,
    Claiming,
    Faulted,
    Registered,
    Released,
    Replied,
    Writing,
    WrittenRun,
    Wrote,
)
from ferryman.testing.history.entries import Rescued as RescuedEntry
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.triggers import Triggers

Result = TypeVar("Result")


class WatchedStore(SqliteStore):
    """The same verbs with the same answers. What takes effect is noted when its answer is read."""

    def __init__(self, path: Path, journal: Journal, triggers: Triggers, **parts: Any) -> None:
        super().__init__(path, **parts)
        self._journal = journal
        self._triggers = triggers
        self._calls = itertools.count(time.monotonic_ns())  # no other process begins at the same nanosecond

    async def _write(self, request: Callable[[Session], Result]) -> Result:
        def step(session: Session) -> Result:
            assert isinstance(session.connection, sqlite3.Connection)
            before = session.connection.total_changes
            answer = request(session)
            if session.connection.total_changes != before:
                self._triggers.reach("before commit")
            return answer

        return await super()._write(step)

    async def insert(
        self, jobs: Sequence[NewJob], now: int, *, claim: ClaimRequest | None = None, max_pending: int = 0
    ) -> Inserted:
        asked_at = time.monotonic()
        self._triggers.reach("insert asked")
        inserted = await super().insert(jobs, now, claim=claim, max_pending=max_pending)
        if claim is not None and inserted.batch is not None:
            self._note_claim(asked_at, claim, inserted.batch)
        self._triggers.reach("insert done")
        return inserted

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        asked_at = time.monotonic()
        batch = await super().claim(request, now)
        self._note_claim(asked_at, request, batch)
        return batch

    def _note_claim(self, asked_at: float, request: ClaimRequest, batch: Batch) -> None:
        """A claim that gave nothing leaves no trace; whether it will is known only now."""
        if not batch.jobs:
            return
        call, node, note = next(self._calls), request.node, self._journal.note
        note(Claiming, at=asked_at, call=call, node=node, batch=request.batch, idle=request.idle)
        runs = [ClaimedRun(job.id, job.number, job.attempt, job.max_attempts, job.crashes) for job in batch.jobs]
        note(Claimed, call=call, node=node, batch=batch.id, runs=runs)
        self._triggers.reach("claim done")
        note(Replied, call=call)

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        call, note = next(self._calls), self._journal.note
        runs = [WrittenRun(each.id, each.number, each.what.value, each.status.value, each.token) for each in finishes]
        note(Writing, call=call, node=node, runs=runs)
        self._triggers.reach("finish asked")
        report = await super().finish(node, finishes, now)
        note(Wrote, call=call, node=node, fenced=sorted(report.fenced), cancelled=sorted(report.cancelled))
        self._triggers.reach("finish done")
        note(Replied, call=call)
        return report

    async def release(self, node: int, batch: int, now: int) -> int:
        count = await super().release(node, batch, now)
        if count:
            self._journal.note(Released, node=node, batch=batch, count=count)
        return count

    async def register(self, node: NodeInfo, now: int) -> int:
        number = await super().register(node, now)
        self._journal.note(Registered, node=node.id, number=number)
        self._triggers.reach("node registered")
        return number

    def beat(self, node: int) -> bool:
        try:
            return super().beat(node)
        except StoreError:
            self._journal.note(Faulted, by=NEMESIS, process=self._journal.name, verb="beat", kind="before")
            raise

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        rescued = await super().rescue(now, lease)
        for each in rescued:
            self._journal.note(RescuedEntry, node=each.node, count=each.count)
        return rescued


class MakeStore:
    """Stands in for `ferryman.store.factory.make_store`."""

    def __init__(self, journal: Journal, triggers: Triggers) -> None:
        self._journal = journal
        self._triggers = triggers

    def __call__(
        self, url: str, *, clock: Clock, ids: IdMinter, retention: Retention, runner: Callable[[str], Runner]
    ) -> WatchedStore:
        """The store of a sqlite URL."""
        path = sqlite_path(url)
        assert path is not None
        return WatchedStore(
            path, self._journal, self._triggers, clock=clock, ids=ids, retention=retention, runner=runner
        )
