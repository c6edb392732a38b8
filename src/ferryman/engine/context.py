"""What a handler sees of its own run."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from ferryman.domain.job import MICROS, ClaimedJob
from ferryman.engine.running import Running

log: Final = logging.getLogger("ferryman.handler")


class JobView:
    """The job as its handler sees it."""

    def __init__(self, job: ClaimedJob) -> None:
        self._job = job

    @property
    def id(self) -> str:
        """Stable over all attempts: the key for effects that must happen once."""
        return self._job.id

    @property
    def type(self) -> str:
        """Which handler runs it."""
        return self._job.lane.type

    @property
    def queue(self) -> str:
        """The queue it stood in."""
        return self._job.lane.queue

    @property
    def priority(self) -> int:
        """0 to 9; lower runs first."""
        return self._job.lane.priority

    @cached_property
    def payload(self) -> Any:
        """The payload as it was handed in, decoded from JSON and nothing more."""
        return msgspec.json.decode(self._job.payload)

    @property
    def attempt(self) -> int:
        """Which attempt this run is, counting from 1."""
        return self._job.attempt

    @property
    def max_attempts(self) -> int:
        """How many attempts the job has in all."""
        return self._job.max_attempts

    @property
    def created_at(self) -> datetime:
        """When it was enqueued, in UTC."""
        return datetime.fromtimestamp(self._job.created_at / MICROS, UTC)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that it was enqueued with."""
        return self._job.tags


class Context:
    """Given as first argument to handlers that were declared with `@app.job_with_context`."""

    def __init__(self, running: Running, deadline: float | None, *, final: bool | None = None) -> None:
        self._running = running
        self._final = final
        self.deadline = deadline
        """When the handler is stopped, in seconds of `time.monotonic()`; None where it may take for ever."""

    @cached_property
    def job(self) -> JobView:
        """The job."""
        return JobView(self._running.job)

    @property
    def claim(self) -> int:
        """The claim number: grows with every run of the job, never goes down. A fence for the handler's own effects."""
        return self._running.job.number

    @property
    def attempt(self) -> int:
        """Which attempt this run is, counting from 1."""
        return self._running.job.attempt

    @property
    def final(self) -> bool:
        """Whether no other attempt follows if this one fails.

        A handler sees whether its attempts are spent; an `on_failure` hook also, whether the job's rules forbid to
        try again after this error.
        """
        job = self._running.job
        return job.attempt >= job.max_attempts if self._final is None else self._final

    @property
    def cancelled(self) -> bool:
        """Whether the run was asked to end; a handler in a thread should look now and then."""
        return self._running.reason is not None

    @cached_property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines name the job, its attempt and its worker."""
        job, worker = self._running.job, self._running.slot.id
        fields = {
            "job_id": job.id,
            "type": job.lane.type,
            "queue": job.lane.queue,
            "attempt": job.attempt,
            "worker_id": worker,
            "node": worker.partition("/")[0],
        }
        return logging.LoggerAdapter(log, fields)
