"""The ended runs of a job as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ferryman.domain.job import Attempt, JobError
from ferryman.http.wire import Moment, array_json, write_moment


class AttemptJson(msgspec.Struct, frozen=True, gc=False):
    """A run, every field always present. A cancel while the job waited and a retry by a person count as runs."""

    claim: int
    what: str
    status: str
    """That of the job afterwards."""
    attempt: int
    error: JobError | None
    started_at: Moment | None
    finished_at: Moment
    worker_id: str | None
    node: str | None


def attempt_of(attempt: Attempt) -> AttemptJson:
    """A run as it goes out. Its error was freed of secrets before it was stored."""
    return AttemptJson(
        attempt.number,
        attempt.what,
        attempt.status.value,
        attempt.attempt,
        attempt.error,
        None if attempt.started_at is None else write_moment(attempt.started_at),
        write_moment(attempt.finished_at),
        attempt.worker_id,
        attempt.node,
    )


def attempts_json(attempts: Sequence[Attempt]) -> Iterator[bytes]:
    """Runs as a JSON array, in pieces: a job that snoozes again and again has any number of them."""
    return array_json(attempts, lambda each: msgspec.json.encode(attempt_of(each)))
