"""What people do who look after queues: place jobs anew, cancel many, delete what has ended. Driven in a transaction.

A row of `ready` is never locked and then left alone: a claim takes one that is locked for one that is taken, and would
pass it by until it looks at everything again. So what stands right already is only looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ferryman.domain.audit import Deed
from ferryman.domain.state import MOVABLE, TERMINAL, Status
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.postgres import lanes
from ferryman.store.postgres.auditing import note, note_over
from ferryman.store.postgres.ids import is_id
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.people import LOOKS, check_place, end_waiting, expect, keys_of, restless, visible
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import Retention
from ferryman.store.watching import Version


class LanesMissing(Exception):
    """Some lanes have to be made or learned first; whoever is told rolls back, does that, and begins anew."""

    def __init__(self, wanted: frozenset[tuple[str, str, int]]) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class Uprooted(NamedTuple):
    """A job that was taken from its place, as `uproot.sql` says it."""

    id: str
    lane: int
    due: int | None
    care: int
    number: int
    attempt: int
    crashes: int
    interruptions: int


def place(
    known: Lanes,
    ids: Sequence[str],
    placement: Placement,
    now: int,
    retention: Retention,
    deed: Deed | None = None,
    expected: Version | None = None,
) -> Steps[dict[str, Status]]:
    """Move those that are pending or scheduled; gives how each job was met.

    Whoever moves one of them meanwhile is waited for. Raises LanesMissing.
    """
    met: dict[str, Status] = {}
    moved: list[str] = []
    left = given = list(dict.fromkeys(id for id in ids if is_id(id)))
    for _ in range(LOOKS):
        yield from expect(left, now, retention, expected)
        found = {row[0]: (row[1], row[2]) for row in (yield Ask("places", (left,)))}
        yield from lanes.read(known)
        met |= {id: _status(due) for id, (_, due) in found.items()}
        targets = {id: _target(known, placement, lane) for id, (lane, _) in found.items()}
        _check_known(known, targets.values())
        right = {id for id in found if (known.number(*targets[id]), placement.due(found[id][1], now)) == found[id]}
        gone = yield from _move(known, [id for id in left if id in found and id not in right], placement, now, expected)
        met |= gone
        moved += gone
        left = yield from _look_again([id for id in left if id not in right and id not in gone], met, now, retention)
        if not left:
            yield from expect([id for id in given if id not in moved], now, retention, expected)
            yield from note_over(deed, moved)
            return {id: met[id] for id in ids if id in met}
    raise restless(left[0])


def _move(
    known: Lanes, ids: Sequence[str], placement: Placement, now: int, expected: Version | None
) -> Steps[dict[str, Status]]:
    """Take jobs from their places, and put them where they are to stand. Gives how it met those that it got."""
    if not ids:
        return {}
    found = {row[0]: Uprooted._make(row) for row in (yield Ask("uproot", (list(ids),)))}
    if any(job.lane not in known.by_number for job in found.values()):
        raise LanesMissing(frozenset())  # another person has moved it to a lane that was made since we looked
    for id, job in found.items():
        check_place(known, id, expected, _status(job.due), job.number, job.lane)
    targets = {id: _target(known, placement, found[id].lane) for id in ids if id in found}
    if not targets:
        return {}
    _check_known(known, targets.values())  # another person may have moved it since we looked
    numbers = {id: known.number(*target) for id, target in targets.items()}
    yield _settle([found[id] for id in numbers], numbers, placement, now)
    for number in set(numbers.values()):
        yield Ask("place_bodies", ([id for id in numbers if numbers[id] == number], number, placement.run_at))
    return {id: _status(found[id].due) for id in numbers}


def _check_known(known: Lanes, targets: Iterable[tuple[str, str, int]]) -> None:
    """See that there are these lanes. Raises LanesMissing."""
    missing = known.missing(targets)
    if missing:
        raise LanesMissing(frozenset(missing))


def _status(due: int | None) -> Status:
    return Status.PENDING if due is None else Status.SCHEDULED


def _target(known: Lanes, placement: Placement, lane: int) -> tuple[str, str, int]:
    """Where a job is to stand that stands in this lane."""
    target = placement.lane(known.by_number[lane])
    return target.queue, target.type, target.priority


def _settle(jobs: Sequence[Uprooted], numbers: dict[str, int], placement: Placement, now: int) -> Ask:
    """What puts jobs where they are to stand."""
    return Ask(
        "settle",
        (
            now,
            [each.id for each in jobs],
            [numbers[each.id] for each in jobs],
            [placement.due(each.due, now) for each in jobs],
            [each.care for each in jobs],
            [each.number for each in jobs],
            [each.attempt for each in jobs],
            [each.crashes for each in jobs],
            [each.interruptions for each in jobs],
            [each.lane for each in jobs],
            [_status(each.due).value for each in jobs],
        ),
    )


def _look_again(ids: Sequence[str], met: dict[str, Status], now: int, retention: Retention) -> Steps[list[str]]:
    """Those of these jobs that wait somewhere else by now; of the others it is noted how they are met."""
    again: list[str] = []
    for id in ids:
        job = yield from visible(id, now, retention)
        met.pop(id, None)
        if job is None:
            continue
        if job.status in MOVABLE and job.key is not None:
            met[id] = Status.WAITING
        elif job.status in MOVABLE:
            again.append(id)
        else:
            met[id] = job.status
    return again


def cancel_those_that_wait(
    known: Lanes, ids: Sequence[str], now: int, deed: Deed | None = None
) -> Steps[tuple[list[str], Sequence[str]]]:
    """Cancel what nobody runs. Returns the ids, and the keys at whose gates that makes room."""
    given = list(dict.fromkeys(id for id in ids if is_id(id)))
    left = yield from end_waiting(known, given, now, None)
    ended = {job.id for job in left}
    if len(ended) < len(given):
        # one that was promoted while we waited for its row stands elsewhere now
        rest = [id for id in given if id not in ended]
        more = yield from end_waiting(known, rest, now, None)
        left, ended = [*left, *more], ended.union(job.id for job in more)
    cancelled = [id for id in given if id in ended]
    yield from note_over(deed, cancelled)
    return cancelled, keys_of(left)


def delete(
    id: str, now: int, retention: Retention, deed: Deed | None, expected: Version | None
) -> Steps[tuple[Deleted, Sequence[str]]]:
    """Delete one job that has ended. Returns also the keys at whose gates that makes room.

    What is expected of it is looked at once it has ended: as it is locked, nobody sends it back any more.
    """
    if is_id(id):
        yield Ask("lock_job", (id,))
    job = yield from visible(id, now, retention)
    yield from expect([id], now, retention, expected)
    if job is None or job.status not in TERMINAL:
        return Deleted(None if job is None else job.status), ()
    if not (yield Ask("delete_job", (id, job.status.value))):
        return Deleted(job.status), ()
    yield from note(deed)
    if job.key is None:
        return Deleted(job.status, gone=True), ()
    yield Ask("drop_slots", ([job.key], [id]))
    return Deleted(job.status, gone=True), (job.key,)
