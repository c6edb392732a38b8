"""What a caller asks for, and the job that it becomes."""

from __future__ import annotations

import hashlib
from typing import Final, Literal, Protocol

import msgspec

from ferryman.domain import options
from ferryman.domain.errors import (
    BadText,
    EnqueueError,
    IdempotencyKeyReused,
    PayloadTooLarge,
    QueueFull,
    UniqueKeyTaken,
)
from ferryman.domain.job import MAX_ATTEMPTS_DEFAULT, MICROS, PRIORITY_DEFAULT, Idempotency, Job, NewJob
from ferryman.domain.state import Status
from ferryman.store.protocol import Receipt, Verdict

QUEUE_DEFAULT: Final = "default"
MAX_BODY_DEFAULT: Final = 1024 * 1024
IDEMPOTENCY_KEPT: Final = 24 * 3600 * MICROS
"""How long an idempotency key is remembered."""
_RETRY_AFTER: Final = 1


class JobRequest(msgspec.Struct, frozen=True, gc=False):
    """One job as a caller asks for it. None takes what its type declares, else the default."""

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
    """The idempotency key was used before, for the same request."""
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
    return Status.SCHEDULED if new.run_at is not None and new.run_at > new.created_at else Status.PENDING


def admit(request: JobRequest, declared: JobType | None, id: str, now: int, max_body: int) -> NewJob:
    """The job for a request; pure.

    Raises:
        BadOption: naming the option, its value and what is allowed.
        PayloadTooLarge: over `max_body` bytes.
        EnqueueError: the payload does not fit the declared type (see `JobType.check`).
    """
    _check_size(request.payload, max_body)
    if declared is None:
        options.type_name(request.type)
    elif not request.checked:
        declared.check(request.payload)
    run_at = _run_at(request, now)
    return NewJob(
        id=id,
        type=request.type,
        payload=request.payload,
        created_at=now,
        queue=_queue(request, declared),
        priority=_priority(request, declared),
        max_attempts=_max_attempts(request, declared),
        timeout=None if request.timeout is None else options.timeout(request.timeout),
        run_at=run_at,
        expires_at=_expires_at(request, now, run_at),
        unique_key=_unique_key(request),
        tags=options.tags(request.tags) if request.tags != () else (),
        idempotency=_idempotency(request, now),
    )


def _check_size(payload: str, max_body: int) -> None:
    try:
        size = len(payload) if payload.isascii() else len(payload.encode())
    except UnicodeEncodeError:
        raise BadText("The payload holds a lone surrogate.", why="UTF-8 has no form for it.") from None
    if size > max_body:
        raise PayloadTooLarge(
            f"The payload has {size} bytes.",
            why=f"MAX_BODY allows {max_body}.",
            hint="Store large data elsewhere and enqueue where it is.",
        )


def _queue(request: JobRequest, declared: JobType | None) -> str:
    if request.queue is not None:
        return options.queue(request.queue)
    return QUEUE_DEFAULT if declared is None else declared.queue


def _priority(request: JobRequest, declared: JobType | None) -> int:
    if request.priority is not None:
        return options.priority(request.priority)
    return PRIORITY_DEFAULT if declared is None else declared.priority


def _max_attempts(request: JobRequest, declared: JobType | None) -> int:
    if request.max_attempts is not None:
        return options.max_attempts(request.max_attempts)
    return MAX_ATTEMPTS_DEFAULT if declared is None else declared.max_attempts


def _run_at(request: JobRequest, now: int) -> int | None:
    """When the job is due; None is at once."""
    if request.delay is None:
        return None if request.run_at is None else options.moment("run_at", request.run_at, now)
    if request.run_at is not None:
        raise options.refused("delay", request.delay, "either delay or run_at, not both")
    seconds = options.seconds_of("delay", request.delay)
    return now + round(seconds * MICROS) if seconds else None


def _expires_at(request: JobRequest, now: int, run_at: int | None) -> int | None:
    if request.expires_at is None:
        return None
    expires_at = options.moment("expires_at", request.expires_at, now)
    if expires_at <= max(now, run_at or 0):
        raise options.refused("expires_at", request.expires_at, "a time after now and after run_at")
    return expires_at


def _unique_key(request: JobRequest) -> str | None:
    if request.on_conflict not in ("error", "return"):
        raise options.refused("on_conflict", request.on_conflict, "error, return")
    return None if request.unique_key is None else options.unique_key(request.unique_key)


def _idempotency(request: JobRequest, now: int) -> Idempotency | None:
    if request.idempotency_key is None:
        return None
    key = options.idempotency_key(request.idempotency_key)
    return Idempotency(key, body_hash(request), now + IDEMPOTENCY_KEPT)


def refusal(request: JobRequest, receipt: Receipt) -> EnqueueError | None:
    """Why the store refused a request; None where it did not."""
    match receipt.verdict:
        case Verdict.KEY_TAKEN if request.on_conflict == "error":
            return UniqueKeyTaken(
                f"Job {receipt.id} of type {request.type} has the unique key {request.unique_key!a}.",
                holder=receipt.id,
                hint='Wait until it has ended, or say on_conflict="return" to be given that job.',
            )
        case Verdict.KEY_REUSED:
            return IdempotencyKeyReused(
                f"The idempotency key {request.idempotency_key!a} was used for another request.",
                why=f"That one became job {receipt.id}.",
                hint="Use a new key for a new request.",
            )
        case Verdict.FULL:
            return QueueFull(
                f"A job of type {request.type} found its queue full.",
                retry_after=_RETRY_AFTER,
                why="MAX_PENDING jobs wait in it.",
                hint="Try again later.",
            )
        case _:
            return None


def body_hash(request: JobRequest) -> str:
    """A fingerprint of what was asked for, whatever the order of the payload's members.

    The delay counts as it was written, not as the time it comes to: a request sent again is the same one.
    """
    members = msgspec.json.decode(request.payload)
    asked = msgspec.structs.replace(request, payload="", idempotency_key=None, id=None, checked=False)
    text = msgspec.json.encode((asked, members), order="deterministic")
    return hashlib.sha256(text).hexdigest()
