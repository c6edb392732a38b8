"""The verbs of the store that leave a trace in the history.

Entries that take effect are noted in the step in which the store does it: right after a verb of the memory
store, which never waits, and inside the transaction of the SQLite store (see noting.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.outcome import Finish
from ferryman.domain.schedule import Firing
from ferryman.store.protocol import CancelResult, FinishReport, Inserted, NodeInfo, Promoted, Rescued, Verdict
from ferryman.store.scheduling import Fired
from ferryman.store.watching import Version
from ferryman.testing.history import entries
from tests.simulation.calls import Calls


class Traced(Calls):
    """What each of these verbs asks for, and what came of it."""

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
