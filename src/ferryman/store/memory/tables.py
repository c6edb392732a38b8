"""The memory store's tables, and the few moves of which every verb is made."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter

import msgspec

from ferryman.domain import state
from ferryman.domain.access import ApiKey
from ferryman.domain.claim import ClaimRequest, care, care_of
from ferryman.domain.job import Attempt, JobError, Lane, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import INITIAL, TERMINAL, Status
from ferryman.store.access import Taken
from ferryman.store.auditing import Entry
from ferryman.store.bulk import BulkOperation
from ferryman.store.controlling import Placement
from ferryman.store.journaling import CREATED
from ferryman.store.memory.gates import Gates
from ferryman.store.memory.journal import Journal
from ferryman.store.memory.rows import ClaimRow, JobRow, KeyRow, NodeRow, OutcomeRow, claimed
from ferryman.store.memory.samples import Samples
from ferryman.store.memory.sightings import Sightings
from ferryman.store.protocol import TOTALS, Declaration, Tallied
from ferryman.store.scheduling import KeptSchedule, Tick


class Tables:
    """All rows. A job's status changes in `move` alone, which asks the transition table."""

    def __init__(self) -> None:
        self.jobs: dict[str, JobRow] = {}
        self.ready: dict[Lane, OrderedDict[str, JobRow]] = {}
        """Pending jobs by lane, in the order of their arrival; a lane once made stays."""
        self.later: dict[str, JobRow] = {}
        self.claims: dict[int, ClaimRow] = {}
        self.nodes: dict[int, NodeRow] = {}
        self.types: dict[str, Declaration] = {}
        self.unique: dict[tuple[str, str], str] = {}
        """(type, unique key) -> the live job that has it."""
        self.keys: dict[str, KeyRow] = {}
        self.schedules: dict[str, KeptSchedule] = {}
        self.ticks: dict[str, list[Tick]] = {}
        self.api_keys: dict[str, ApiKey] = {}
        self.quotas: dict[str, Taken] = {}
        self.operations: dict[str, BulkOperation] = {}
        self.audit: list[Entry] = []
        self.audited = 0
        """How many entries there ever were."""
        self.standing: Counter[tuple[str, str, Status]] = Counter()
        """(queue, type, status) -> how many jobs are in it."""
        self.tally: Counter[tuple[str, str, str]] = Counter()
        """(queue, type, what) -> how often that has happened to jobs there; `what` is one of TOTALS."""
        self.samples = Samples()
        self.sightings = Sightings()
        self.journal = Journal()
        self.gates = Gates(self.is_pending, self.lane_of)
        self.brought: list[NewJob] = []
        """The follow-ups of outcomes that the verb under way has written; it hands them in before it returns."""
        self._arrivals = 0

    # -- jobs enter and move ---------------------------------------------------------------------

    def add(self, job: NewJob, now: int) -> None:
        """A new job enters: scheduled where its run_at is still to come, else pending, or waiting before its gate."""
        due = job.run_at if job.run_at is not None and job.run_at > now else None
        status = self.gates.way(job) if due is None else Status.SCHEDULED
        row = JobRow(job, status, care(0, job.max_attempts, 0))
        self.jobs[job.id] = row
        self.ready.setdefault(job.lane, OrderedDict())
        if job.unique_key is not None:
            self.unique[job.type, job.unique_key] = job.id
        if job.idempotency is not None:
            self.keys[job.idempotency.key] = KeyRow(job.idempotency, job.id)
        self._count(job, "created")
        self._arrive(row, now, due)
        self.journal.write(row, 0, CREATED, Status.PENDING if due is None else Status.SCHEDULED, now)

    def move(self, row: JobRow, status: Status, now: int, due: int | None = None) -> None:
        """Change a job's status; `due` says when a scheduled one is to run.

        Raises:
            IllegalTransition: the table has no such edge; nothing was changed.
        """
        state.check(row.status, status)
        self._leave(row)
        row.status = status
        self._arrive(row, now, due)

    def depth(self, queue: str) -> int:
        """How many jobs of a queue nobody has claimed yet."""
        return sum(n for (of, _, status), n in self.standing.items() if of == queue and status in INITIAL)

    def tallied(self) -> Iterator[tuple[tuple[str, str], Tallied]]:
        """Each queue and type that has or had jobs, and what was counted of it."""
        for group in {(lane.queue, lane.type) for lane in self.ready}:
            standing = {status: n for status in Status if (n := self.standing[*group, status])}
            totals = {what: n for what in TOTALS if (n := self.tally[*group, what])}
            yield group, Tallied(standing, totals)

    def is_pending(self, id: str) -> bool:
        """Whether a job is pending."""
        return self.jobs[id].status is Status.PENDING

    def lane_of(self, id: str) -> Lane:
        """The lane of a job."""
        return self.jobs[id].job.lane

    def let_in(self, now: int) -> int:
        """Let in who may go, at the gates that were touched; every verb does so before it ends.

        Returns:
            How many; 1 where claims have somebody new to draw from.
        """
        ids, news = self.gates.let_in(now)
        self._ready(ids, now)
        return len(ids) or int(news)

    def draw(self, lanes: Iterable[Lane], request: ClaimRequest, now: int) -> None:
        """Before a claim: have those whose turn it is ready in each of its lanes, as many as it asks for."""
        for lane in lanes:
            missing = request.limit - sum(row.care <= care_of(request) for row in self.ready[lane].values())
            self._ready(self.gates.draw(lane, missing, now), now)

    def _ready(self, ids: Sequence[str], now: int) -> None:
        for id in ids:
            self.move(self.jobs[id], Status.PENDING, now)
        self.gates.touched.clear()  # a move touches the gate that it has just come through

    def forget(self, row: JobRow) -> None:
        """Delete an ended job with all its outcomes."""
        self._leave(row)
        self.gates.left(row.job)
        del self.jobs[row.job.id]

    def _leave(self, row: JobRow) -> None:
        self.standing[row.job.queue, row.job.type, row.status] -= 1
        self.ready[row.job.lane].pop(row.job.id, None)
        self.later.pop(row.job.id, None)
        row.due = None
        if row.status is Status.WAITING:
            self.gates.step_out(row.job)

    def _arrive(self, row: JobRow, now: int, due: int | None) -> None:
        job = row.job
        self.standing[job.queue, job.type, row.status] += 1
        if row.status is Status.PENDING:
            self._arrivals += 1
            row.arrival, row.ready_at = self._arrivals, now
            self.ready[job.lane][job.id] = row
        elif row.status is Status.SCHEDULED:
            # never due in the past, so that whoever scans from a watermark on sees it
            row.due = max(now, due or now)
            self.later[job.id] = row
        elif row.status is Status.WAITING:
            assert job.key is not None
            self.gates.stand(job, job.key)
        elif row.status in TERMINAL:
            self._count(job, row.status.value)
            if job.unique_key is not None:
                del self.unique[job.type, job.unique_key]

    def _count(self, job: NewJob, what: str) -> None:
        self.tally[job.queue, job.type, what] += 1

    # -- claims ----------------------------------------------------------------------------------

    def lanes_for(self, request: ClaimRequest) -> dict[int, Lane]:
        """The lanes that a claim asks for, as they are numbered."""
        return {
            number: lane
            for number, lane in enumerate(self.ready, start=1)
            if lane.type in request.types and (request.queues is None or lane.queue in request.queues)
        }

    def candidates(self, request: ClaimRequest, lanes: Iterable[Lane]) -> list[JobRow]:
        """The head of the line of each of these lanes, as long as the claim's limit and in the order of the claim.

        Those that nobody may take now are left out.
        """
        care = care_of(request)
        fronts = [
            islice((row for row in self.ready[lane].values() if row.care <= care), max(0, request.limit))
            for lane in lanes
        ]
        order = attrgetter("arrival") if request.by_age else attrgetter("job.priority", "arrival")
        return list(merge(*fronts, key=order))

    def ahead_of(self, row: JobRow) -> int:
        """How many pending jobs of its queue come before a pending job."""
        if row.status is not Status.PENDING:
            return 0
        queue, place = row.job.queue, (row.job.priority, row.arrival)
        lines = [rows.values() for lane, rows in self.ready.items() if lane.queue == queue]
        return sum((each.job.priority, each.arrival) < place for line in lines for each in line)

    def start(self, rows: Sequence[JobRow], claim: ClaimRow, now: int) -> None:
        """Hand pending jobs to a claim, each under its next number."""
        for row in rows:
            self.move(row, Status.PROCESSING, now)
            row.number += 1
            row.claim = claim
            claim.runs[row.job.id] = row.number
        if rows:
            self.claims[claim.batch] = claim

    # -- outcomes --------------------------------------------------------------------------------

    def end(self, row: JobRow, claim: ClaimRow, finish: Finish, now: int) -> None:
        """Write the outcome of the run under way. A cancel that was asked for beats a further run."""
        again = finish.status not in TERMINAL
        status = Status.CANCELLED if again and row.cancel_asked is not None else finish.status
        self.move(row, self.gates.ended(row.job, status), now, finish.run_at)
        row.attempt, row.care = finish.attempt, finish.care
        row.crashes, row.interruptions = finish.crashes, finish.interruptions
        row.claim = row.cancel_asked = None
        node = claim.node.info.id
        worker = None if finish.worker is None else f"{node}/worker-{finish.worker}"
        self._write(row, finish, status, worker=worker, node=node)
        self.sightings.add(finish, claim.node.info.version)
        self.journal.write(row, finish.number, finish.what, status, now)
        if finish.what is What.FAILED and status is Status.SCHEDULED:
            self._count(row.job, "retried")
        if finish.what is What.LOST:
            self._count(row.job, "rescued")
        del claim.runs[row.job.id]
        self.brought += finish.follow_ups
        if finish.moves_to is not None and status is finish.status:
            self._detour(row, Placement(queue=finish.moves_to), now)
        if not claim.runs:
            del self.claims[claim.batch]

    def give_back(self, claim: ClaimRow, what: What, now: int) -> int:
        """End every run of a claim that still owes an outcome in the same way. Returns how many."""
        rows = [self.jobs[each] for each in claim.runs]
        for row in rows:
            self.cut(row, claim, what, now)
        return len(rows)

    def cut(self, row: JobRow, claim: ClaimRow, what: What, now: int) -> None:
        """End a run from outside; a release says that it never started, of others nobody knows."""
        run = Run() if what is What.RELEASED else Run(started_at=claim.claimed_at)
        declared = self.types.get(row.job.type)
        after_crashes = None if declared is None else declared.after_crashes
        self.end(row, claim, decide(claimed(row, claim), Outcome(what), run, now, after_crashes), now)

    def end_unclaimed(self, row: JobRow, now: int, error: JobError | None = None) -> None:
        """Cancel a job that no node runs, under a claim number of its own."""
        self.move(row, Status.CANCELLED, now)
        self.gates.left(row.job)
        self.gates.look_at(row.job.key)
        self._note(row, What.CANCELLED, Status.CANCELLED, now, error)

    def place(self, row: JobRow, placement: Placement, now: int) -> bool:
        """Give a job that waits another lane or time; False: it stands there already, and keeps its place."""
        lane, due = placement.lane(row.job.lane), placement.due(row.due, now)
        if (lane, due) == (row.job.lane, row.due):
            return False
        status = Status.PENDING if due is None else Status.SCHEDULED
        if status is not row.status:
            state.check(row.status, status)
        self._leave(row)
        self.ready.setdefault(lane, OrderedDict())
        run_at = row.job.run_at if placement.run_at is None else placement.run_at
        row.job = msgspec.structs.replace(row.job, queue=lane.queue, priority=lane.priority, run_at=run_at)
        row.status = status
        self._arrive(row, now, due)
        return True

    def _detour(self, row: JobRow, placement: Placement, now: int) -> None:
        """The same for a job that has come back: one that stands before its gate again keeps its place there."""
        if row.status is not Status.WAITING:
            self.place(row, placement, now)
            return
        lane = placement.lane(row.job.lane)
        self.ready.setdefault(lane, OrderedDict())
        self.standing[row.job.queue, row.job.type, Status.WAITING] -= 1
        self.standing[lane.queue, lane.type, Status.WAITING] += 1
        row.job = msgspec.structs.replace(row.job, queue=lane.queue, priority=lane.priority)

    def restart(self, row: JobRow, now: int, run_at: int | None) -> None:
        """Send an ended job back as if new, but for its claim number; the outcome is the audit."""
        due = run_at if run_at is not None and run_at > now else None
        self.gates.sent_back(row.job)
        self.gates.look_at(row.job.key)
        self.move(row, self.gates.way(row.job) if due is None else Status.SCHEDULED, now, due)
        if row.job.unique_key is not None:
            self.unique[row.job.type, row.job.unique_key] = row.job.id
        row.attempt = row.crashes = row.interruptions = 0
        row.care = care(0, row.job.max_attempts, 0)
        self._note(row, What.RETRIED, Status.PENDING if due is None else Status.SCHEDULED, now, None)
        self._count(row.job, "retried")

    def _write(self, row: JobRow, finish: Finish, status: Status, *, worker: str | None, node: str) -> None:
        ended = Attempt(
            number=finish.number,
            what=finish.what,
            status=status,
            attempt=finish.attempt,
            error=finish.error,
            started_at=finish.started_at,
            finished_at=finish.finished_at,
            worker_id=worker,
            node=node,
        )
        row.outcomes[finish.number] = OutcomeRow(ended, finish.token, finish.result)

    def _note(self, row: JobRow, what: What, status: Status, now: int, error: JobError | None) -> None:
        row.number += 1
        ended = Attempt(
            number=row.number,
            what=what,
            status=status,
            attempt=row.attempt,
            error=error,
            started_at=None,
            finished_at=now,
            worker_id=None,
            node=None,
        )
        row.outcomes[row.number] = OutcomeRow(ended, 0, None)
        self.journal.write(row, row.number, what, status, now)
