"""A job in its three shapes: as a caller hands it in, as a worker claims it, as anybody reads it.

Every time is an integer: microseconds since 1970 in UTC. Every payload and result is JSON text.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.domain.keys import GateRule
from ferryman.domain.state import Status

QUEUE_DEFAULT: Final = "default"
PRIORITY_DEFAULT: Final = 5
PRIORITIES: Final = range(10)
MAX_ATTEMPTS_DEFAULT: Final = 5
MICROS: Final = 1_000_000
LEFT_OUT: Final = "null"
"""The payload of a job that was listed without bodies."""


class Lane(msgspec.Struct, frozen=True):
    """One (queue, type, priority); pending jobs stand in lanes."""

    queue: str
    type: str
    priority: int


class AfterCrashes(msgspec.Struct, frozen=True):
    """Where a job goes whose node has died under it again and again, so that it does no more harm to others."""

    crashes: int
    """How often in a row."""
    queue: str


class Idempotency(msgspec.Struct, frozen=True):
    """A caller's promise that requests with one key are one request."""

    key: str
    body_hash: str
    expires_at: int


class NewJob(msgspec.Struct, frozen=True, gc=False):
    """A job as its caller hands it in; the caller minted the id."""

    id: str
    type: str
    payload: str
    created_at: int
    queue: str = QUEUE_DEFAULT
    priority: int = PRIORITY_DEFAULT
    max_attempts: int = MAX_ATTEMPTS_DEFAULT
    timeout: float | None = None
    """Seconds a run may take; None leaves it to the handler, then to DEFAULT_TIMEOUT."""
    run_at: int | None = None
    """Not before this time; None means at once."""
    expires_at: int | None = None
    unique_key: str | None = None
    tags: tuple[str, ...] = ()
    idempotency: Idempotency | None = None
    key: str | None = None
    """Whose gate lets it in; of jobs of any type and queue."""
    gate: GateRule | None = None
    """What its declaration says of that gate."""

    @property
    def lane(self) -> Lane:
        """Where the job will stand."""
        return Lane(self.queue, self.type, self.priority)


class ClaimedJob(msgspec.Struct, frozen=True, gc=False):
    """A job that this node may run once: the claim is (id, number) and the batch it came in."""

    id: str
    number: int
    """The claim number: the fence. It grows at every claim and never goes down."""
    attempt: int
    """Which attempt this run is, counting from 1."""
    crashes: int
    """How often in a row the job's node died under it."""
    interruptions: int
    """How often in a row a stop cut the job off."""
    batch: int
    lane: Lane
    payload: str
    max_attempts: int
    timeout: float | None
    created_at: int
    run_at: int | None
    expires_at: int | None
    unique_key: str | None
    tags: tuple[str, ...]
    key: str | None = None
    """Whose slot it has, if any."""

    @property
    def type(self) -> str:
        """Which handler runs it."""
        return self.lane.type

    @property
    def queue(self) -> str:
        """The queue it stands in."""
        return self.lane.queue


class JobError(msgspec.Struct, frozen=True):
    """Why an attempt did not end well: an FM code, the exception's class, its message, its traceback."""

    code: str
    type: str
    message: str
    traceback: str | None = None
    frame: str | None = None
    """The innermost place in the user's code, such as mail.py:send."""
    group: str | None = None
    """The id of its error group; None where no attempt has failed, or before there were groups."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as anybody reads it: contract.md's fields, with integer times and JSON text."""

    id: str
    type: str
    queue: str
    priority: int
    status: Status
    attempt: int
    max_attempts: int
    claim: int
    payload: str
    """`LEFT_OUT` where it was listed without bodies; then the result is left out, too."""
    result: str | None
    error: JobError | None
    run_at: int | None
    created_at: int
    started_at: int | None
    finished_at: int | None
    expires_at: int | None
    worker_id: str | None
    node: str | None
    unique_key: str | None
    tags: tuple[str, ...]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One ended run of a job, as the store keeps it."""

    number: int
    what: str
    status: Status
    attempt: int
    error: JobError | None
    started_at: int | None
    finished_at: int
    worker_id: str | None
    node: str | None
