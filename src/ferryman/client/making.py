"""The job that a request becomes, or why it becomes none."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from ferryman.client.request import JobRequest, JobType
from ferryman.domain import options
from ferryman.domain.errors import (
    BadText,
    EnqueueError,
    IdempotencyKeyReused,
    PayloadTooLarge,
    QueueForbidden,
    QueueFull,
    UniqueKeyTaken,
)
from ferryman.domain.job import MICROS, Idempotency, NewJob
from ferryman.store.protocol import Declaration, Receipt, Verdict

IDEMPOTENCY_KEPT: Final = 24 * 3600 * MICROS
"""How long an idempotency key is remembered."""
_RETRY_AFTER: Final = 1


def admit(request: JobRequest, declared: JobType | Declaration, id: str, now: int, max_body: int) -> NewJob:
    """The job for a request; pure. Of a type that has no handler in this process only the Declaration is known.

    Raises:
        BadOption: naming the option, its value and what is allowed.
        PayloadTooLarge: over `max_body` bytes.
        EnqueueError: the payload does not fit the declared type (see `JobType.check`).
        QueueForbidden: it would stand in a queue that is not its sender's.
    """
    _check_size(request.payload, max_body)
    if isinstance(declared, Declaration):
        options.type_name(request.type)
    elif not request.checked:
        declared.check(request.payload)
    run_at = _run_at(request, now)
    key = _key(request, declared)
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
        key=key,
        gate=None if key is None or declared.keyed is None else declared.keyed.rule,
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


def _queue(request: JobRequest, declared: JobType | Declaration) -> str:
    queue = declared.queue if request.queue is None else options.queue(request.queue)
    if request.within is not None and queue not in request.within:
        raise QueueForbidden(f"The job would stand in the queue {queue}, which its API key is not for.")
    return queue


def _priority(request: JobRequest, declared: JobType | Declaration) -> int:
    if request.priority is not None:
        return options.priority(request.priority)
    return declared.priority


def _max_attempts(request: JobRequest, declared: JobType | Declaration) -> int:
    if request.max_attempts is not None:
        return options.max_attempts(request.max_attempts)
    return declared.max_attempts


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


def _key(request: JobRequest, declared: JobType | Declaration) -> str | None:
    if request.key is not None:
        return options.key(request.key)
    return None if declared.keyed is None else declared.keyed.key_of(request.payload)


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
                why="As many jobs wait in it as MAX_PENDING allows, or its first one for longer than MAX_AGE.",
                hint="Try again later.",
            )
        case _:
            return None


def body_hash(request: JobRequest) -> str:
    """A fingerprint of what was asked for, whatever the order of the payload's members.

    The delay counts as it was written, not as the time it comes to: a request sent again is the same one.
    """
    members = msgspec.json.decode(request.payload)
    plain = msgspec.structs.replace(request, payload="", idempotency_key=None, id=None, checked=False)
    # without the key if there is none: versions that knew no keys told the same fingerprints
    left_out = {"within"} if request.key is not None else {"within", "key"}
    fields = (name for name in plain.__struct_fields__ if name not in left_out)
    asked = msgspec.json.encode({name: getattr(plain, name) for name in fields})
    text = b"[%b,%b]" % (asked, msgspec.json.encode(members, order="deterministic"))
    return hashlib.sha256(text).hexdigest()
