"""What the memory store remembers, row by row."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from ferryman.domain.job import Attempt, ClaimedJob, Idempotency, Job, NewJob
from ferryman.domain.nodes import Condition, Wished
from ferryman.domain.report import Line, Progress, Report
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.protocol import NodeInfo, Retention


class OutcomeRow(msgspec.Struct, frozen=True):
    """What became of one claim number, and the token of the run that wrote it. Written once, never changed."""

    attempt: Attempt
    token: int
    result: str | None


class NodeRow(msgspec.Struct):
    """One process incarnation. It stays, not live, while claims of it are left to be given back."""

    number: int
    info: NodeInfo
    started_at: int = 0
    ended_at: int | None = None
    live: bool = True
    beats: int = 0
    wished: Wished | None = None
    condition: Condition | None = None


class ClaimRow(msgspec.Struct, frozen=True):
    """One claimed batch: the runs (id -> claim number) that still owe an outcome. It vanishes with the last."""

    batch: int
    node: NodeRow
    claimed_at: int
    runs: dict[str, int]


class KeyRow(msgspec.Struct, frozen=True):
    """An idempotency key and the job that it stands for."""

    promise: Idempotency
    id: str


class SaidRow(msgspec.Struct):
    """What one run has said of itself."""

    progress: Progress | None = None
    attempt: int = 0
    lines: dict[int, Line] = {}
    """By their places."""
    dropped: int = 0

    def add(self, report: Report) -> None:
        """What is newer takes the place of what is older; lines stay."""
        self.progress = report.progress or self.progress
        self.attempt, self.dropped = report.attempt, max(self.dropped, report.dropped)
        for place, line in enumerate(report.lines, report.first):
            self.lines.setdefault(place, line)


class JobRow(msgspec.Struct):
    """A job and where it stands now."""

    job: NewJob
    status: Status
    care: int
    attempt: int = 0
    """Attempts spent."""
    crashes: int = 0
    interruptions: int = 0
    number: int = 0
    """The largest claim number used: the last outcome's, or that of the run under way."""
    arrival: int = 0
    """Its place in the line, while pending."""
    ready_at: int = 0
    """When it became pending, while pending."""
    due: int | None = None
    """When it is to become pending, while scheduled."""
    claim: ClaimRow | None = None
    """Whose run is under way, while processing."""
    cancel_asked: int | None = None
    """When a person asked to cancel the run under way."""
    outcomes: dict[int, OutcomeRow] = {}
    said: dict[int, SaidRow] = {}
    """By claim number."""

    @property
    def last(self) -> OutcomeRow | None:
        """The outcome of the largest claim number that has one."""
        return next(reversed(self.outcomes.values()), None)

    def has_failed_of(self, groups: Collection[str] | None, led_to: Collection[str]) -> bool:
        """Whether an attempt that led to one of these statuses has failed of one of these error groups; None: of any,
        or of none."""
        if groups is None:
            return True
        ends = [each.attempt for each in self.outcomes.values() if each.attempt.status in led_to]
        return any(end.error is not None and end.error.group in groups for end in ends)

    def expired(self, now: int) -> bool:
        """Whether its expires_at has come."""
        return self.job.expires_at is not None and self.job.expires_at <= now

    def hidden(self, now: int, retention: Retention) -> bool:
        """Whether its retention has passed: for people it is gone, whether it has been pruned or not."""
        if self.status not in TERMINAL or self.last is None:
            return False
        kept: int = getattr(retention, self.status.value)
        return self.last.attempt.finished_at + kept <= now


def claimed(row: JobRow, claim: ClaimRow) -> ClaimedJob:
    """The job as the node that claimed it sees it."""
    job = row.job
    return ClaimedJob(
        id=job.id,
        number=row.number,
        attempt=row.attempt + 1,
        crashes=row.crashes,
        interruptions=row.interruptions,
        batch=claim.batch,
        lane=job.lane,
        payload=job.payload,
        max_attempts=job.max_attempts,
        timeout=job.timeout,
        created_at=job.created_at,
        run_at=job.run_at,
        expires_at=job.expires_at,
        unique_key=job.unique_key,
        tags=job.tags,
        key=job.key,
    )


def as_read(row: JobRow) -> Job:
    """The job as anybody reads it.

    While it is processing, the claim says where and since when it runs; else the latest run that started does.
    Its error is the latest one, until it completes.
    """
    job, last, claim = row.job, row.last, row.claim
    ended = [each.attempt for each in reversed(row.outcomes.values())]
    started, worker, node = next(
        ((each.started_at, each.worker_id, each.node) for each in ended if each.started_at is not None),
        (None, None, None),
    )
    if claim is not None:
        started, worker, node = claim.claimed_at, None, claim.node.info.id
    error = next((each.error for each in ended if each.error is not None), None)
    return Job(
        id=job.id,
        type=job.type,
        queue=job.queue,
        priority=job.priority,
        status=row.status,
        attempt=row.attempt + 1 if claim else row.attempt,
        max_attempts=job.max_attempts,
        claim=row.number,
        payload=job.payload,
        result=last.result if last and row.status is Status.COMPLETED else None,
        error=None if row.status is Status.COMPLETED else error,
        run_at=row.due if row.status is Status.SCHEDULED else job.run_at,
        created_at=job.created_at,
        started_at=started,
        finished_at=last.attempt.finished_at if last and row.status in TERMINAL else None,
        expires_at=job.expires_at,
        worker_id=worker,
        node=node,
        unique_key=job.unique_key,
        tags=job.tags,
    )
