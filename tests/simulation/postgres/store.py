"""The store of one process: every verb as a transaction on the server that all processes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ferryman.domain.access import ApiKey
from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.bulk import BulkStatus
from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.job import Attempt, Job, Lane, NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.nodes import Condition, NodeWish, Wished
from ferryman.domain.outcome import Finish
from ferryman.domain.report import Logs, ProgressOf, Report
from ferryman.domain.schedule import Firing, Schedule
from ferryman.domain.series import Kept, Period, Timing, Which
from ferryman.domain.state import INITIAL, Status
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
    CancelResult,
    Counts,
    Declaration,
    Entry,
    ErrorGroup,
    FinishReport,
    GroupFilter,
    Inserted,
    JobFilter,
    KeyStatus,
    NodeInfo,
    NodeStatus,
    Page,
    Promoted,
    Rescued,
    RetryResult,
)
from ferryman.store.reporting import Runs
from ferryman.store.scheduling import Fired, KeptSchedule, Put, Tick
from ferryman.store.watching import Version
from tests.simulation.noting import TOOK
from tests.simulation.postgres.admitting import Admitting
from tests.simulation.postgres.claiming import Claiming
from tests.simulation.postgres.connection import Connection, at_once, noted
from tests.simulation.postgres.server import Server, Transaction


class ModelStore:
    """Implements `Store`. The memory store says what each verb means; here it takes time, and may be rolled back."""

    def __init__(self, server: Server, process: str) -> None:
        self.connection = self._connection = Connection(server, process)
        self._server = server
        self._memory = server.memory
        self._gates = Admitting(self._connection, server.memory.tables)

    async def open(self) -> None:
        """Nothing to connect to yet."""

    async def close(self) -> None:
        """Nothing to release."""

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
        """The claim that rides along looks when the jobs have been stored, in the same step."""
        if claim is None:
            inserted, _ = await self._gates.after(
                "insert", lambda: self._memory.insert(jobs, now, max_pending=max_pending, deed=deed), now
            )
            return inserted
        took, claiming, keys = TOOK.get(), Claiming(self._connection, claim, now), set[str]()
        insert = self._gates.noting(lambda: self._memory.insert(jobs, now, max_pending=max_pending, deed=deed), keys)

        def work() -> Inserted:
            self._memory.require_live(claim.node)
            receipts = at_once(insert()).receipts
            claiming.look()
            return Inserted(receipts, claiming.take())

        def begun(_transaction: Transaction) -> Callable[[], Inserted]:
            return noted(work, took)

        inserted = await self._connection.write("insert", begun)
        claiming.answered()
        await self._gates.let_in(keys, now)
        return inserted

    # -- running ---------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """Look, take, commit. Until then others pass by what was taken, and nothing of it has changed.

        A claim under limits holds the locks of its rules from the look to the commit, so that nobody else claims
        under them: it looks when it commits. Where keys take turns, those whose turn it is are made ready before.
        """
        if self._memory.are_keys_taking_turns:
            await self._connection.write("draw", lambda _transaction: lambda: self._memory.draw(request, now))
        took, claiming = TOOK.get(), Claiming(self._connection, request, now)

        def begun(transaction: Transaction) -> Callable[[], Batch]:
            self._memory.require_live(request.node)
            if self._memory.is_bounded(request):
                return noted(claiming.look_and_take, took)
            self._server.lock(transaction, claiming.look())
            return noted(claiming.take, took)

        batch = await self._connection.write("claim", begun)
        claiming.answered()
        return batch

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        report, count = await self._gates.after("finish", lambda: self._memory.finish(node, finishes, now), now)
        return report.having_let_in(count)

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        return await self._connection.read(lambda: self._memory.open_batches(node))

    async def release(self, node: int, batch: int, now: int) -> int:
        answer, _ = await self._gates.after("release", lambda: self._memory.release(node, batch, now), now)
        return answer

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        return await self._connection.read(lambda: self._memory.cancellations(node))

    # -- people ----------------------------------------------------------------------------------

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        """Take the job from the line; where somebody else has taken it, wait what becomes of that."""
        took, locked, keys = TOOK.get(), self._server.locked, set[str]()
        cancel = self._gates.noting(lambda: self._memory.cancel(id, now, deed=deed, expected=expected), keys)

        def begun(transaction: Transaction) -> Callable[[], CancelResult]:
            row = self._memory.tables.jobs.get(id)
            if id not in locked and row is not None and row.status is Status.PENDING:
                self._server.lock(transaction, [id])
            transaction.blocked = lambda: None if locked.get(id) is transaction else locked.get(id)
            return noted(lambda: at_once(cancel()), took)

        result = await self._connection.write("cancel", begun)
        return result.having_let_in(await self._gates.let_in(keys, now))

    async def force_cancel(self, asked_before: int, now: int) -> int:
        answer, _ = await self._gates.after("force_cancel", lambda: self._memory.force_cancel(asked_before, now), now)
        return answer

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        answer, _ = await self._gates.after(
            "retry", lambda: self._memory.retry(id, now, run_at, deed=deed, expected=expected), now
        )
        return answer

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        return await self._connection.simply(
            "place", lambda: self._memory.place(ids, placement, now, deed=deed, expected=expected)
        )

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        answer, _ = await self._gates.after(
            "cancel_waiting", lambda: self._memory.cancel_waiting(ids, now, deed=deed), now
        )
        return answer

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        answer, _ = await self._gates.after(
            "delete", lambda: self._memory.delete(id, now, deed=deed, expected=expected), now
        )
        return answer

    async def get(self, id: str, now: int) -> Job | None:
        return await self._connection.read(lambda: self._memory.get(id, now))

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        return await self._connection.read(lambda: self._memory.versions(ids, now))

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        return await self._connection.read(lambda: self._memory.journal(after, now, limit))

    async def list(self, filter: JobFilter, now: int) -> Page:
        return await self._connection.read(lambda: self._memory.list(filter, now))

    async def attempts(self, id: str) -> Sequence[Attempt]:
        return await self._connection.read(lambda: self._memory.attempts(id))

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        return await self._connection.simply("report", lambda: self._memory.report(node, reports))

    async def progress(self, id: str) -> ProgressOf | None:
        return await self._connection.read(lambda: self._memory.progress(id))

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        return await self._connection.read(lambda: self._memory.logs(id, claim, after, limit))

    async def counts(self, now: int) -> Counts:
        return await self._connection.read(lambda: self._memory.counts(now))

    async def lanes(self) -> Mapping[int, Lane]:
        return await self._connection.read(self._memory.lanes)

    async def known_types(self) -> Mapping[str, Declaration]:
        return await self._connection.read(self._memory.known_types)

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        return await self._connection.read(lambda: self._memory.error_groups(asked, now))

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        return await self._connection.read(lambda: self._memory.audit(filter, after, limit))

    # -- rules -----------------------------------------------------------------------------------

    async def rules(self) -> Sequence[Rule]:
        return await self._connection.read(self._memory.rules)

    async def whereabouts(self, id: str) -> Whereabouts | None:
        return await self._connection.read(lambda: self._memory.whereabouts(id))

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        return await self._connection.simply("pause", lambda: self._memory.pause(scope, name, paused, deed=deed))

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        return await self._connection.simply("limit", lambda: self._memory.limit(scope, name, limit, deed=deed))

    # -- chores ----------------------------------------------------------------------------------

    async def promote(self, now: int, limit: int) -> Promoted:
        answer, _ = await self._gates.after("promote", lambda: self._memory.promote(now, limit), now)
        return answer

    async def expire(self, now: int, limit: int) -> int:
        """Wait for those who have taken what has expired."""
        keys = set[str]()
        expire = self._gates.noting(lambda: self._memory.expire(now, limit), keys)

        def blocked() -> Transaction | None:
            rows = self._memory.tables.jobs
            late = (id for id in self._server.locked if rows[id].status in INITIAL and rows[id].expired(now))
            return next((self._server.locked[id] for id in late), None)

        def begun(transaction: Transaction) -> Callable[[], int]:
            transaction.blocked = blocked
            return lambda: at_once(expire())

        count = await self._connection.write("expire", begun)
        await self._gates.let_in(keys, now)
        return count

    async def admit(self, now: int, limit: int) -> Admitted:
        return await self._gates.admit(now)

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        return await self._connection.read(lambda: self._memory.keys(after, limit))

    async def key(self, key: str) -> KeyStatus | None:
        return await self._connection.read(lambda: self._memory.key(key))

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        change = self._gates.changing(lambda: self._memory.set_key(key, rule, now, deed=deed), now)
        await self._connection.simply("set_key", change)

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        change = self._gates.changing(lambda: self._memory.pause_key(key, paused, now, deed=deed), now)
        await self._connection.simply("pause_key", change)

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        passed, _ = await self._gates.after("pass_key", lambda: self._memory.pass_key(key, now, deed=deed), now)
        return passed

    async def prune(self, now: int, limit: int) -> int:
        answer, _ = await self._gates.after("prune", lambda: self._memory.prune(now, limit), now)
        return answer

    def prunes_on(self) -> bool:
        return self._memory.prunes_on()

    # -- nodes -----------------------------------------------------------------------------------

    async def register(self, node: NodeInfo, now: int) -> int:
        return await self._connection.simply("register", lambda: self._memory.register(node, now))

    def beat(self, node: int) -> bool:
        """At once, from any thread."""
        self._connection.require("beat")
        return self._memory.beat(node)

    async def retire(self, node: int, now: int) -> None:
        await self._connection.simply("retire", lambda: self._memory.retire(node, now))

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        answer, _ = await self._gates.after("rescue", lambda: self._memory.rescue(now, lease), now)
        return answer

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        return await self._connection.read(lambda: self._memory.nodes(now))

    # -- what nodes are told and say: at once -----------------------------------------------------

    async def command(self, id: str, wish: NodeWish, now: int, *, deed: Deed | None = None) -> bool:
        return await self._memory.command(id, wish, now, deed=deed)

    async def check_in(self, node: int, condition: Condition) -> Wished | None:
        return await self._memory.check_in(node, condition)

    async def held_by(self, id: str) -> Sequence[HeldJob]:
        return await self._memory.held_by(id)

    async def describe(self) -> Described:
        return await self._memory.describe()

    async def ticks(self, name: str, limit: int) -> Sequence[Tick]:
        return await self._memory.ticks(name, limit)

    # -- statistics: at once ----------------------------------------------------------------------

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        return await self._memory.sample(at, node, timings)

    async def sampled(self, period: Period, which: Which) -> Kept:
        return await self._memory.sampled(period, which)

    # -- operations: at once, but for their portions -----------------------------------------------

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        await self._memory.add_operation(operation, deed=deed)

    async def operation(self, id: str) -> BulkOperation | None:
        return await self._memory.operation(id)

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        return await self._memory.operations(before, limit)

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        return await self._memory.running_operations(limit)

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        answer, _ = await self._gates.after("advance", lambda: self._memory.advance(operation, portion, now), now)
        return answer

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        return await self._memory.cancel_operation(id, now, deed=deed)

    # -- API keys: at once ------------------------------------------------------------------------

    async def api_keys(self) -> Sequence[ApiKey]:
        return await self._memory.api_keys()

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        return await self._memory.add_api_key(key, now, until=until, deed=deed)

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        return await self._memory.end_api_keys(ids, now, deed=deed)

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        return await self._memory.drop_api_keys(ids, deed=deed)

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        await self._memory.use_api_keys(used)

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        return await self._memory.take_quota(name, quota, least, most, now)

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        return await self._memory.quotas_taken(now)

    # -- schedules: at once, but for the firing of their ticks ------------------------------------

    async def put_schedule(
        self, schedule: Schedule, now: int, *, declared: bool = False, deed: Deed | None = None
    ) -> Put:
        return await self._memory.put_schedule(schedule, now, declared=declared, deed=deed)

    async def undeclare_schedule(self, name: str) -> None:
        await self._memory.undeclare_schedule(name)

    async def drop_schedule(self, name: str, *, deed: Deed | None = None) -> bool:
        return await self._memory.drop_schedule(name, deed=deed)

    async def pause_schedule(self, name: str, paused: bool, now: int, *, deed: Deed | None = None) -> bool:
        return await self._memory.pause_schedule(name, paused, now, deed=deed)

    async def schedules(self) -> Sequence[KeptSchedule]:
        return await self._memory.schedules()

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        answer, _ = await self._gates.after("fire", lambda: self._memory.fire(firing, now), now)
        return answer
