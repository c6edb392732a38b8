"""Keys that take turns: those whose gates have shares join the rings of their lanes, and claims draw from these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from ferryman.domain.claim import Care
from ferryman.domain.gates import Went
from ferryman.domain.shares import Round
from ferryman.store.sqlite.entering import Held, Look, enter, first_held, look_at, put, text
from ferryman.store.sqlite.session import Session

_pairs: Final = msgspec.json.Decoder(list[tuple[str, int]])
WIDEST: Final = 1000
"""So many keys are looked at in one round at most."""


def join(session: Session, looks: Mapping[str, Look]) -> tuple[int, dict[str, Went]]:
    """Keys whose gates have shares take turns in the lanes where jobs of theirs stand, as far as there is room.

    Returns:
        How many are new there, and of each key whether anybody stands before its gate.
    """
    pairs = session.document("lanes_of_keys", _pairs, keys=text(looks))
    may_go = [(key, lane) for key, lane in pairs if looks[key].room]
    joined = 0
    if may_go:
        _make_fair(session, {lane for _, lane in may_go})
        joined = session.run("join_shares", pairs=text(may_go))
    return joined, {key: Went(0, more=True) for key, _ in pairs}


def _make_fair(session: Session, lanes: set[int]) -> None:
    """Tell all claims that they are to draw from these lanes: it is a matter of the rules' edition."""
    session.lanes()
    if not lanes <= session.fair():
        session.run("index_held_lanes")
        session.run("add_fair_lanes", lanes=text(lanes))
        session.run("next_edition")


def draw(session: Session, lanes: Iterable[int], most: int, care: Care, now: int) -> None:
    """Before a claim: have those whose turn it is ready in each of its lanes, as many as it asks for."""
    for lane in sorted(session.fair().intersection(lanes)):
        (ready,) = session.one("ready_of", lane=lane, care=care, most=most) or (0,)
        _draw(session, lane, most - ready, now)


def _draw(session: Session, lane: int, count: int, now: int) -> None:
    """Rounds, until so many went or nobody is left: each that falls short leaves a key fewer in the ring."""
    width = count
    while count > 0:
        rows = session.document("next_shares", _pairs, lane=lane, limit=min(width, WIDEST))
        if not rows:
            return
        count -= _round(session, lane, dict(rows), count, now)
        width *= 2


def _round(session: Session, lane: int, ats: Mapping[str, int], count: int, now: int) -> int:
    looks = look_at(session, dict.fromkeys(ats), now)
    session.gates.clear()  # they are about to change
    turns = Round(ats, looks, count)
    lines = first_held(session, {key: room + 1 for key, room in turns.rooms.items()}, lane)
    entering = _in_turn(turns.order, turns.rooms, lines)
    enter(session, entering, now)
    went = Counter(each.key for each in entering)
    # whether somebody stands before the gate for another lane is not asked: a look too many does no harm
    put(session, {key: looks[key] for key in lines}, {key: Went(went[key], more=True) for key in lines}, now)
    changed = turns.after(went, {key: len(line) for key, line in lines.items()})
    session.insert("put_shares", [(lane, key, *row) for key, row in changed.items()])
    if went:
        session.run("put_fair_lane", lane=lane, tag=turns.time(went))
    return len(entering)


def _in_turn(order: Iterable[str], rooms: Mapping[str, int], lines: Mapping[str, list[Held]]) -> list[Held]:
    """The jobs that go, in the order of the turns."""
    lines_left = {key: iter(line[: rooms[key]]) for key, line in lines.items()}
    going = (next(lines_left.get(key, iter(())), None) for key in order)
    return [row for row in going if row is not None]
