"""A job as a store reads it, and as anybody sees it: what the stores that keep rows have in common."""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.domain.job import Job, JobError
from ferryman.domain.state import TERMINAL, Status

tags_of: Final = msgspec.json.Decoder(tuple[str, ...])
error_of: Final = msgspec.json.Decoder(JobError)


class JobRow(msgspec.Struct, array_like=True, frozen=True):
    """A row of `view.sql`."""

    id: str
    type: str
    queue: str
    priority: int
    status: Status
    attempt: int
    max_attempts: int
    number: int
    payload: str
    result: str | None
    error: str | None
    run_at: int | None
    created_at: int
    started_at: int | None
    finished_at: int | None
    expires_at: int | None
    worker: int | None
    node: str | None
    unique_key: str | None
    tags: str | None


def job_of(row: JobRow) -> Job:
    """The job that a row tells of."""
    return Job(
        id=row.id,
        type=row.type,
        queue=row.queue,
        priority=row.priority,
        status=row.status,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        claim=row.number,
        payload=row.payload,
        result=row.result,
        error=error_of.decode(row.error) if row.error else None,
        run_at=row.run_at,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at if row.status in TERMINAL else None,
        expires_at=row.expires_at,
        worker_id=worker_id(row.node, row.worker),
        node=row.node,
        unique_key=row.unique_key,
        tags=tags_of.decode(row.tags) if row.tags else (),
    )


def running(job: Job, number: int, attempt: int, node: str | None, claimed_at: int) -> Job:
    """A processing job with what its claim row says; nobody has written which worker has it."""
    return msgspec.structs.replace(job, claim=number, attempt=attempt, node=node, worker_id=None, started_at=claimed_at)


def worker_id(node: str | None, worker: int | None) -> str | None:
    """The worker's id as logs and the contract have it."""
    return None if node is None or worker is None else f"{node}/worker-{worker}"
