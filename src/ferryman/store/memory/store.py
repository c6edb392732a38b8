"""The memory store's verbs. None awaits, so each is atomic; all the other stores mean the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from ferryman.domain import state
from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound, bound_of
from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch, take
from ferryman.domain.errors import JobExpired, NodeNotLive
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import JobError, Lane, NewJob
from ferryman.domain.limits import NEVER, Again
from ferryman.domain.outcome import Finish, What
from ferryman.domain.schedule import Firing
from ferryman.domain.state import INITIAL, Status
from ferryman.store.explaining import Whereabouts
from ferryman.store.gating import keys_in, keys_told
from ferryman.store.memory.access import ApiKeys
from ferryman.store.memory.bulk import BulkOperations
from ferryman.store.memory.commanding import Commanding
from ferryman.store.memory.grouping import Grouping
from ferryman.store.memory.keys import Keys
from ferryman.store.memory.liveness import Watch
from ferryman.store.memory.nodes import Ends, status_of
from ferryman.store.memory.rows import ClaimRow, NodeRow, claimed
from ferryman.store.memory.rules import Rules
from ferryman.store.memory.ruling import Ruling
from ferryman.store.memory.scheduling import Timetable
from ferryman.store.memory.tables import Tables
from ferryman.store.protocol import (
    Clock,
    Declaration,
    FinishReport,
    Inserted,
    NodeInfo,
    NodeStatus,
    Promoted,
    Receipt,
    Rescued,
    Retention,
    Verdict,
)
from ferryman.store.scheduling import Fired


def _nobody(_node: str) -> bool:
    """All nodes of a memory store live in this process: none of them is ever known to be gone."""
    return False


class MemoryStore(BulkOperations, Timetable, Keys, Ruling, Commanding, ApiKeys, Grouping):
    """Implements `Store` for one event loop; what it holds goes with the process."""

    def __init__(
        self,
        clock: Clock,
        ids: IdMinter,
        retention: Retention,
        *,
        gone: Callable[[str], bool] = _nobody,
        tables: Tables | None = None,
    ) -> None:
        """`gone` says of a node's id whether its process is known to have ended; simulations give their own."""
        super().__init__(Tables() if tables is None else tables, retention)
        self._rules = Rules(self._tables)
        self._clock = clock
        self._ids = ids
        self._gone = gone
        self._watch = Watch(gone)
        self._ends = Ends()
        self._more_to_prune = False

    async def open(self) -> None:
        """Nothing to connect."""

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
        """Judge and store each job in order, then claim; a node that is not live hands in nothing."""
        if claim is not None:
            self._live(claim.node)
        receipts = [self._admit(job, now, max_pending) for job in jobs]
        self._note(deed if any(receipt.verdict is Verdict.INSERTED for receipt in receipts) else None)
        self._tables.gates.look_at(*keys_in(jobs))
        self._tables.let_in(now)
        return Inserted(receipts, None if claim is None else self._claim(claim, now))

    def _admit(self, job: NewJob, now: int, max_pending: Bound) -> Receipt:
        tables = self._tables
        if job.id in tables.jobs:
            return Receipt(job.id, Verdict.EXISTS)
        used = job.idempotency and tables.keys.get(job.idempotency.key)
        if job.idempotency and used and used.promise.expires_at > now:
            same = used.promise.body_hash == job.idempotency.body_hash
            return Receipt(used.id, Verdict.REPLAYED if same else Verdict.KEY_REUSED)
        holder = self._holder(job)
        if holder is not None:
            return Receipt(holder, Verdict.KEY_TAKEN)
        bound = bound_of(max_pending, job.queue)
        if bound and tables.depth(job.queue) >= bound:
            return Receipt(job.id, Verdict.FULL)
        tables.add(job, now)
        return Receipt(job.id, Verdict.INSERTED)

    # -- running ---------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """Claim for a live node; a batch id that is open already is answered with what it still holds."""
        return self._claim(request, now)

    def _claim(self, request: ClaimRequest, now: int) -> Batch:
        tables = self._tables
        node = self._live(request.node)
        claim = tables.claims.get(request.batch)
        if claim is not None:
            return self._batch(claim)
        lanes = self._rules.open(tables.lanes_for(request))
        numbers = {lane: number for number, lane in lanes.items()}
        self._draw(numbers, request, now)
        bounds = self._rules.bounds(lanes, request.idle, now)
        line = tables.candidates(request, numbers)
        line = [line[each] for each in bounds.admit([numbers[row.job.lane] for row in line], request.limit)]
        taken = [line[position] for position in take([row.care for row in line], request.idle, request.alone)]
        claim = ClaimRow(request.batch, node, bounds.claimed_at, {})
        tables.start(taken, claim, now)
        counts = [numbers[row.job.lane] for row in taken]
        self._rules.spend(bounds, counts)
        mixed = len({lane.priority for lane in numbers}) > 1
        return self._batch(claim, mixed=mixed, again=bounds.again(counts))

    def _draw(self, lanes: Iterable[Lane], request: ClaimRequest, now: int) -> None:
        """What comes before a claim where keys take turns."""
        self._tables.draw(lanes, request, now)

    def _batch(self, claim: ClaimRow, *, mixed: bool = False, again: Again = NEVER) -> Batch:
        jobs = [claimed(self._tables.jobs[each], claim) for each in claim.runs]
        return Batch(claim.batch, claim.claimed_at, jobs, mixed, again)

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        """Refuse all if one is no legal end of a run; else write those whose run is still open."""
        for finish in finishes:
            state.check_end(finish.status)
        fenced = frozenset((each.id, each.number) for each in finishes if not self._finish(node, each, now))
        kept = [each for each in finishes if (each.id, each.number) not in fenced]
        rows = [(each, self._tables.jobs[each.id].outcomes[each.number].attempt.status) for each in kept]
        due = [max(each.run_at or now, now) for each, status in rows if status is Status.SCHEDULED]
        report = FinishReport(
            fenced,
            readied=any(status is Status.PENDING for _, status in rows),
            scheduled=min(due, default=None),
            cancelled=frozenset(each.id for each, status in rows if status is not each.status),
        )
        brought, self._tables.brought = self._tables.brought, []
        if brought:
            report = report.with_follow_ups(brought, [self._admit(job, now, 0) for job in brought], now)
        self._tables.gates.look_at(*keys_told(finishes))
        return report.having_let_in(self._tables.let_in(now))

    def _finish(self, node: int, finish: Finish, now: int) -> bool:
        """Write one outcome; False if its run had ended already, unless by this very write."""
        row = self._tables.jobs.get(finish.id)
        if row is None:
            return False
        if row.claim is not None and row.claim.node.number == node and row.number == finish.number:
            self._tables.end(row, row.claim, finish, now)
            return True
        written = row.outcomes.get(finish.number)
        return written is not None and written.token == finish.token != 0

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        """The node's claim rows."""
        return [OpenBatch(claim.batch, list(claim.runs.items())) for claim in self._claims(node)]

    def _claims(self, node: int) -> list[ClaimRow]:
        return [claim for claim in self._tables.claims.values() if claim.node.number == node]

    async def release(self, node: int, batch: int, now: int) -> int:
        """End as released every run that the batch still owes."""
        claim = self._tables.claims.get(batch)
        if claim is None or claim.node.number != node:
            return 0
        count = self._tables.give_back(claim, What.RELEASED, now)
        self._tables.let_in(now)
        return count

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        """The node's open runs whose job has a cancel asked for."""
        runs = [run for claim in self._claims(node) for run in claim.runs.items()]
        return [run for run in runs if self._tables.jobs[run[0]].cancel_asked is not None]

    # -- explaining ------------------------------------------------------------------------------

    async def whereabouts(self, id: str) -> Whereabouts | None:
        """Those ahead of it, and the limits that it is under."""
        row = self._tables.jobs.get(id)
        if row is None:
            return None
        key = None if row.job.key is None else await self.key(row.job.key)
        return Whereabouts(self._tables.ahead_of(row), self._rules.holdings(row.job.lane), key)

    # -- chores ----------------------------------------------------------------------------------

    async def promote(self, now: int, limit: int) -> Promoted:
        """Make due jobs pending, by (due, id), or have them wait before their gates."""
        line = sorted(self._tables.later.values(), key=attrgetter("due", "job.id"))
        due = [row for row in line if row.due is not None and row.due <= now][:limit]
        for row in due:
            self._tables.move(row, self._tables.gates.way(row.job), now)
        self._tables.let_in(now)
        return Promoted(len(due), next((row.due for row in line[len(due) :]), None))

    async def expire(self, now: int, limit: int) -> int:
        """Cancel what nobody started before its expires_at, by (expires_at, id)."""
        error = JobError(JobExpired.code, "JobExpired", "The job was not started before its expires_at.")
        late = [row for row in self._tables.jobs.values() if row.status in INITIAL and row.expired(now)]
        late.sort(key=attrgetter("job.expires_at", "job.id"))
        for row in late[:limit]:
            self._tables.end_unclaimed(row, now, error)
        self._tables.let_in(now)
        return len(late[:limit])

    async def prune(self, now: int, limit: int) -> int:
        """Forget hidden jobs, expired idempotency keys and gates that nobody uses."""
        tables = self._tables
        for key in [key for key, row in tables.keys.items() if row.promise.expires_at <= now]:
            del tables.keys[key]
        hidden = [row for row in tables.jobs.values() if row.hidden(now, self._retention)]
        for row in hidden[:limit]:
            tables.forget(row)
        tables.let_in(now)
        tables.gates.drop_idle(now)
        self._forget_deeds(now, limit)
        tables.samples.prune(now)
        tables.sightings.prune(now)
        self._forget_operations(now)
        tables.journal.forget(now, limit)
        self._more_to_prune = len(hidden) > limit
        return len(hidden[:limit])

    def prunes_on(self) -> bool:
        """Whether hidden jobs are left over."""
        return self._more_to_prune

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        """Store what the schedule lets through, each job as if it were handed in."""
        fired = self._fire(firing, lambda job: self._admit(job, now, 0))
        self._tables.gates.look_at(*keys_in(firing.jobs))
        self._tables.let_in(now)
        return fired

    # -- nodes -----------------------------------------------------------------------------------

    def _live(self, number: int) -> NodeRow:
        node = self._tables.nodes.get(number)
        if node is None or not node.live:
            raise NodeNotLive(
                "This node may not claim.",
                why="It was rescued by another one, has retired, or never registered.",
                hint="Register again under a new id.",
            )
        return node

    async def register(self, node: NodeInfo, now: int) -> int:
        """Make a node live; the number is random, so that a dead node's is never given again."""
        for known in [*self._tables.nodes.values(), *self._ends.lately(now)]:
            if known.info.id == node.id:
                return self._live(known.number).number
        number = self._ids.number()
        self._tables.nodes[number] = NodeRow(number, node, now)
        types = self._tables.types
        types.update({name: node.declared.get(name) or types.get(name) or Declaration() for name in node.types})
        return number

    def beat(self, node: int) -> bool:
        """Count a beat; only this node's heartbeat does so, whatever its thread."""
        row = self._tables.nodes.get(node)
        if row is None or not row.live:
            return False
        row.beats += 1
        return True

    async def retire(self, node: int, now: int) -> None:
        """End a node. Claims that it holds all the same are not lost: the next rescue gives them back."""
        row = self._tables.nodes.get(node)
        if row is not None:
            row.live = False
            self._ends.add(row, now)
            if not self._claims(node):
                del self._tables.nodes[node]

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        """End dead nodes, and as lost every run that they still owed."""
        dead = self._watch.dead(self._tables.nodes.values(), self._clock.monotonic(), lease)
        return [self._bury(node, now) for node in dead]

    def _bury(self, node: NodeRow, now: int) -> Rescued:
        del self._tables.nodes[node.number]
        self._ends.add(node, now)
        given = [self._tables.give_back(claim, What.LOST, now) for claim in self._claims(node.number)]
        self._tables.let_in(now)
        return Rescued(node.info.id, sum(given))

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        """The nodes that have not ended, and those that did lately, in the order in which they registered."""
        rows = sorted([*self._ends.lately(now), *self._standing()], key=attrgetter("started_at", "info.id"))
        return [self._status(each) for each in rows]

    def _status(self, node: NodeRow) -> NodeStatus:
        claimed = sum(len(claim.runs) for claim in self._claims(node.number))
        return status_of(node, gone=self._gone(node.info.id), claimed=claimed)
