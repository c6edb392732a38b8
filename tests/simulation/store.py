"""The store as a process of the simulation sees it: slow, failing, lossy, and noting what happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferryman.domain.access import ApiKey
from ferryman.domain.audit import Deed
from ferryman.domain.bulk import BulkStatus
from ferryman.domain.claim import OpenBatch
from ferryman.domain.job import Attempt, Job, Lane
from ferryman.domain.limits import Rule
from ferryman.domain.nodes import Condition, NodeWish, Wished
from ferryman.domain.report import Logs, ProgressOf, Report
from ferryman.domain.schedule import Schedule
from ferryman.domain.series import Kept, Period, Timing, Which
from ferryman.domain.state import Status
from ferryman.store.access import Added
from ferryman.store.bulk import Advanced, BulkOperation, Portion
from ferryman.store.commanding import HeldJob
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.describing import Described
from ferryman.store.explaining import Whereabouts
from ferryman.store.journaling import PAGE, Position, Told
from ferryman.store.protocol import (
    Admitted,
    AuditFilter,
    Counts,
    Declaration,
    Entry,
    ErrorGroup,
    GroupFilter,
    JobFilter,
    KeyStatus,
    NodeStatus,
    Page,
    RetryResult,
)
from ferryman.store.reporting import Runs
from ferryman.store.scheduling import KeptSchedule, Put, Tick
from ferryman.store.watching import Version
from tests.simulation.traced import Traced


class SimStore(Traced):
    """Implements `Store` over the real one, for one process; here are the verbs that leave no trace."""

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    # -- any of these may fail --------------------------------------------------------------------

    async def rules(self) -> Sequence[Rule]:
        return await self._call("rules", self._inner.rules)

    async def whereabouts(self, id: str) -> Whereabouts | None:
        return await self._call("whereabouts", lambda: self._inner.whereabouts(id))

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        return await self._call("error_groups", lambda: self._inner.error_groups(asked, now))

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        return await self._call("audit", lambda: self._inner.audit(filter, after, limit))

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        return await self._call("open_batches", lambda: self._inner.open_batches(node))

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        return await self._call("cancellations", lambda: self._inner.cancellations(node))

    async def force_cancel(self, asked_before: int, now: int) -> int:
        return await self._call("force_cancel", lambda: self._inner.force_cancel(asked_before, now))

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        return await self._call("retry", lambda: self._inner.retry(id, now, run_at, deed=deed, expected=expected))

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        return await self._call("place", lambda: self._inner.place(ids, placement, now, deed=deed, expected=expected))

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        return await self._call("cancel_waiting", lambda: self._inner.cancel_waiting(ids, now, deed=deed))

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        return await self._call("delete", lambda: self._inner.delete(id, now, deed=deed, expected=expected))

    async def get(self, id: str, now: int) -> Job | None:
        return await self._call("get", lambda: self._inner.get(id, now))

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        return await self._call("versions", lambda: self._inner.versions(ids, now))

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        return await self._call("journal", lambda: self._inner.journal(after, now, limit))

    async def list(self, filter: JobFilter, now: int) -> Page:
        return await self._call("list", lambda: self._inner.list(filter, now))

    async def attempts(self, id: str) -> Sequence[Attempt]:
        return await self._call("attempts", lambda: self._inner.attempts(id))

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        return await self._call("report", lambda: self._inner.report(node, reports))

    async def progress(self, id: str) -> ProgressOf | None:
        return await self._call("progress", lambda: self._inner.progress(id))

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        return await self._call("logs", lambda: self._inner.logs(id, claim, after, limit))

    async def counts(self, now: int) -> Counts:
        return await self._call("counts", lambda: self._inner.counts(now))

    async def lanes(self) -> Mapping[int, Lane]:
        return await self._call("lanes", self._inner.lanes)

    async def known_types(self) -> Mapping[str, Declaration]:
        return await self._call("known_types", self._inner.known_types)

    async def admit(self, now: int, limit: int) -> Admitted:
        return await self._call("admit", lambda: self._inner.admit(now, limit))

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        return await self._call("keys", lambda: self._inner.keys(after, limit))

    async def key(self, key: str) -> KeyStatus | None:
        return await self._call("key", lambda: self._inner.key(key))

    async def expire(self, now: int, limit: int) -> int:
        return await self._call("expire", lambda: self._inner.expire(now, limit))

    async def prune(self, now: int, limit: int) -> int:
        return await self._call("prune", lambda: self._inner.prune(now, limit))

    def prunes_on(self) -> bool:
        return self._inner.prunes_on()

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        return await self._call("nodes", lambda: self._inner.nodes(now))

    async def retire(self, node: int, now: int) -> None:
        await self._call("retire", lambda: self._inner.retire(node, now))

    # -- what nodes are told and say: at once -----------------------------------------------------

    async def command(self, id: str, wish: NodeWish, now: int, *, deed: Deed | None = None) -> bool:
        return await self._inner.command(id, wish, now, deed=deed)

    async def check_in(self, node: int, condition: Condition) -> Wished | None:
        return await self._inner.check_in(node, condition)

    async def held_by(self, id: str) -> Sequence[HeldJob]:
        return await self._inner.held_by(id)

    async def describe(self) -> Described:
        return await self._inner.describe()

    async def ticks(self, name: str, limit: int) -> Sequence[Tick]:
        return await self._inner.ticks(name, limit)

    # -- statistics: at once, no promise rests on them ---------------------------------------------

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        return await self._inner.sample(at, node, timings)

    async def sampled(self, period: Period, which: Which) -> Kept:
        return await self._inner.sampled(period, which)

    # -- operations: at once, but for their portions -----------------------------------------------

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        await self._inner.add_operation(operation, deed=deed)

    async def operation(self, id: str) -> BulkOperation | None:
        return await self._inner.operation(id)

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        return await self._inner.operations(before, limit)

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        return await self._inner.running_operations(limit)

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        return await self._call("advance", lambda: self._inner.advance(operation, portion, now))

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        return await self._inner.cancel_operation(id, now, deed=deed)

    # -- API keys: at once ------------------------------------------------------------------------

    async def api_keys(self) -> Sequence[ApiKey]:
        return await self._inner.api_keys()

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        return await self._inner.add_api_key(key, now, until=until, deed=deed)

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        return await self._inner.end_api_keys(ids, now, deed=deed)

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        return await self._inner.drop_api_keys(ids, deed=deed)

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        await self._inner.use_api_keys(used)

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        return await self._inner.take_quota(name, quota, least, most, now)

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        return await self._inner.quotas_taken(now)

    # -- schedules: at once, but for their firing -------------------------------------------------

    async def put_schedule(
        self, schedule: Schedule, now: int, *, declared: bool = False, deed: Deed | None = None
    ) -> Put:
        return await self._inner.put_schedule(schedule, now, declared=declared, deed=deed)

    async def undeclare_schedule(self, name: str) -> None:
        await self._inner.undeclare_schedule(name)

    async def drop_schedule(self, name: str, *, deed: Deed | None = None) -> bool:
        return await self._inner.drop_schedule(name, deed=deed)

    async def pause_schedule(self, name: str, paused: bool, now: int, *, deed: Deed | None = None) -> bool:
        return await self._inner.pause_schedule(name, paused, now, deed=deed)

    async def schedules(self) -> Sequence[KeptSchedule]:
        return await self._inner.schedules()
