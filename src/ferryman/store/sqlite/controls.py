"""What a person may do to many jobs that wait: place them anew, cancel them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.state import INITIAL, MOVABLE, Status
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Retention
from ferryman.store.sqlite.auditing import note_over
from ferryman.store.sqlite.gating import let_in
from ferryman.store.sqlite.people import cancel_waiting, standing, visible
from ferryman.store.sqlite.session import Session, encode

Place = tuple[str, int, int | None, int, int, int, int, int]
"""(id, lane, due or None where pending, number, attempt, crashes, interruptions, care)"""
_places: Final = msgspec.json.Decoder(list[Place])


class Move(NamedTuple):
    """From one place to another."""

    id: str
    lane: int
    due: int | None
    carried: tuple[int, ...]
    """What goes with the job: number, attempt, crashes, interruptions, care."""


def place(
    session: Session,
    ids: Sequence[str],
    placement: Placement,
    now: int,
    retention: Retention,
    deed: Deed | None = None,
) -> Mapping[str, Status]:
    """Move those that are pending or scheduled; say of each how it was met."""
    found = {row[0]: row for row in session.document("places", _places, ids=encode(ids).decode())}
    met: dict[str, Status] = {}
    for id in ids:
        if id in found:
            met[id] = Status.PENDING if found[id][2] is None else Status.SCHEDULED
        elif (job := visible(session, id, now, retention)) is not None:
            met[id] = job.status if job.key is None or job.status not in MOVABLE else Status.WAITING
    rows = [found[id] for id in met if id in found]
    if rows:
        note_over(session, deed, _move(session, rows, placement, now))
    return met


def _move(session: Session, rows: Sequence[Place], placement: Placement, now: int) -> list[str]:
    """Take jobs from where they stand, unless they stand right, and put them where they are to stand.

    Returns:
        The ids of those that were moved.
    """
    lanes = dict(session.lanes().by_number)  # a copy: new ones may be made
    moves: list[Move] = []
    for id, before, was_due, *carried in rows:
        lane = placement.lane(lanes[before])
        number, due = session.lane(lane.queue, lane.type, lane.priority), placement.due(was_due, now)
        if (number, due) != (before, was_due):
            moves.append(Move(id, number, due, tuple(carried)))
            session.count(before, "pending" if was_due is None else "scheduled", -1)
            session.count(number, "pending" if due is None else "scheduled")
    if moves:
        _settle(session, moves, now)
        lanes_of = encode([(each.id, each.lane) for each in moves]).decode()
        session.run("place_bodies", moves=lanes_of, run_at=placement.run_at)
    return [each.id for each in moves]


def _settle(session: Session, moves: Sequence[Move], now: int) -> None:
    """Write the new places of jobs."""
    gone = encode([each.id for each in moves]).decode()
    session.run("drop_ready", ids=gone)
    session.run("drop_later", ids=gone)
    session.insert(
        "add_later", [(each.due, each.id, each.lane, *each.carried) for each in moves if each.due is not None]
    )
    lines: dict[int, list[Move]] = {}
    for each in moves:
        if each.due is None:
            lines.setdefault(each.lane, []).append(each)
    for lane, line in lines.items():
        first = session.arrivals(lane, len(line), now)
        session.insert("add_ready", [(lane, place, each.id, *each.carried) for place, each in enumerate(line, first)])


def cancel_those_that_wait(session: Session, ids: Sequence[str], now: int, deed: Deed | None = None) -> Sequence[str]:
    """Cancel what nobody runs. Returns the ids."""
    jobs = [(id, standing(session, id)) for id in dict.fromkeys(ids)]
    waiting = [(id, job) for id, job in jobs if job is not None and job.status in INITIAL]
    if waiting:
        cancel_waiting(session, waiting, now, None)
        let_in(session, now)
    ended = [id for id, _ in waiting]
    note_over(session, deed, ended)
    return ended
