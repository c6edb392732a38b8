"""The Store: where jobs live, the single source of truth. Memory is the reference meaning of every verb.

All verbs are atomic and durable when they return. A verb that raises may have committed all the same
(a lost reply); every verb can therefore be called again with the same arguments without doubling
anything. `now` is always the store's time as the caller knows it, in microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol, TypeVar

import msgspec

from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.job import MICROS, Attempt, Job, Lane, NewJob
from ferryman.domain.outcome import Finish
from ferryman.domain.state import Status

T = TypeVar("T")

TOTALS: Final = ("created", "completed", "failed", "cancelled", "retried", "rescued")
"""The events that `Counts.totals` counts."""
NODES_SHOWN: Final = 3600 * MICROS
"""For how long a node is told of after its end, in microseconds."""


class Verdict(StrEnum):
    """What became of one job that was handed in."""

    INSERTED = "inserted"
    EXISTS = "exists"
    """A job with this id is there already: the same enqueue, said twice."""
    REPLAYED = "replayed"
    """Its idempotency key was used before, with the same body."""
    KEY_REUSED = "key_reused"
    """Its idempotency key was used before, with another body; nothing was stored."""
    KEY_TAKEN = "key_taken"
    """A live job of this type has its unique key; nothing was stored."""
    FULL = "full"
    """The queue holds its bound of pending jobs; nothing was stored."""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """The answer to one handed-in job: the id of the job that now stands for it, and why."""

    id: str
    verdict: Verdict


class Inserted(msgspec.Struct, frozen=True):
    """The answer to an insert: a receipt per job in order, and the batch if a claim rode along."""

    receipts: list[Receipt]
    batch: Batch | None = None


class FinishReport(msgspec.Struct, frozen=True):
    """The answer to a finish: the runs (id, number) whose write was fenced, and how many next runs are ready."""

    fenced: frozenset[tuple[str, int]]
    readied: bool = False
    """Whether some job became pending again at once."""
    scheduled: int | None = None
    """The earliest run_at among the jobs that were scheduled."""
    cancelled: frozenset[str] = frozenset()
    """Ids that would have run again, but ended cancelled because a person had asked for it; told each time
    that a write is said, while the rest may be told the first time only."""
    superseded: frozenset[str] = frozenset()
    """Ids of follow-ups that were not stored, because an earlier job stands for their key."""

    def with_follow_ups(self, jobs: Sequence[NewJob], receipts: Sequence[Receipt], now: int) -> FinishReport:
        """The report once the follow-ups of the outcomes were handed in, too."""
        told = list(zip(jobs, receipts, strict=True))
        starts = [job.run_at or now for job, receipt in told if receipt.verdict is Verdict.INSERTED]
        due = [at for at in starts if at > now]
        if self.scheduled is not None:
            due.append(self.scheduled)
        return FinishReport(
            self.fenced,
            readied=self.readied or any(at <= now for at in starts),
            scheduled=min(due, default=None),
            cancelled=self.cancelled,
            superseded=frozenset(job.id for job, receipt in told if receipt.id != job.id),
        )


class CancelResult(msgspec.Struct, frozen=True):
    """`before` is the job's status when the cancel met it, None if there is no such job.

    waiting, scheduled, pending: it is cancelled now. processing: the request is stored, and `node` runs it.
    Terminal: nothing was changed.
    """

    before: Status | None
    node: str | None = None


class RetryResult(msgspec.Struct, frozen=True):
    """`before` is the job's status when the retry met it, None if there is no such job.

    failed, cancelled: it is pending now, unless `holder` names a live job that has its unique key.
    Anything else: nothing was changed.
    """

    before: Status | None
    holder: str | None = None


class Rescued(msgspec.Struct, frozen=True):
    """One node found dead: its id, and how many of its claims were given back."""

    node: str
    count: int


class Promoted(msgspec.Struct, frozen=True):
    """How many scheduled jobs became pending, and when the next one is due."""

    count: int
    next_due: int | None


class NodeInfo(msgspec.Struct, frozen=True):
    """What a node says of itself when it registers."""

    id: str
    """A UUID per process incarnation; never a host or pid."""
    host: str
    pid: int
    version: str
    types: frozenset[str]
    queues: frozenset[str] | None
    workers: int


class NodeStatus(msgspec.Struct, frozen=True):
    """A node as others see it."""

    id: str
    host: str
    pid: int
    version: str
    queues: frozenset[str] | None
    """None: every queue."""
    workers: int
    started_at: int
    ended_at: int | None
    """When it retired or was rescued."""
    live: bool
    """Whether it has not ended and its process is not known to be gone; one that hangs is live until it is rescued."""
    claimed: int
    """How many jobs it holds: those that run and those that wait in its channel."""


class Retention(msgspec.Struct, frozen=True):
    """How long ended jobs are kept, in microseconds, per terminal status."""

    completed: int
    failed: int
    cancelled: int


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs to list. Empty collections mean "all"; several values mean "or"."""

    statuses: frozenset[Status] = frozenset()
    types: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    after: str | None = None
    """The id after which (in the order asked for) the page starts."""
    limit: int = 1000
    newest_first: bool = False


