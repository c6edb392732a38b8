"""The store as a process of the simulation sees it: slow, failing, lossy, and noting what happens.

Entries that take effect are noted in the step in which the store does it: right after a verb of the memory
store, which never waits, and inside the transaction of the SQLite store (see noting.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

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
    Store,
    Verdict,
)
from ferryman.store.reporting import Runs
from ferryman.store.scheduling import Fired, KeptSchedule, Put, Tick
from ferryman.store.watching import Version
from ferryman.testing.history import entries
from tests.simulation.loop import pause
from tests.simulation.notes import Notes
from tests.simulation.noting import TOOK, NotingSqliteStore, Took
from tests.simulation.weather import Fate, Weather

T = TypeVar("T")
_DURING: Final = MappingProxyType({"insert": "accepting", "claim": "claimed", "finish": "flushing"})
"""What a process that dies in a call was doing, as `entries.IN_FLIGHT` calls it."""


def faulted(notes: Notes, process: str, verb: str, fate: Fate) -> None:
    """Note that a call of the store is made to fail."""
    kind = "after" if fate.endswith("after") else "slow" if fate == "slow" else "before"
    notes.note(entries.Faulted, "nemesis", process=process, verb=verb, kind=kind)


class SimStore:
    """Implements `Store` over the real one, for one process."""

    def __init__(
        self,
        inner: Store,
        weather: Weather,
        notes: Notes,
        process: str,
        *,
        stop: Callable[[], None],
        die: Callable[[str], None],
        die_within: Callable[[str], None],
    ) -> None:
        """`stop` asks the process to stop; `die` ends it on the spot, and is told what was under way; `die_within`
        ends it after the next step of its threads, which is in the middle of a call that takes several."""
        self._inner = inner
        self._weather = weather
        self._notes = notes
        self._process = process
        self._stop = stop
        self._die = die
        self._die_within = die_within
        self._in_step = isinstance(inner, NotingSqliteStore)
        self.registered: dict[str, int] = {}
        """Every node that this process registered, and the number it was given."""

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    # -- every call ------------------------------------------------------------------------------

    async def _call(self, verb: str, do: Callable[[], Coroutine[Any, Any, T]], took: Took | None = None) -> T:
        """One call, by the fate that the weather has for it.

        In production a step in a thread happens even if its caller is cancelled. Nothing in the product cancels a
        call of the store, so that need not be played here.
        """
        weather = self._weather
        fate = weather.fate(verb)
        if fate is None:
            return await self._do(do, took)
        self._faulted(verb, fate)
        if fate == "slow":
            await weather.linger()
        if fate == "die before":
            await self._end(verb)
        if fate == "die within":
            self._die_within(_DURING.get(verb, verb))
        if fate in ("before", "stop before"):
            await self._travel()
            raise self._failure(fate)
        result = await self._do(do, took)
        if fate == "die after":
            await self._end(verb)
        if fate in ("after", "stop after"):
            raise self._failure(fate)
        return result

    def _failure(self, fate: Fate) -> Exception:
        """What the caller gets; at that moment its process may be asked to stop."""
        if fate.startswith("stop"):
            self._stop()
        return self._weather.error(fate)

    async def _do(self, do: Callable[[], Coroutine[Any, Any, T]], took: Took | None) -> T:
        if self._in_step:
            before = TOOK.set(took)
            try:
                return await do()
            finally:
                TOOK.reset(before)
        await self._travel()
        result = await do()
        if took is not None:
            took(result)
        await self._travel()
        return result

    async def _travel(self) -> None:
        seconds = self._weather.trip()
        if seconds:
            await pause(seconds)

    def _faulted(self, verb: str, fate: Fate) -> None:
        faulted(self._notes, self._process, verb, fate)

    async def _end(self, verb: str) -> None:
        self._die(_DURING.get(verb, verb))
        await asyncio.get_running_loop().create_future()

    def _note(self, kind: Callable[..., entries.AnyEntry], /, **fields: Any) -> None:
        self._notes.note(kind, self._process, **fields)

    # -- verbs that leave a trace ----------------------------------------------------------------

    async def insert(
        self,
        jobs: Sequence[NewJob],
        now: int,
        *,
        claim: ClaimRequest | None = None,
        max_pending: Bound = 0,
        deed: Deed | None = None,
    ) -> Inserted:
        call = self._notes.call()

        def took(inserted: Inserted) -> None:
            new = [each.id for each in inserted.receipts if each.verdict is Verdict.INSERTED]
            if new:
                self._note(entries.Inserted, jobs=new)
            if claim is not None and inserted.batch is not None:
                self._claimed(call, claim, inserted.batch)

        if claim is not None:
            self._claiming(call, claim)
        result = await self._call(
            "insert", lambda: self._inner.insert(jobs, now, claim=claim, max_pending=max_pending, deed=deed), took
        )
        if claim is not None:
            self._note(entries.Replied, call=call)
        return result

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        call = self._notes.call()
        self._claiming(call, request)
        batch = await self._call(
            "claim", lambda: self._inner.claim(request, now), lambda batch: self._claimed(call, request, batch)
        )
        self._note(entries.Replied, call=call)
        return batch

    def _claiming(self, call: int, request: ClaimRequest) -> None:
        asked = {"node": request.node, "batch": request.batch, "idle": request.idle, "limit": request.limit}
        self._note(entries.Claiming, call=call, **asked)

    def _claimed(self, call: int, request: ClaimRequest, batch: Batch) -> None:
        runs = [entries.ClaimedRun(j.id, j.number, j.attempt, j.max_attempts, j.crashes) for j in batch.jobs]
        if runs:
            self._note(
                entries.Claimed,
                call=call,
                node=request.node,
                batch=batch.id,
                runs=runs,
                claimed_at=batch.claimed_at,
            )
        if batch.again.limited:
            self._note(entries.HeldBack, node=request.node, batch=batch.id, rate=batch.again.due is not None)

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        call = self._notes.call()
        runs = [entries.WrittenRun(f.id, f.number, f.what.value, f.status.value, f.token) for f in finishes]

        def took(report: FinishReport) -> None:
            fenced, cancelled = sorted(report.fenced), sorted(report.cancelled)
            self._note(entries.Wrote, call=call, node=node, fenced=fenced, cancelled=cancelled)

        self._note(entries.Writing, call=call, node=node, runs=runs)
        report = await self._call("finish", lambda: self._inner.finish(node, finishes, now), took)
        self._note(entries.Replied, call=call)
        return report

    async def release(self, node: int, batch: int, now: int) -> int:
        def took(count: int) -> None:
            if count:
                self._note(entries.Released, node=node, batch=batch, count=count)

        return await self._call("release", lambda: self._inner.release(node, batch, now), took)

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        asked = len(self._notes)

        def took(result: CancelResult) -> None:
            if result.before is not None:
                self._note(entries.CancelTook, asked=asked, job=id, before=result.before.value)

        return await self._call("cancel", lambda: self._inner.cancel(id, now, deed=deed, expected=expected), took)

    async def promote(self, now: int, limit: int) -> Promoted:
        asked = len(self._notes)

        def took(promoted: Promoted) -> None:
            if promoted.count:
                self._note(entries.PromoteTook, asked=asked, count=promoted.count)

        return await self._call("promote", lambda: self._inner.promote(now, limit), took)

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        def took(rescued: Sequence[Rescued]) -> None:
            for each in rescued or ():  # the SQLite store takes over checkpoints in the same call
                self._note(entries.Rescued, node=each.node, count=each.count)

        return await self._call("rescue", lambda: self._inner.rescue(now, lease), took)

    async def register(self, node: NodeInfo, now: int) -> int:
        def took(number: int) -> None:
            self.registered[node.id] = number
            self._note(entries.Registered, node=node.id, number=number)

        return await self._call("register", lambda: self._inner.register(node, now), took)

    def beat(self, node: int) -> bool:
        fate = self._weather.fate("beat")
        if fate is not None:
            self._faulted("beat", fate)
            raise self._weather.error("before")
        return self._inner.beat(node)

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        return await self._call("pause", lambda: self._inner.pause(scope, name, paused, deed=deed), self._ruled)

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        return await self._call("limit", lambda: self._inner.limit(scope, name, limit, deed=deed), self._ruled)

    def _ruled(self, rule: Rule) -> None:
        self._note(entries.RuleTook, scope=rule.scope, name=rule.name, paused=rule.paused, limit=rule.limit)

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        def took(_done: None) -> None:
            self._note(entries.KeyTook, key=key, wish="unset" if rule is None else "set", rule=rule)

        await self._call("set_key", lambda: self._inner.set_key(key, rule, now, deed=deed), took)

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        def took(_done: None) -> None:
            self._note(entries.KeyTook, key=key, wish="pause" if paused else "resume")

        await self._call("pause_key", lambda: self._inner.pause_key(key, paused, now, deed=deed), took)

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        def took(passed: Sequence[str]) -> None:
            self._note(entries.KeyTook, key=key, wish="pass", passed=tuple(passed))

        return await self._call("pass_key", lambda: self._inner.pass_key(key, now, deed=deed), took)

    # -- verbs that leave none -------------------------------------------------------------------

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

    # -- schedules: only as they fire may a call fail ---------------------------------------------

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

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        for job in firing.jobs:
            self._note(
                entries.Asked,
                request=job.id,
                job=job.id,
                type=job.type,
                queue=job.queue,
                priority=job.priority,
                max_attempts=job.max_attempts,
                scheduled=True,
                tick=None if job.run_at is None else (firing.name, job.run_at),
            )

        def took(fired: Fired | None) -> None:
            if fired is not None and fired.jobs:
                self._note(entries.Inserted, jobs=list(fired.jobs))

        return await self._call("fire", lambda: self._inner.fire(firing, now), took)
