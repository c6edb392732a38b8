"""The claim: pending rows become one claim row, durable before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import NodeNotLive
from ferryman.domain.job import ClaimedJob, Lane
from ferryman.domain.limits import Bounds, limiting, open_lanes
from ferryman.store.postgres.cursor import Cursor, Key, Span
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.rules import Rules, spend, using
from ferryman.store.postgres.steps import Ask, Row, Steps
from ferryman.store.views import tags_of

T = TypeVar("T")
_LANE: Final = 3
_PAYLOAD: Final = 6
_COLUMNS: Final = 15
"""What of a row says a run and the body of its job: the run first, then from the payload on the body."""
_RANK: Final = itemgetter(_COLUMNS)


class Run(NamedTuple):
    """A claimed run, without the body of its job."""

    id: str
    number: int
    attempt: int
    lane: int
    crashes: int
    interruptions: int


class Taken(NamedTuple):
    """What a claim gave: the batch, and the runs that nobody can run, as the bodies of their jobs are gone."""

    batch: Batch
    bodiless: Sequence[Run]
    lanes: Sequence[int]
    """Those that jobs were taken from now, one for each job."""


def not_live(node: int) -> NodeNotLive:
    """Why a node may not claim."""
    return NodeNotLive(
        f"Node {node} is not live, so it may not claim.",
        why="It was taken for dead and its claims were given back, or it never registered.",
        hint="It registers again under a new id by itself.",
    )


class Known(NamedTuple):
    """What this process knows of the store, as far as claims need it."""

    lanes: Lanes
    rules: Rules
    cursor: Cursor

    def fitting(self, request: ClaimRequest) -> Mapping[int, Lane]:
        """The lanes that a claim may take from."""
        return open_lanes(self.rules.all, self.lanes.fitting(request.types, request.queues))

    def bounds(self, request: ClaimRequest) -> bool:
        """Whether a claim is under limits: then it is to be driven in a transaction."""
        return bool(self.rules.all) and bool(limiting(self.rules.all, self.fitting(request)))

    def fair(self, request: ClaimRequest) -> list[int]:
        """The lanes that a claim may take from in which keys take turns."""
        return sorted(self.rules.fair.intersection(self.fitting(request))) if self.rules.fair else []


def claim(known: Known, request: ClaimRequest, now: int) -> Steps[Taken | None]:
    """Take what `domain.claim.take` allows from the lanes that the node can run.

    A batch that is open already, because the answer to its claim was lost, is answered with what it still holds.
    None: there are lanes or rules that this process has not heard of; nothing was claimed.

    Raises:
        NodeNotLive: nothing was claimed.
    """
    fitting = known.fitting(request)
    if known.rules.all and limiting(known.rules.all, fitting):
        bounds = yield from using(known.lanes, known.rules, fitting, request.idle, now)
        if bounds is None:
            return None
    else:
        bounds = Bounds((), fitting, request.idle, now)
    taken = yield from _take(known, request, fitting, bounds)
    if taken is not None:
        yield from spend(bounds, taken.lanes)
    return taken


def _take(known: Known, request: ClaimRequest, fitting: Mapping[int, Lane], bounds: Bounds) -> Steps[Taken | None]:
    """The statement itself."""
    lanes, cursor, now = known.lanes, known.cursor, bounds.claimed_at
    most = {number: bounds.most(number, request.limit) for number in fitting}
    numbers = [number for number in fitting if most[number] > 0 or request.limit <= 0]
    over = [(number, place) for number in numbers for place in bounds.over(number)]
    look = cursor.look(numbers)
    rows = yield Ask(
        "claim",
        (
            request.node,
            request.batch,
            now,
            request.limit,
            request.idle,
            request.alone,
            [span.lane for span in look.spans],
            [0 if request.by_age else lanes.by_number[span.lane].priority for span in look.spans],
            [span.after.xid for span in look.spans],
            [span.after.arrival for span in look.spans],
            [span.after.id for span in look.spans],
            [span.last for span in look.spans],
            look.gaps,
            len(lanes.by_number),
            known.rules.edition,
            [most[span.lane] for span in look.spans],
            [lane for lane, _ in over],
            [place for _, place in over],
            bounds.left,
            [bounds.is_of_type(place) for _, place in over],
        ),
    )
    rows = sorted(rows, key=_RANK)
    live, held, up_to_date, *spans, next_xid, running = rows[0][_COLUMNS + 1 :]
    if not live:
        raise not_live(request.node)
    if held:
        return (yield from still_held(lanes, request, now))
    if not up_to_date:
        return None
    if request.limit > 0:
        cursor.looked(numbers, look, _spans(spans), next_xid, running)
    taken = _taken(lanes, request.batch, now, rows if rows[0][0] else ())
    mixed = len({lane.priority for lane in fitting.values()}) > 1
    batch = Batch(request.batch, now, taken.batch.jobs, mixed, bounds.again(taken.lanes))
    return taken._replace(batch=batch)


def _spans(columns: Sequence[Any]) -> list[Span]:
    return [Span(lane, Key(xid, arrival, id), last) for lane, xid, arrival, id, last in zip(*columns, strict=True)]


def _taken(lanes: Lanes, id: int, claimed_at: int, rows: Sequence[Row]) -> Taken:
    """The batch as the engine has it, out of rows that begin with a run and the body of its job."""
    by_number = lanes.by_number
    jobs = [_claimed(id, row, by_number[row[_LANE]]) for row in rows if row[_PAYLOAD] is not None]
    bodiless = () if len(jobs) == len(rows) else [Run._make(row[:_PAYLOAD]) for row in rows if row[_PAYLOAD] is None]
    return Taken(Batch(id, claimed_at, jobs), bodiless, [row[_LANE] for row in rows])


def _claimed(batch: int, row: Row, lane: Lane) -> ClaimedJob:
    id, number, attempt, _, crashes, interruptions, payload, most, timeout, created, run_at, until, *last = row[
        :_COLUMNS
    ]
    unique_key, tags, key = last
    return ClaimedJob(
        id,
        number,
        attempt,
        crashes,
        interruptions,
        batch,
        lane,
        payload,
        most,
        timeout,
        created,
        run_at,
        until,
        unique_key,
        tags_of.decode(tags) if tags else (),
        key,
    )


def after(first: Steps[T], claimed: Steps[Taken | None]) -> Steps[tuple[T, Taken | None]]:
    """A claim in the transaction of something else, which comes first."""
    return (yield from first), (yield from claimed)


def still_held(lanes: Lanes, request: ClaimRequest, now: int) -> Steps[Taken]:
    """What an open batch still holds."""
    rows = yield Ask("held_batch", (request.batch, request.node))
    taken = _taken(lanes, request.batch, rows[0][_COLUMNS] if rows else now, rows)
    return taken._replace(lanes=())


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
