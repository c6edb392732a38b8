"""The Store: where jobs live, the single source of truth. Memory is the reference meaning of every verb.

All verbs are atomic and durable when they return. A verb that raises may have committed all the same
(a lost reply); every verb can therefore be called again with the same arguments without doubling
anything. `now` is always the store's time as the caller knows it, in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ferryman.domain.audit import Deed
from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.filters import JobFilter
from ferryman.domain.job import Attempt, Job, Lane, NewJob
from ferryman.domain.outcome import Finish
from ferryman.store.access import Access
from ferryman.store.auditing import AuditFilter, Auditing, Entry
from ferryman.store.bulk import Bulk
from ferryman.store.commanding import Commanding
from ferryman.store.controlling import Controlling
from ferryman.store.counting import TOTALS, Counts, Tallied
from ferryman.store.describing import Describing
from ferryman.store.explaining import Explaining
from ferryman.store.gating import Admitted, Gating, KeyStatus
from ferryman.store.grouping import ErrorGroup, GroupFilter, Grouping
from ferryman.store.journaling import Journaling
from ferryman.store.ports import Clock, DirectDispatch, Runner, Wakeup
from ferryman.store.records import (
    NODES_SHOWN,
    CancelResult,
    Declaration,
    FinishReport,
    Inserted,
    NodeInfo,
    NodeStatus,
    Page,
    Promoted,
    Receipt,
    Rescued,
    Retention,
    RetryResult,
    Verdict,
)
from ferryman.store.reporting import Reporting
from ferryman.store.ruling import Ruling
from ferryman.store.sampling import Sampling
from ferryman.store.scheduling import Scheduling
from ferryman.store.watching import Version, Watching

__all__ = [
    "NODES_SHOWN",
    "TOTALS",
    "Admitted",
    "AuditFilter",
    "CancelResult",
    "Clock",
    "Counts",
    "Declaration",
    "DirectDispatch",
    "Entry",
    "ErrorGroup",
    "FinishReport",
    "GroupFilter",
    "Inserted",
    "JobFilter",
    "KeyStatus",
    "NodeInfo",
    "NodeStatus",
    "Page",
    "Promoted",
    "Receipt",
    "Rescued",
    "Retention",
    "RetryResult",
    "Runner",
    "Store",
    "Tallied",
    "Verdict",
    "Wakeup",
]


class Store(
    Gating,
    Scheduling,
    Ruling,
    Controlling,
    Commanding,
    Bulk,
    Describing,
    Explaining,
    Watching,
    Reporting,
    Sampling,
    Grouping,
    Access,
    Auditing,
    Journaling,
    Protocol,
):
    """About twenty verbs; the conformance suite in `ferryman.testing` says what each one means.

    Those that an operator may say take a `deed`; see `auditing`.
    """

    async def open(self) -> None:
        """Connect, check and (SQLite, memory) migrate. Raises StoreError."""

    async def close(self) -> None:
        """Release everything; idempotent."""

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
        """Store jobs; all are durable when this returns, each judged on its own (see `Verdict`).

        A job whose run_at is after `now` is scheduled, else pending. With `claim`, a claim runs in the
        same commit after the insert (direct dispatch). `max_pending` bounds each queue's pending and
        scheduled jobs (see `domain.bounds`); 0 means no bound. A `deed` is written if one of them is stored.

        Raises:
            NodeNotLive: the claim's node is not live; nothing was inserted.
        """
        ...

    # -- running ---------------------------------------------------------------------------------

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        """Take pending jobs, by priority, then arrival, as `domain.claim.take` allows; maybe none.

        What a rule pauses is not taken, and of the rest no more than the limits allow (see `Ruling`). The claim is
        durable before it is returned. A job past its expires_at is given out like any other; the worker ends it.

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

    async def cancel(
        self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None
    ) -> CancelResult:
        """Cancel a job that waits; ask for it where it is processing.

        Raises:
            PreconditionFailed: it has another version than `expected`; nothing was changed. Said again after a
                lost reply it may be that the first one has changed it.
        """
        ...

    async def force_cancel(self, asked_before: int, now: int) -> int:
        """End as cancelled the processing jobs whose cancel was asked for before a time. Returns how many."""
        ...

    async def retry(
        self, id: str, now: int, run_at: int | None = None, *, deed: Deed | None = None, expected: Version | None = None
    ) -> RetryResult:
        """Send a failed or cancelled job back: attempt restarts at 0, the claim number grows.

        It is pending at once, or scheduled where `run_at` is after `now`.

        Raises:
            PreconditionFailed: as `cancel`.
        """
        ...

    async def get(self, id: str, now: int) -> Job | None:
        """One job; None also when its retention has passed."""
        ...

    async def list(self, filter: JobFilter, now: int) -> Page:
        """Jobs in the order of their ids that `filter.judge` says fit; those past their retention are left out.

        The page ends after `limit` jobs, and also once `scan` jobs were looked at that do not fit; it may then hold
        few jobs or none, and `next` says where to go on.
        """
        ...

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """Every ended run of a job, oldest first."""
        ...

    async def counts(self, now: int) -> Counts:
        """How many jobs there are by status, and how many events there were; as cheap for a million jobs as for one."""
        ...

    async def lanes(self) -> Mapping[int, Lane]:
        """Every lane there ever was."""
        ...

    async def known_types(self) -> Mapping[str, Declaration]:
        """Every type that a node has ever registered on this store, with what the latest one declared of it."""
        ...

    # -- chores ----------------------------------------------------------------------------------

    async def promote(self, now: int, limit: int) -> Promoted:
        """Make due jobs pending, in the order in which they are due."""
        ...

    async def expire(self, now: int, limit: int) -> int:
        """Cancel waiting, scheduled and pending jobs past their expires_at. Returns how many."""
        ...

    async def prune(self, now: int, limit: int) -> int:
        """Delete ended jobs past the store's retention, expired keys, old deeds and changes.

        It looks at about `limit` of each a call. Returns how many jobs were deleted.
        """
        ...

    def prunes_on(self) -> bool:
        """Whether the last `prune` stopped short of the youngest job: the next one goes on from there."""
        ...

    # -- nodes -----------------------------------------------------------------------------------

    async def register(self, node: NodeInfo, now: int) -> int:
        """Make a node live and remember its types and what they declare; saying it twice changes nothing.

        Returns:
            The number that claims name.

        Raises:
            NodeNotLive: this node has ended. An id that was found dead is dead for good.
        """
        ...

    def beat(self, node: int) -> bool:
        """Say that a node lives, which renews all it claims. False: it was rescued, and must stop.

        Blocking and callable from any thread: a blocked event loop must not cost a node its claims.

        Raises:
            StoreError: the beat may not have been written; what others think of the node is unknown.
        """
        ...

    async def retire(self, node: int, now: int) -> None:
        """A node ends by itself; it should hold no claims. Idempotent.

        When this returns, no claim of the node can come any more, also none that is under way; it may still release.
        """

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
