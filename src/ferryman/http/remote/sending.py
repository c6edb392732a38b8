"""Jobs as the server is to read them: what a process says of its types goes along, so that the server need not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from ferryman.client.many import MOST
from ferryman.client.request import JobRequest, JobType
from ferryman.domain.errors import BadOption, PayloadTooLarge
from ferryman.domain.job import NewJob
from ferryman.http.operation import LINES
from ferryman.http.remote.asking import Ask
from ferryman.http.wire import write_moment

ROUND: Final = b'{"atomic":false,"jobs":[', b"]}"
"""What stands around the jobs of a batch. Each stands for itself: a refused one does not take the others along."""
LINES_MOST: Final = 5000
"""Jobs that go into one import, which is said again as a whole where its answer is lost."""
LINES_BYTES: Final = 4 * 1024 * 1024
"""Bytes of jobs beside which no more go into it."""
_LINES: Final = {"content-type": LINES}


class Parcel(msgspec.Struct, frozen=True):
    """A job on its way."""

    request: JobRequest
    new: NewJob
    """The job as this process would have stored it, but for its times."""
    text: bytes
    """As JSON."""

    def __repr__(self) -> str:
        return f"<{self.request!r} on its way>"  # without its payload, as a request


def parcel(request: JobRequest, new: NewJob, declared: JobType | None, max_body: int) -> Parcel:
    """A request as it goes out.

    Args:
        request: what was asked for.
        new: the job that was made of it; its id goes along unless an idempotency key does.
        declared: what this process knows of its type.
        max_body: bytes that a request may have.

    Raises:
        PayloadTooLarge: it has more.
    """
    text = msgspec.json.encode({name: value for name, value in _members(request, new, declared) if value is not None})
    if len(text) + sum(map(len, ROUND)) > max_body:
        raise PayloadTooLarge(
            f"The job has {len(text)} bytes as JSON.",
            why=f"MAX_BODY allows {max_body}.",
            hint="Store large data elsewhere and enqueue where it is.",
        )
    return Parcel(request, new, text)


def one(parcel: Parcel, room: float | None) -> Ask:
    """The request that hands in one job."""
    key = parcel.request.idempotency_key
    headers = {} if key is None else {"idempotency-key": f'"{key}"'}
    return Ask("POST", "/jobs", parcel.text, headers, room=room)


def batch(parcels: Sequence[Parcel]) -> Ask:
    """The request that hands in up to `MOST` jobs."""
    head, tail = ROUND
    return Ask("POST", "/jobs/batch", b"%b%b%b" % (head, b",".join(each.text for each in parcels), tail))


def whole(parcels: Sequence[Parcel], max_body: int) -> Ask:
    """The request that hands in all of up to `MOST` jobs, or none.

    Raises:
        BadOption: one has an idempotency key.
        PayloadTooLarge: the request would have more bytes than it may.
    """
    refuse_idempotency_keys(parcels)
    body = b'{"jobs":[%b]}' % b",".join(each.text for each in parcels)
    if len(body) > max_body:
        raise PayloadTooLarge(
            f"The jobs have {len(body)} bytes as JSON together.",
            why=f"MAX_BODY allows {max_body}.",
            hint="Hand in fewer at once.",
        )
    return Ask("POST", "/jobs/batch", body)


def refuse_idempotency_keys(parcels: Iterable[Parcel]) -> None:
    """Refuse jobs that can only go alone. Raises BadOption."""
    if any(each.request.idempotency_key is not None for each in parcels):
        raise BadOption("A job with an idempotency key has to go alone.", hint="Give it an id instead.")


def batches(parcels: Iterable[Parcel], max_body: int) -> Iterator[list[Parcel]]:
    """Jobs in pieces that go into one request each, in order; one with an idempotency key goes alone."""
    piece: list[Parcel] = []
    size = around = sum(map(len, ROUND))
    for each in parcels:
        alone = each.request.idempotency_key is not None
        if piece and (alone or len(piece) == MOST or size + len(each.text) + 1 > max_body):
            yield piece
            piece, size = [], around
        piece.append(each)
        size += len(each.text) + 1
        if alone:
            yield piece
            piece, size = [], around
    if piece:
        yield piece


def imports(parcels: Sequence[Parcel]) -> Iterator[list[Parcel]]:
    """Jobs in pieces that go into one import each, in order. Raises BadOption: one has an idempotency key."""
    refuse_idempotency_keys(parcels)
    piece: list[Parcel] = []
    size = 0
    for each in parcels:
        piece.append(each)
        size += len(each.text)
        if len(piece) == LINES_MOST or size >= LINES_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def lines(parcels: Sequence[Parcel]) -> Ask:
    """The request that imports jobs."""
    return Ask("POST", "/jobs/import", b"\n".join(each.text for each in parcels), _LINES)


def _members(request: JobRequest, new: NewJob, declared: JobType | None) -> Iterator[tuple[str, Any]]:
    yield "type", request.type
    yield "payload", msgspec.Raw(request.payload.encode())
    yield "queue", request.queue if declared is None else new.queue
    yield "priority", request.priority if declared is None else new.priority
    yield "max_attempts", request.max_attempts if declared is None else new.max_attempts
    yield "timeout", request.timeout
    # a delay goes as it was said: this machine's clock may be wrong
    yield "delay", request.delay
    yield "run_at", None if request.run_at is None else write_moment(request.run_at)
    yield "expires_at", None if request.expires_at is None else write_moment(request.expires_at)
    yield "unique_key", request.unique_key
    yield "on_conflict", None if request.on_conflict == "error" else request.on_conflict
    yield "tags", request.tags or None
    yield "key", new.key
    yield "id", None if request.idempotency_key is not None else new.id
