"""The memory store of a test, for all its threads and loops."""

from __future__ import annotations

import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.bulk import BulkStatus
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, Job, NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.outcome import Finish
from ferryman.domain.report import Logs, ProgressOf, Report
from ferryman.domain.series import Kept, Period, Timing, Which
from ferryman.domain.state import Status
from ferryman.store.bulk import Advanced, BulkOperation, Portion
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.journaling import PAGE, Position, Told
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import (
    Admitted,
    AuditFilter,
    CancelResult,
    Clock,
    Counts,
    Entry,
    ErrorGroup,
    FinishReport,
    GroupFilter,
    Inserted,
    JobFilter,
    KeyStatus,
    Page,
    Promoted,
    Retention,
    RetryResult,
)
from ferryman.store.reporting import Runs
from ferryman.store.watching import Version

T = TypeVar("T")


def at_once(verb: Coroutine[Any, Any, T]) -> T:
    """What a verb of the memory store gives. None of them ever waits, so that they need no loop."""
    try:
        verb.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("A verb of the memory store waited.")


class SharedStore(MemoryStore):
    """A memory store that all threads and loops of a test may use, one verb at a time."""

    def __init__(self, clock: Clock, ids: IdMinter, retention: Retention) -> None:
        super().__init__(clock, ids, retention)
        self._turn = threading.Lock()

    async def handed_in(self) -> Sequence[NewJob]:
        """Every job as it was enqueued, in that order."""
        with self._turn:
            return [row.job for row in self._tables.jobs.values()]

    async def insert(
        self,
        jobs: Sequence[NewJob],
        now: int,
        *,
        claim: ClaimRequest | None = None,
        max_pending: Bound = 0,
        deed: Deed | None = None,
    ) -> Inserted:
        with self._turn:
            return await super().insert(jobs, now, claim=claim, max_pending=max_pending, deed=deed)

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        with self._turn:
            return await super().claim(request, now)

    async def rules(self) -> Sequence[Rule]:
        with self._turn:
            return await super().rules()

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        with self._turn:
            return await super().pause(scope, name, paused, deed=deed)

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        with self._turn:
            return await super().limit(scope, name, limit, deed=deed)

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        with self._turn:
            return await super().finish(node, finishes, now)

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        with self._turn:
            return await super().cancel(id, now, deed=deed, expected=expected)

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        with self._turn:
            return await super().retry(id, now, run_at, deed=deed, expected=expected)

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        with self._turn:
            return await super().place(ids, placement, now, deed=deed, expected=expected)

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        with self._turn:
            return await super().cancel_waiting(ids, now, deed=deed)

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        with self._turn:
            return await super().delete(id, now, deed=deed, expected=expected)

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        with self._turn:
            return await super().versions(ids, now)

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        with self._turn:
            return await super().journal(after, now, limit)

    async def get(self, id: str, now: int) -> Job | None:
        with self._turn:
            return await super().get(id, now)

    async def list(self, filter: JobFilter, now: int) -> Page:
        with self._turn:
            return await super().list(filter, now)

    async def attempts(self, id: str) -> Sequence[Attempt]:
        with self._turn:
            return await super().attempts(id)

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        with self._turn:
            return await super().report(node, reports)

    async def progress(self, id: str) -> ProgressOf | None:
        with self._turn:
            return await super().progress(id)

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        with self._turn:
            return await super().logs(id, claim, after, limit)

    async def counts(self, now: int) -> Counts:
        with self._turn:
            return await super().counts(now)

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        with self._turn:
            return await super().cancellations(node)

    async def promote(self, now: int, limit: int) -> Promoted:
        with self._turn:
            return await super().promote(now, limit)

    async def admit(self, now: int, limit: int) -> Admitted:
        with self._turn:
            return await super().admit(now, limit)

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        with self._turn:
            await super().set_key(key, rule, now, deed=deed)

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        with self._turn:
            await super().pause_key(key, paused, now, deed=deed)

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        with self._turn:
            return await super().pass_key(key, now, deed=deed)

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        with self._turn:
            return await super().keys(after, limit)

    async def key(self, key: str) -> KeyStatus | None:
        with self._turn:
            return await super().key(key)

    async def expire(self, now: int, limit: int) -> int:
        with self._turn:
            return await super().expire(now, limit)

    async def prune(self, now: int, limit: int) -> int:
        with self._turn:
            return await super().prune(now, limit)

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        with self._turn:
            return await super().sample(at, node, timings)

    async def sampled(self, period: Period, which: Which) -> Kept:
        with self._turn:
            return await super().sampled(period, which)

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        with self._turn:
            await super().add_operation(operation, deed=deed)

    async def operation(self, id: str) -> BulkOperation | None:
        with self._turn:
            return await super().operation(id)

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        with self._turn:
            return await super().operations(before, limit)

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        with self._turn:
            return await super().running_operations(limit)

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        with self._turn:
            return await super().advance(operation, portion, now)

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        with self._turn:
            return await super().cancel_operation(id, now, deed=deed)

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        with self._turn:
            return await super().audit(filter, after, limit)

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        with self._turn:
            return await super().error_groups(asked, now)
