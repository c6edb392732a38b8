"""What a caller asks for, and what it is answered."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

from ferryman.domain.errors import JobNotFound, QueueForbidden
from ferryman.domain.job import Job, NewJob
from ferryman.domain.keyed import KeySource
from ferryman.domain.state import Status

MAX_BODY_DEFAULT: Final = 1024 * 1024


class JobRequest(msgspec.Struct, frozen=True, gc=False):
    """One job as a caller asks for it. None takes what its type declares, here or on a node, else the default."""

    type: str
    payload: str = "{}"
    """JSON text of an object: the handler's keyword arguments."""
    queue: str | None = None
    priority: int | None = None
    max_attempts: int | None = None
    timeout: float | None = None
    """Seconds one run may take."""
    run_at: int | None = None
    """Not before this time, in microseconds; one that is past means at once."""
    delay: float | None = None
    """Not before so many seconds from now; excludes `run_at`."""
    expires_at: int | None = None
    """Cancelled unless it was started before this time, in microseconds."""
    unique_key: str | None = None
    on_conflict: Literal["error", "return"] = "error"
    """What a taken unique key gives: UniqueKeyTaken, or the job that holds it."""
    tags: tuple[str, ...] = ()
    idempotency_key: str | None = None
    id: str | None = None
    """Minted by a caller who may have to say the same request twice; else by the client."""
    key: str | None = None
    """Whose gate lets it in; else what its type declares."""
    within: frozenset[str] | None = None
    """The queues to which whoever asks is limited; None is all."""
    checked: bool = False
    """Whether the payload was already checked against the handler's signature."""

    def __repr__(self) -> str:
        # without the payload: errors and logs that show a request are not to show its secrets
        return f"<request for a job of type {self.type}>"


class JobType(Protocol):
    """What the client needs to know of a handler."""

    @property
    def queue(self) -> str:
        """Where its jobs stand unless a request says otherwise."""
        ...

    @property
    def priority(self) -> int:
        """Its jobs' priority unless a request says otherwise."""
        ...

    @property
    def max_attempts(self) -> int:
        """How often its jobs are tried unless a request says otherwise."""
        ...

    @property
    def secrets(self) -> frozenset[str]:
        """The members of its jobs' payloads that are not to be shown."""
        ...

    @property
    def keyed(self) -> KeySource | None:
        """How its jobs have keys, and what the gates of these keep to."""
        ...

    def check(self, payload: str) -> None:
        """Refuse a payload that the handler could not be called with. Raises EnqueueError."""


class Catalogue(Protocol):
    """The types declared in this process."""

    def get(self, type: str, /) -> JobType | None:
        """The declaration of a type."""
        ...

    @property
    def types(self) -> frozenset[str]:
        """Every declared type."""
        ...


class Accepted(msgspec.Struct, frozen=True):
    """The answer to a request: the job that now stands for it."""

    new: NewJob
    """The job as it was made for this request; it was not stored if `replayed` or `existed`."""
    standing: Job | None = None
    """The earlier job that stands for the request, if `replayed` or `existed`."""
    replayed: bool = False
    """There is a job of its id already, or the idempotency key was used before, for the same request."""
    existed: bool = False
    """Another job holds the unique key, and the request said on_conflict="return"."""

    @property
    def id(self) -> str:
        """The job's id."""
        return self.new.id if self.standing is None else self.standing.id

    @property
    def created_at(self) -> int:
        """When the job was made, in microseconds."""
        return self.new.created_at if self.standing is None else self.standing.created_at

    @property
    def status(self) -> Status:
        """Its status when it was accepted, or when the earlier job was read."""
        return status_of(self.new) if self.standing is None else self.standing.status

    def job(self) -> Job:
        """The job as anybody would have read it at that moment."""
        if self.standing is not None:
            return self.standing
        new = self.new
        return Job(
            id=new.id,
            type=new.type,
            queue=new.queue,
            priority=new.priority,
            status=status_of(new),
            attempt=0,
            max_attempts=new.max_attempts,
            claim=0,
            payload=new.payload,
            result=None,
            error=None,
            run_at=new.run_at,
            created_at=new.created_at,
            started_at=None,
            finished_at=None,
            expires_at=new.expires_at,
            worker_id=None,
            node=None,
            unique_key=new.unique_key,
            tags=new.tags,
        )


def status_of(new: NewJob) -> Status:
    """Where a job stands when it was just stored."""
    if new.run_at is not None and new.run_at > new.created_at:
        return Status.SCHEDULED
    # before its gate, be it for the blink of an eye
    return Status.PENDING if new.key is None else Status.WAITING


def no_such_job(id: object) -> JobNotFound:
    """The error for a job that is not there, or that is to seem so."""
    return JobNotFound(f"There is no job {id!a}.", why="It never was, or its retention has passed.")


def check_standing(within: frozenset[str] | None, standing: Job | None) -> None:
    """Refuse to tell somebody limited to queues of a job elsewhere that stands for a request. Raises QueueForbidden."""
    if within is not None and standing is not None and standing.queue not in within:
        raise QueueForbidden(
            "A job of another queue stands in the way.",
            why="It has the same id, unique key or idempotency key, and the API key is not for its queue.",
        )