class Counts(msgspec.Struct, frozen=True):
    """How many jobs there are and were, over all nodes, exact at one moment."""

    standing: Mapping[tuple[str, Status], int]
    """(queue, status) -> jobs now in it, for waiting, scheduled, pending and processing."""
    totals: Mapping[str, int]
    """created, completed, failed, cancelled, retried, rescued: events since the store was made."""
    oldest_pending: Mapping[str, int]
    """queue -> microseconds for which its first pending job has been ready to run."""


class Store(Protocol):
    """About twenty verbs; the conformance suite in `ferryman.testing` says what each one means."""

    async def open(self) -> None:
        """Connect, check and (SQLite, memory) migrate. Raises StoreError."""

    async def close(self) -> None:
        """Release everything; idempotent."""

    # -- handing in ------------------------------------------------------------------------------

    async def insert(
        self, jobs: Sequence[NewJob], now: int, *, claim: ClaimRequest | None = None, max_pending: int = 0
    ) -> Inserted:
        """Store jobs; all are durable when this returns, each judged on its own (see `Verdict`).

        A job whose run_at is after `now` is scheduled, else pending. With `claim`, a claim runs in the
        same commit after the insert (direct dispatch). `max_pending` bounds each queue's pending and
        scheduled jobs; 0 means no bound.

        Raises:
            NodeNotLive: the claim's node is not live; nothing was inserted.
        """
        ...

    # -- running ---------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """Take pending jobs, by priority, then arrival, as `domain.claim.take` allows; maybe none.

        The claim is durable before it is returned. A job past its expires_at is given out like any
        other; the worker ends it.

        Raises:
            NodeNotLive: the node was rescued or never registered; nothing was claimed.
        """
        ...

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        """Write outcomes, each fenced by (id, number): the first outcome of a run wins.

        A write that finds its own token there already is its own, not fenced. A job whose cancel was
        asked for and that would run again ends cancelled. A claim batch vanishes with its last run.

        The follow-ups of the writes that win are stored in the same commit, once all outcomes of the call are
        written, so that one may take the unique key of the job that it follows. Where an earlier job has its
        id, its unique key or its idempotency key, that one stands and nothing fails. No queue is too full for it.
        """
        ...

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        """The claims of a node that still lack an outcome."""
        ...

    async def release(self, node: int, batch: int, now: int) -> int:
        """Give a whole batch back whose jobs never started (a claim whose reply was lost). Returns how many jobs."""
        ...

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        """The runs (id, number) of this node that a person asked to cancel."""
        ...

    # -- people ----------------------------------------------------------------------------------

    async def cancel(self, id: str, now: int) -> CancelResult:
        """Cancel a job that waits; ask for it where it is processing."""
        ...

    async def force_cancel(self, asked_before: int, now: int) -> int:
        """End as cancelled the processing jobs whose cancel was asked for before a time. Returns how many."""
        ...

    async def retry(self, id: str, now: int) -> RetryResult:
        """Send a failed or cancelled job back to pending: attempt restarts at 0, the claim number grows."""
        ...

    async def get(self, id: str, now: int) -> Job | None:
        """One job; None also when its retention has passed."""
        ...

    async def list(self, filter: JobFilter, now: int) -> Sequence[Job]:
        """Jobs in the order of their ids; those past their retention are left out."""
        ...

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """Every ended run of a job, oldest first."""
        ...

    async def counts(self, now: int) -> Counts:
        """Depths and totals."""
        ...

    async def lanes(self) -> Mapping[int, Lane]:
        """Every lane there ever was."""
        ...

    async def known_types(self) -> frozenset[str]:
        """Every type that a node has ever registered on this store."""
        ...

    # -- chores ----------------------------------------------------------------------------------

    async def promote(self, now: int, limit: int) -> Promoted:
        """Make due jobs pending, in the order in which they are due."""
        ...

    async def expire(self, now: int, limit: int) -> int:
        """Cancel waiting, scheduled and pending jobs past their expires_at. Returns how many."""
        ...

    async def prune(self, now: int, limit: int) -> int:
        """Delete ended jobs past the store's retention, and expired keys; looks at about `limit` jobs a call.

        Returns how many jobs were deleted.
        """
        ...

    def prunes_on(self) -> bool:
        """Whether the last `prune` stopped short of the youngest job: the next one goes on from there."""
        ...

    # -- nodes -----------------------------------------------------------------------------------

    async def register(self, node: NodeInfo, now: int) -> int:
        """Make a node live and remember its types. Returns the number that claims name."""
        ...

    def beat(self, node: int) -> bool:
        """Say that a node lives, which renews all it claims. False: it was rescued, and must stop.

        Blocking and callable from any thread: a blocked event loop must not cost a node its claims.

        Raises:
            StoreError: the beat may not have been written; what others think of the node is unknown.
        """
        ...

    async def retire(self, node: int, now: int) -> None:
        """A node ends by itself; it must hold no claims. Idempotent."""

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        """Find dead nodes and give their claims back: each open run ends `lost`.

        A node is dead when its process is known to be gone, or when the caller's monotonic clock saw no
        new beat of it for `lease` seconds. Marking it dead re-checks its beat.
        """
        ...

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        """The nodes that have not ended, and those that ended within the last `NODES_SHOWN`, oldest first.

        Only looks: it buries nobody, and its look counts for no later rescue.
        """
        ...


class Wakeup(Protocol):
    """Says "there may be work" to whoever should look."""

    def work(self) -> None:
        """Some job may be pending."""

    def scheduled(self, run_at: int) -> None:
        """Some job is due at `run_at`."""

    def cancelled(self, node: str | None) -> None:
        """A running job of `node` was asked to end."""


class DirectDispatch(Protocol):
    """Lets an insert claim for the idle workers of its own node, in the same commit."""

    def offer(self) -> ClaimRequest | None:
        """A claim to ride along with an insert, or None; whoever gets one owes a `settle`."""
        ...

    def settle(self, request: ClaimRequest, batch: Batch | None) -> None:
        """Hand over what the claim gave; None when the insert failed and the claim's fate is unknown."""


class Clock(Protocol):
    """The two times: one for people, one that never jumps."""

    def now(self) -> int:
        """The store's time, in microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...


class Runner(Protocol):
    """Runs blocking steps off the event loop: a thread in production, inline in the simulation."""

    async def run(self, step: Callable[[], T]) -> T:
        """Run one step and give its result. Steps of one runner never overlap."""
        ...

    async def close(self) -> None:
        """Wait for the step under way and end."""
