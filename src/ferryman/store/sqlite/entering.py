"""How jobs go through their gates: a look at who is behind these, then slots, and places in lanes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final

import msgspec

from ferryman.domain import gates
from ferryman.domain.gates import MOST, Crowd, Gate, Newest, Went
from ferryman.domain.keys import GateRule
from ferryman.store.sqlite.session import GateRow, Session, encode

_gates: Final = msgspec.json.Decoder(list[GateRow])
_FRESH: Final = Gate()
_NOBODY: Final = Crowd()
_NOTHING: Final = GateRule()
_crowds: Final = msgspec.json.Decoder(list[tuple[str, int, int]])


class Held(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A job that stands before its gate, and its place there."""

    key: str
    sequence: int
    id: str
    lane: int


class Look(gates.Look, frozen=True, gc=False):
    """A look at a gate, and the gate as it is stored."""

    row: GateRow | None


_NONE: Final = Went()
_held: Final = msgspec.json.Decoder(list[Held])
_place: Final = attrgetter("sequence")


def text(values: Iterable[object]) -> str:
    """Values as a parameter."""
    return encode(list(values)).decode()


def gates_of(session: Session, keys: Iterable[str]) -> Mapping[str, GateRow]:
    """These gates, as far as they are; read once in a verb, which lets in at its end."""
    known = session.gates
    missing = [key for key in keys if key not in known]
    if missing:
        known.update((row.key, row) for row in session.document("gates", _gates, keys=text(missing)))
    return known


def look_at(session: Session, touched: Mapping[str, Newest | None], now: int) -> dict[str, Look]:
    """These gates by now, under the rules that the newest jobs bring; of each, who brings it one."""
    known = gates_of(session, touched)
    rated: list[str] = []
    bounded: list[str] = []
    for key, newest in touched.items():
        rule = known[key].gate.rule if key in known else _NOTHING
        brought = rule if newest is None else newest.rule
        if rule.rate is not None or brought.rate is not None:  # it has to know who was claimed
            rated.append(key)
        elif rule.width is not None or brought.width is not None:  # else it lets everybody in
            bounded.append(key)
    crowds = crowds_of(session, bounded, unclaimed=False) | crowds_of(session, rated, unclaimed=True)
    looks: dict[str, Look] = {}
    for key, newest in touched.items():
        row, crowd = known.get(key), crowds.get(key, _NOBODY)
        gate = _FRESH if row is None else row.gate
        if newest is not None:
            gate = gates.offered(gate, newest, crowd, now)
        looks[key] = Look(gates.refilled(gate, now), crowd, row)
    return looks


def crowds_of(session: Session, keys: Sequence[str], *, unclaimed: bool) -> dict[str, Crowd]:
    """Who is behind these gates, and if asked how many of them nobody has claimed yet."""
    rows = session.document("crowds", _crowds, keys=text(keys), asked=unclaimed) if keys else []
    return {key: Crowd(slots, pending) for key, slots, pending in rows}


def first_held(session: Session, rooms: Mapping[str, int], lane: int | None = None) -> dict[str, list[Held]]:
    """Of each gate as many as asked, in the order of their places, if so many stand there; or of one lane."""
    by_room: dict[int, list[str]] = {}
    for key, room in rooms.items():
        if room:
            by_room.setdefault(room, []).append(key)
    name, only = ("first_held", {}) if lane is None else ("lane_held", {"lane": lane})
    found: dict[str, list[Held]] = {}
    for room, keys in by_room.items():
        for row in session.document(name, _held, keys=text(keys), limit=room, **only):
            found.setdefault(row.key, []).append(row)
        if room > 1:
            for key in keys:
                found.get(key, []).sort(key=_place)
    return found


def enter(session: Session, entering: Sequence[Held], now: int) -> None:
    """Give jobs slots, and places in their lanes in this order."""
    if not entering:
        return
    by_lane: dict[int, list[str]] = {}
    for each in entering:
        by_lane.setdefault(each.lane, []).append(each.id)
    ids = {lane: text(group) for lane, group in by_lane.items()}
    for lane, group in by_lane.items():
        session.run("add_slots", ids=ids[lane])
        session.run("admit_held", ids=ids[lane], first=session.arrivals(lane, len(group), now))
        session.run("drop_held", ids=ids[lane])
        session.count(lane, "waiting", -len(group))
        session.count(lane, "pending", len(group))


def put(session: Session, looks: Mapping[str, Look], went: Mapping[str, Went], now: int) -> None:
    """Keep what has become of the gates."""
    rows: list[tuple[object, ...]] = []
    for key, look in looks.items():
        row, gate, passed = look.row, look.gate, went.get(key, _NONE)
        if row is not None and row.gate is gate and row.due is None and gate.rule.rate is None and passed.jobs < MOST:
            continue  # who goes through it leaves no trace in it
        if row is None and not passed.jobs and not passed.more:
            continue  # nobody uses it
        left = gates.left(look, passed, now)
        if row is None or (row.gate, row.due) != left:
            rows.append((key, encode(left[0]).decode(), left[1]))
    session.insert("put_gates", rows)
