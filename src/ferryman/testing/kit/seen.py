"""A job as a test looks at it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ferryman.domain.job import Job, JobError
from ferryman.domain.state import Status
from ferryman.testing.kit.world import moment


class SeenJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job at one moment: JSON is decoded, times are in UTC."""

    id: str
    type: str
    queue: str
    priority: int
    status: Status
    """Equal to its name: "pending", "completed" ..."""
    attempt: int
    """Attempts spent, or the one under way."""
    max_attempts: int
    payload: dict[str, Any]
    """The arguments that were given, by name."""
    result: Any
    """What the handler returned; None until it has."""
    error: JobError | None
    """How its latest failed attempt ended: `code`, `type`, `message`, `traceback`."""
    run_at: datetime | None
    """When it is due, while it is scheduled."""
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    unique_key: str | None
    tags: tuple[str, ...]


def seen(job: Job) -> SeenJob:
    """What a test sees of a job."""
    return SeenJob(
        id=job.id,
        type=job.type,
        queue=job.queue,
        priority=job.priority,
        status=job.status,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        payload=msgspec.json.decode(job.payload),
        result=None if job.result is None else msgspec.json.decode(job.result),
        error=job.error,
        run_at=_moment(job.run_at),
        created_at=moment(job.created_at),
        finished_at=_moment(job.finished_at),
        expires_at=_moment(job.expires_at),
        unique_key=job.unique_key,
        tags=job.tags,
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)
