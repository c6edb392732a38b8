"""What a person may do to a job: cancel it, retry it. Every verb here is driven in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ferryman.domain.audit import Deed
from ferryman.domain.claim import care
from ferryman.domain.errors import StoreBusy
from ferryman.domain.job import JobError
from ferryman.domain.state import RETRIABLE, TERMINAL, Status, allowed
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.finishing import encode
from ferryman.store.postgres.ids import is_id
from ferryman.store.postgres.inserting import Holder, put_keys, unique_scope
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.reading import versions
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import CancelResult, Retention, RetryResult
from ferryman.store.watching import Version, check_version

LOOKS: Final = 10
"""How often a job may move on between our look and our grasp before we give up."""


class Standing(NamedTuple):
    """Where a job stands, as `standing.sql` says it."""

    lane: int
    status: Status
    number: int
    attempt: int
    max_attempts: int
    unique_key: str | None
    expires_at: int | None
    ended_at: int | None
    """When its last outcome was written."""
    key: str | None


def standing(id: str) -> Steps[Standing | None]:
    """Where one job stands, or None if there is no such job."""
    if not is_id(id):
        return None
    rows = yield Ask("standing", (id,))
    return Standing(rows[0][0], Status(rows[0][1]), *rows[0][2:]) if rows else None


def visible(id: str, now: int, retention: Retention) -> Steps[Standing | None]:
    """Where a job stands, unless its retention has passed: then it is gone for people, pruned or not."""
    job = yield from standing(id)
    if job is None or job.status not in TERMINAL or job.ended_at is None:
        return job
    kept: int = getattr(retention, job.status.value)
    return None if job.ended_at + kept <= now else job


def expect(ids: Sequence[str], now: int, retention: Retention, expected: Version | None) -> Steps[None]:
    """Look whether each job has the expected version. Raises PreconditionFailed."""
    if expected is not None:
        found = yield from versions(ids, now, retention)
        for id in ids:
            check_version(id, expected, found.get(id))


def cancel(
    lanes: Lanes, id: str, now: int, retention: Retention, deed: Deed | None = None, expected: Version | None = None
) -> Steps[tuple[CancelResult, Sequence[str]]]:
    """Cancel what waits; ask for it where it runs. Whoever moves the job meanwhile is waited for.

    What is expected of the job is looked at before it is taken, so that no place is locked for nothing, and once more
    when it can move no longer.

    Returns:
        Also the keys whose gates may have room by that.
    """
    for _ in range(LOOKS):
        job = yield from visible(id, now, retention)
        yield from expect([id], now, retention, expected)
        if job is None:
            return CancelResult(None), ()
        if job.status is Status.PROCESSING:
            yield Ask("lock_run", (id,))
            yield from expect([id], now, retention, expected)
            asked = yield Ask("ask_cancel", (id, now))
            if asked:
                yield from note(deed if asked[0][1] else None)
                return CancelResult(job.status, asked[0][0]), ()
        elif not allowed(job.status, Status.CANCELLED):
            return CancelResult(job.status), ()
        else:
            ended = yield from end_waiting(lanes, [id], now, None)
            if ended:
                check_place(lanes, id, expected, ended[0].status, ended[0].number, ended[0].lane)
                yield from note(deed)
                return CancelResult(ended[0].status), keys_of(ended)
    raise restless(id)


def check_place(lanes: Lanes, id: str, expected: Version | None, status: Status, number: int, lane: int) -> None:
    """Look whether a job that was taken from its place had the expected version. Raises PreconditionFailed."""
    if expected is not None:
        stood = lanes.by_number[lane]
        check_version(id, expected, Version(status, number, stood.queue, stood.priority, expected.run_at))


class Left(NamedTuple):
    """A job that was taken from the place where it waited."""

    id: str
    lane: int
    number: int
    attempt: int
    status: Status
    unique_key: str | None
    key: str | None


def keys_of(left: Sequence[Left]) -> list[str]:
    """The keys of jobs."""
    return [job.key for job in left if job.key is not None]


def end_waiting(lanes: Lanes, ids: Sequence[str], now: int, error: JobError | None) -> Steps[list[Left]]:
    """End those of these jobs that wait: a tombstone under the next claim number, and no place or slot any more."""
    rows = yield Ask("leave", (list(ids),))
    left = [Left(row[0], row[1], row[2], row[3], Status(row[4]), row[5], row[6]) for row in rows]
    if left:
        yield Ask(
            "end_waiting",
            (
                now,
                None if error is None else encode(error).decode(),
                [job.id for job in left],
                [job.number for job in left],
                [job.attempt for job in left],
                [job.lane for job in left],
                [job.status.value for job in left],
                [None if job.unique_key is None else unique_scope(lanes.by_number[job.lane].type) for job in left],
                [job.unique_key for job in left],
            ),
        )
    keys = keys_of(left)
    if keys:
        yield Ask("drop_slots", (keys, [job.id for job in left if job.key is not None]))
    return left


def retry(
    lanes: Lanes,
    id: str,
    now: int,
    retention: Retention,
    run_at: int | None,
    deed: Deed | None = None,
    expected: Version | None = None,
) -> Steps[tuple[RetryResult, Sequence[str]]]:
    """Send a failed or cancelled job back; the marker under the next claim number is its audit.

    Returns:
        Also the keys at whose gates somebody may be let in by that.
    """
    if is_id(id):
        yield Ask("lock_job", (id,))  # two people, or a person and a prune, one after the other
    yield from expect([id], now, retention, expected)
    job = yield from visible(id, now, retention)
    if job is None:
        return RetryResult(None), ()
    if job.status not in RETRIABLE:
        return RetryResult(job.status), ()
    if job.unique_key is not None:
        key = (unique_scope(lanes.by_number[job.lane].type), job.unique_key)
        yield Ask("lock_keys", ([key[0]], [key[1]]))
        held = yield Ask("keys", ([key[0]], [key[1]]))
        if held:
            return RetryResult(job.status, held[0][2]), ()
        yield put_keys({key: Holder(id, None, None)})
    fresh = care(0, job.max_attempts, 0)
    due = run_at if run_at is not None and run_at > now else None
    row = (now, id, job.number + 1, job.lane, int(fresh), job.expires_at, job.status.value, job.key)
    if job.key is None or (yield Ask("keep_slot", (job.key, id))) or due is not None:
        yield Ask("retry", (*row, due))
    else:
        yield Ask("retry_held", row)
    yield from note(deed)
    return RetryResult(job.status), () if job.key is None else (job.key,)


def restless(id: str) -> StoreBusy:
    """The error for a job that is moved faster than it can be grasped."""
    return StoreBusy(f"Job {id} kept moving while it was to be changed.", hint="Try again.")
