"""One look for a claim: what the cursors of a connection let it see of the lanes, what it takes, where they move."""

from __future__ import annotations

from collections.abc import Container, Mapping

import msgspec

from ferryman.domain.claim import Care, ClaimRequest, take
from ferryman.domain.job import Lane
from ferryman.domain.limits import Bounds
from ferryman.store.memory.rows import JobRow
from tests.simulation.postgres.cursor import Cursor, Key, Snapshot
from tests.simulation.postgres.tables import ModelTables


class Look(msgspec.Struct, frozen=True):
    """What came of it."""

    rows: list[JobRow]
    """What it takes, in the order in which the jobs are to start."""
    cursors: dict[Lane, Cursor]
    """For the lanes that were asked for."""
    gaps: list[str]
    """Jobs among `rows` that stood behind the position, in a gap."""
    overlooked: list[str]
    """Jobs among `rows` that only a look from the beginning can see."""
    past: int
    """The greatest transaction of which it has taken a job."""


class Part(msgspec.Struct, frozen=True):
    """What it sees of one lane: jobs in order, at most as many of those that may be taken as the limit says."""

    lane: Lane
    cursor: Cursor
    rows: list[JobRow]
    whole: bool
    """Whether nothing more was there."""


def look(
    tables: ModelTables,
    request: ClaimRequest,
    lanes: Mapping[int, Lane],
    bounds: Bounds,
    cursors: Mapping[Lane, Cursor],
    snapshot: Snapshot,
    locked: Container[str],
    *,
    anew: bool,
) -> Look:
    """Look at the lanes that a claim asks for.

    Args:
        lanes: those that may be looked at, by their numbers.
        bounds: how much they may give.
        cursors: as far as the connection has looked before.
        snapshot: of this very look.
        locked: jobs that other transactions have taken, which may be rolled back yet; they are passed by (SKIP LOCKED).
        anew: whether to look from the beginning, which gives new cursors.
    """
    numbers = {lane: number for number, lane in lanes.items()}
    seen: Mapping[Lane, Cursor] = {} if anew else cursors
    parts = [_part(tables, lane, seen.get(lane, Cursor()), request, locked) for lane in numbers]
    line = [row for part in parts for row in part.rows if _may_be_taken(row, request)]
    line.sort(key=lambda row: (0 if request.by_age else row.job.priority, tables.places[row.job.id]))
    line = [line[each] for each in bounds.admit([numbers[row.job.lane] for row in line], request.limit)]
    rows = [line[position] for position in take([row.care for row in line], request.idle, request.alone)]
    taken = {row.job.id for row in rows}
    before = {row.job.id: cursors.get(row.job.lane, Cursor()) for row in rows}
    return Look(
        rows,
        {part.lane: _moved(tables, part, taken, snapshot) for part in parts},
        [
            id
            for id, cursor in before.items()
            if cursor.covers(tables.places[id]) and tables.places[id] < cursor.position
        ],
        [id for id, cursor in before.items() if not cursor.covers(tables.places[id])],
        max((tables.places[id][0] for id in before), default=0),
    )


def _may_be_taken(row: JobRow, request: ClaimRequest) -> bool:
    return request.alone or row.care != Care.ALONE


def _part(tables: ModelTables, lane: Lane, cursor: Cursor, request: ClaimRequest, locked: Container[str]) -> Part:
    rows: list[JobRow] = []
    room = request.limit
    for row in tables.in_order(lane):
        if row.job.id in locked or not cursor.covers(tables.places[row.job.id]):
            continue
        if not room:
            return Part(lane, cursor, rows, whole=False)
        rows.append(row)
        room -= _may_be_taken(row, request)
    return Part(lane, cursor, rows, whole=room > 0)


def _moved(tables: ModelTables, part: Part, taken: Container[str], snapshot: Snapshot) -> Cursor:
    """The cursor never passes a job that it has seen and left: one for which no worker is idle, or that must be
    alone, or that came after the limit in another lane's favour."""
    passed: Key | None = None
    for row in part.rows:
        if row.job.id not in taken:
            return part.cursor if passed is None else part.cursor.moved(snapshot, passed)
        passed = tables.places[row.job.id]
    return part.cursor.moved(snapshot, None if part.whole else passed)
