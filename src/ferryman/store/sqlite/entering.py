"""How jobs go through their gates: a look at who is behind these, then slots, and places in lanes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from ferryman.domain import gates
from ferryman.domain.gates import Crowd, Gate, Newest
from ferryman.store.sqlite.session import Session, encode

Held = tuple[str, int, str, int, int, int, int, int, int]
"""(key, sequence, id, lane, number, attempt, crashes, interruptions, care)"""
_held: Final = msgspec.json.Decoder(list[Held])
_gates: Final = msgspec.json.Decoder(list[tuple[str, Gate, int | None, int]])
_crowds: Final = msgspec.json.Decoder(list[tuple[str, int, int]])


class Look(NamedTuple):
    """A gate as it was, as it is to be looked at, and who is behind it."""

    before: tuple[Gate, int | None] | None
    gate: Gate
    crowd: Crowd

    @property
    def room(self) -> int:
        """How many may go."""
        return gates.room(self.gate, self.crowd)


class Went(NamedTuple):
    """How many went through a gate, and whether others stand before it still."""

    jobs: int
    more: bool


def text(values: Iterable[object]) -> str:
    """Values as a parameter."""
    return encode(list(values)).decode()


def gates_of(session: Session, keys: Iterable[str]) -> dict[str, Gate]:
    """These gates, as far as they are."""
    return {key: gate for key, gate, *_ in session.document("gates", _gates, keys=text(keys))}


def look_at(session: Session, touched: Mapping[str, Newest | None], now: int) -> dict[str, Look]:
    """Those of these gates at which there may be something to do; of each, who brings it a rule."""
    rows = session.document("gates", _gates, keys=text(touched))
    before = {key: (gate, due) for key, gate, due, _ in rows}
    # mostly nobody waits, and then only a gate with a rate has to know who was claimed
    idle = {key for key, gate, due, waits in rows if not waits and due is None and gate.rule.rate is None}
    touched = {key: newest for key, newest in touched.items() if key not in idle}
    fresh = (Gate(), None)
    bounded = [key for key, newest in touched.items() if _is_bounded(before.get(key, fresh)[0], newest)]
    counted = session.document("crowds", _crowds, keys=text(bounded)) if bounded else []
    crowds = {key: Crowd(slots, unclaimed) for key, slots, unclaimed in counted}
    looks: dict[str, Look] = {}
    for key, newest in touched.items():
        crowd = crowds.get(key, Crowd())
        gate = gates.offered(before.get(key, fresh)[0], newest, crowd, now)
        looks[key] = Look(before.get(key), gates.refilled(gate, now), crowd)
    return looks


def _is_bounded(gate: Gate, newest: Newest | None) -> bool:
    """Whether it matters who is behind a gate: not to one that lets everybody in."""
    return any(rule.width is not None or rule.rate is not None for rule in (gate.rule, newest and newest.rule) if rule)


def first_held(session: Session, rooms: Mapping[str, int], lane: int | None = None) -> dict[str, list[Held]]:
    """Of each gate those who may go, and one more if there is one, in the order of their places; or of one lane."""
    by_room: dict[int, list[str]] = {}
    for key, room in rooms.items():
        by_room.setdefault(room, []).append(key)
    name, only = ("first_held", {}) if lane is None else ("lane_held", {"lane": lane})
    found: dict[str, list[Held]] = {}
    for room, keys in by_room.items():
        for row in session.document(name, _held, keys=text(keys), limit=room + 1, **only):
            found.setdefault(row[0], []).append(row)
    for rows in found.values():
        rows.sort(key=itemgetter(1))
    return found


def enter(session: Session, entering: Sequence[Held], now: int) -> None:
    """Give jobs slots, and places in their lanes in this order."""
    if not entering:
        return
    session.run("drop_held", ids=text(row[2] for row in entering))
    session.insert("add_slots", [(row[2], row[0], row[1]) for row in entering])
    by_lane: dict[int, list[Held]] = {}
    for row in entering:
        by_lane.setdefault(row[3], []).append(row)
    for lane, group in by_lane.items():
        first = session.arrivals(lane, len(group), now)
        session.insert("add_ready", [(lane, arrival, row[2], *row[4:]) for arrival, row in enumerate(group, first)])
        session.count(lane, "waiting", -len(group))
        session.count(lane, "pending", len(group))


def put(session: Session, looks: Mapping[str, Look], went: Mapping[str, Went], now: int) -> None:
    """Keep what has become of the gates."""
    rows: list[tuple[object, ...]] = []
    for key, look in looks.items():
        count, more = went.get(key, Went(0, more=False))
        if look.before is None and not count and not more:
            continue  # nobody uses it
        after = gates.entered(look.gate, look.crowd, count)
        due = gates.due(after, look.crowd, count, more, now)
        if look.before != (after, due):
            rows.append((key, encode(after).decode(), due))
    session.insert("put_gates", rows)
