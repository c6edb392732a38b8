"""The claim: pending rows become one claim row, durable before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import NodeNotLive
from ferryman.domain.job import ClaimedJob, Lane, NewJob
from ferryman.store.postgres.cursor import Cursor, Key, Span
from ferryman.store.postgres.inserting import encode
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Row, Steps
from ferryman.store.views import tags_of

T = TypeVar("T")


class Run(NamedTuple):
    """A claimed run, without the body of its job."""

    id: str
    number: int
    attempt: int
    lane: int
    crashes: int
    interruptions: int


class Taken(NamedTuple):
    """What a claim gave."""

    claimed_at: int
    runs: Sequence[Run]


def not_live(node: int) -> NodeNotLive:
    """Why a node may not claim."""
    return NodeNotLive(
        f"Node {node} is not live, so it may not claim.",
        why="It was taken for dead and its claims were given back, or it never registered.",
        hint="It registers again under a new id by itself.",
    )


def claim(lanes: Lanes, cursor: Cursor, request: ClaimRequest, now: int) -> Steps[Taken | None]:
    """Take what `domain.claim.take` allows from the lanes that the node can run.

    A batch that is open already, because the answer to its claim was lost, is answered with what it still holds.
    None: there are lanes that this process has not heard of; nothing was claimed.

    Raises:
        NodeNotLive: nothing was claimed.
    """
    numbers = lanes.fitting(request.types, request.queues)
    look = cursor.look(numbers)
    (row,) = yield Ask(
        "claim",
        (
            request.node,
            request.batch,
            now,
            request.limit,
            request.idle,
            request.alone,
            [span.lane for span in look.spans],
            [lanes.by_number[span.lane].priority for span in look.spans],
            [span.after.xid for span in look.spans],
            [span.after.arrival for span in look.spans],
            [span.after.id for span in look.spans],
            [span.last for span in look.spans],
            look.gaps,
            len(lanes.by_number),
        ),
    )
    live, held, known, *columns = row
    if not live:
        raise not_live(request.node)
    if held:
        return (yield from still_held(request, now))
    if not known:
        return None
    if request.limit > 0:
        cursor.looked(numbers, look, _spans(columns[6:11]), columns[11], columns[12])
    return Taken(now, list(map(Run._make, zip(*columns[:6], strict=True))))


def _spans(columns: Sequence[Any]) -> list[Span]:
    return [Span(lane, Key(xid, arrival, id), last) for lane, xid, arrival, id, last in zip(*columns, strict=True)]


def after(first: Steps[T], claimed: Steps[Taken | None]) -> Steps[tuple[T, Taken | None]]:
    """A claim in the transaction of something else, which comes first."""
    return (yield from first), (yield from claimed)


def still_held(request: ClaimRequest, now: int) -> Steps[Taken]:
    """What an open batch still holds."""
    rows = yield Ask("held_batch", (request.batch, request.node))
    return Taken(rows[0][0] if rows else now, [Run._make(row[1:]) for row in rows])


def bodies(runs: Sequence[Run]) -> Steps[dict[str, Row]]:
    """The bodies of claimed jobs, by id."""
    rows = yield Ask("bodies", ([run.id for run in runs],))
    return {row[0]: row for row in rows}


def body_of(job: NewJob) -> Row:
    """The body of a job that was stored just now, as `bodies` would give it."""
    tags = encode(job.tags).decode() if job.tags else None
    return (
        job.id,
        job.payload,
        job.max_attempts,
        job.timeout,
        job.created_at,
        job.run_at,
        job.expires_at,
        job.unique_key,
        tags,
    )


def batch_of(lanes: Lanes, id: int, taken: Taken, found: dict[str, Row]) -> Batch:
    """The batch as the engine has it, without those whose bodies were not found."""
    by_number = lanes.by_number
    return Batch(
        id,
        taken.claimed_at,
        [_claimed(id, run, found[run.id], by_number[run.lane]) for run in taken.runs if run.id in found],
    )


def _claimed(batch: int, run: Run, body: Row, lane: Lane) -> ClaimedJob:
    _, payload, most, timeout, created, run_at, until, key, tags = body
    return ClaimedJob(
        run.id,
        run.number,
        run.attempt,
        run.crashes,
        run.interruptions,
        batch,
        lane,
        payload,
        most,
        timeout,
        created,
        run_at,
        until,
        key,
        tags_of.decode(tags) if tags else (),
    )


def left_behind(cursor: Cursor) -> Steps[None]:
    """Look for rows behind the cursor: those that another node's claim had locked when this one passed them by."""
    passed = cursor.passed()
    rows = yield Ask(
        "left_behind",
        (
            [lane for lane, _ in passed],
            [key.xid for _, key in passed],
            [key.arrival for _, key in passed],
            [key.id for _, key in passed],
        ),
    )
    for lane, xid, arrival in rows:
        cursor.left_behind(lane, xid, arrival)
