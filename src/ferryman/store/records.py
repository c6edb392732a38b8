"""What the verbs of a store are given, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, overload

import msgspec

from ferryman.domain.claim import Batch
from ferryman.domain.job import (
    MAX_ATTEMPTS_DEFAULT,
    MICROS,
    PRIORITY_DEFAULT,
    QUEUE_DEFAULT,
    AfterCrashes,
    Job,
    NewJob,
)
from ferryman.domain.keyed import KeyedByArgument
from ferryman.domain.nodes import Condition, NodeWish
from ferryman.domain.state import Status

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

    def having_let_in(self, count: int) -> FinishReport:
        """The report once so many jobs were let in by the gates of their keys."""
        return msgspec.structs.replace(self, readied=True) if count and not self.readied else self


class CancelResult(msgspec.Struct, frozen=True):
    """`before` is the job's status when the cancel met it, None if there is no such job.

    waiting, scheduled, pending: it is cancelled now. processing: the request is stored, and `node` runs it.
    Terminal: nothing was changed.
    """

    before: Status | None
    node: str | None = None
    readied: bool = False
    """Whether that made room for other jobs of its key."""

    def having_let_in(self, count: int) -> CancelResult:
        """The result once so many jobs were let in by the gate of its key."""
        return msgspec.structs.replace(self, readied=count > 0)


class RetryResult(msgspec.Struct, frozen=True):
    """`before` is the job's status when the retry met it, None if there is no such job.

    failed, cancelled: it is pending or scheduled now, unless `holder` names a live job that has its unique key.
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


class Declaration(msgspec.Struct, frozen=True):
    """What a type says of its jobs, for those who do not declare it. The defaults are Ferryman's."""

    queue: str = QUEUE_DEFAULT
    priority: int = PRIORITY_DEFAULT
    max_attempts: int = MAX_ATTEMPTS_DEFAULT
    secrets: frozenset[str] = frozenset()
    """The members of its jobs' payloads that are not to be shown."""
    after_crashes: AfterCrashes | None = None
    keyed: KeyedByArgument | None = None
    """How its jobs have keys, and what their gates keep to."""
    arguments: str | None = None
    """The JSON Schema of their payloads, as text; None where nobody has said."""


_LATER: Final = frozenset({"keyed", "arguments"})
"""What versions before did not tell."""


def declared_text(declared: Declaration | None) -> str | None:
    """A declaration as a store keeps it; the same one always gives the same text, so that only a change is written.

    What it leaves out of what came later is not in it, as in those of versions before: nodes of both do not take turns
    to change it.
    """
    if declared is None:
        return None
    said = msgspec.structs.asdict(declared) | {"secrets": sorted(declared.secrets)}
    told = {name: value for name, value in said.items() if value is not None or name not in _LATER}
    return msgspec.json.encode(told).decode()


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
    declared: Mapping[str, Declaration] = {}
    """What its types declare; of one that is not in it, what others declared stays."""


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
    types: frozenset[str] | None = None
    """Those that it has handlers for; None where its version does not say."""
    wish: NodeWish | None = None
    """What somebody wanted of it last."""
    condition: Condition | None = None
    """How it is, as it said last; None once it has ended, and where its version does not say."""


class Retention(msgspec.Struct, frozen=True):
    """How long ended jobs are kept, in microseconds, per terminal status."""

    completed: int
    failed: int
    cancelled: int


class Page(Sequence[Job]):
    """Jobs in the order asked for, and where the page after it starts."""

    def __init__(self, jobs: Sequence[Job], next: str | None, looked_at: int) -> None:
        """What a store found.

        Args:
            jobs: as many as were asked for, or fewer.
            next: the id after which further jobs may fit; None where all have been looked at.
            looked_at: how many jobs were looked at to find these.
        """
        self._jobs = jobs
        self.next = next
        self.looked_at = looked_at

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Job]: ...
    def __getitem__(self, index: int | slice) -> Job | Sequence[Job]:
        return self._jobs[index]

    def __len__(self) -> int:
        return len(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Page) and self._told() == other._told()

    __hash__ = None  # type: ignore[assignment] # as of any sequence that may be a list

    def _told(self) -> tuple[object, ...]:
        return list(self._jobs), self.next, self.looked_at
