"""Gates: who stands before them, who has a slot, and who may go. A few statements, however many the keys.

A verb notes in `session.touched` the keys whose gates may have somebody to let in, and lets them in before it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from ferryman.domain import gates
from ferryman.domain.gates import Crowd, Gate, Newest
from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import Finish
from ferryman.domain.state import Status
from ferryman.store.sqlite.session import Session, encode

Held = tuple[str, int, str, int, int, int, int, int, int]
"""(key, sequence, id, lane, number, attempt, crashes, interruptions, care)"""
Carried = tuple[int, int, int, int, int]
"""(number, attempt, crashes, interruptions, care)"""
_held: Final = msgspec.json.Decoder(list[Held])
_gates: Final = msgspec.json.Decoder(list[tuple[str, Gate, int | None, int]])
_crowds: Final = msgspec.json.Decoder(list[tuple[str, int, int]])
slot_rows: Final = msgspec.json.Decoder(list[tuple[str, str, int]])
_rules: Final = msgspec.json.Decoder(list[tuple[str, GateRule]])


class Standing(NamedTuple):
    """A job that comes to stand before its gate."""

    key: str
    id: str
    lane: int
    carried: Carried
    rule: GateRule | None = None
    """What it brings along."""
    place: int | None = None
    """The place that it had."""


def text(values: Iterable[object]) -> str:
    """Values as a parameter."""
    return encode(list(values)).decode()


def stored_rule(job: NewJob) -> str | None:
    """What a job says of its gate, as its row has it."""
    return None if job.gate is None else encode(job.gate).decode()


# -- jobs come and go ------------------------------------------------------------------------------


def stand(session: Session, jobs: Sequence[Standing]) -> None:
    """Jobs come to stand before their gates, behind all others unless they had places."""
    if not jobs:
        return
    session.run("take_places", count=len(jobs))
    last = session.one("last_place")
    assert last is not None
    first = last[0] - len(jobs) + 1
    session.insert(
        "add_held",
        [
            (job.key, place if job.place is None else job.place, job.id, job.lane, *job.carried)
            for place, job in enumerate(jobs, first)
        ],
    )
    for job in jobs:
        touch(session, job.key, None if job.rule is None else Newest(job.id, job.rule))
        session.count(job.lane, "waiting")


def touch(session: Session, key: str, newest: Newest | None = None) -> None:
    """Somebody may be let in; the newest job brings the rule."""
    before = session.touched.get(key)
    session.touched[key] = before if newest is None or (before is not None and before.id > newest.id) else newest


def touch_all(session: Session, keys: Iterable[str]) -> None:
    """Somebody may be let in at these gates."""
    for key in keys:
        touch(session, key)


def with_slots(session: Session, ids: Iterable[str]) -> dict[str, int]:
    """Those of these jobs that have slots, and their places."""
    return {id: place for id, _, place in session.document("slots", slot_rows, ids=text(ids))}


def rules_of(session: Session, ids: Iterable[str]) -> dict[str, GateRule]:
    """What these jobs say of their gates."""
    rows = session.document("gate_rules", _rules, ids=text(ids))
    return dict(rows)


def leave(session: Session, jobs: Mapping[str, str]) -> None:
    """Jobs (id -> key) are gone for good: their slots are free."""
    session.run("drop_slots", ids=text(jobs))
    for key in jobs.values():
        touch(session, key)


def ended(session: Session, finishes: Sequence[Finish]) -> dict[str, int]:
    """Free the slots of runs that have ended, or keep them. Returns who stands before its gate again: id -> place."""
    keys = {each.id: each.key for each in finishes if each.key is not None}
    if not keys:
        return {}
    rules = {key: gate.rule for key, gate, *_ in session.document("gates", _gates, keys=text(set(keys.values())))}
    places = with_slots(session, keys)
    back: dict[str, int] = {}
    gone: list[str] = []
    failed: list[str] = []
    for each in finishes:
        if each.key is None:
            continue
        touch(session, each.key)
        if not rules[each.key].keeps_slot(each.status):
            gone.append(each.id)
            if each.status is Status.PENDING:
                back[each.id] = places[each.id]
        elif each.status is Status.FAILED:
            failed.append(each.id)
    session.run("drop_slots", ids=text(gone))
    if failed:
        session.run("mark_slots", ids=text(failed), failed=True)
    return back


# -- letting in ------------------------------------------------------------------------------------


class _Look(NamedTuple):
    """A gate as it was, as it is to be looked at, and who is behind it."""

    before: tuple[Gate, int | None] | None
    gate: Gate
    crowd: Crowd

    @property
    def room(self) -> int:
        return gates.room(self.gate, self.crowd)


def let_in(session: Session, now: int) -> int:
    """Give slots, and places in their lanes, to those who may go at the gates that were touched. Returns how many."""
    if not session.touched:
        return 0
    touched, session.touched = session.touched, {}
    looks = _look(session, touched, now)
    waiting = _waiting(session, looks)
    entering = [each for key, look in looks.items() for each in waiting.get(key, [])[: look.room]]
    entering.sort(key=itemgetter(1))
    _enter(session, entering, now)
    _put(session, looks, waiting, now)
    return len(entering)


def _look(session: Session, touched: Mapping[str, Newest | None], now: int) -> dict[str, _Look]:
    rows = session.document("gates", _gates, keys=text(touched))
    before = {key: (gate, due) for key, gate, due, _ in rows}
    # mostly nobody waits, and then only a gate with a rate has to know who was claimed
    idle = {key for key, gate, due, waits in rows if not waits and due is None and gate.rule.rate is None}
    touched = {key: newest for key, newest in touched.items() if key not in idle}
    fresh = (Gate(), None)
    bounded = [key for key, newest in touched.items() if _is_bounded(before.get(key, fresh)[0], newest)]
    counted = session.document("crowds", _crowds, keys=text(bounded)) if bounded else []
    crowds = {key: Crowd(slots, unclaimed) for key, slots, unclaimed in counted}
    looks: dict[str, _Look] = {}
    for key, newest in touched.items():
        crowd = crowds.get(key, Crowd())
        gate = gates.offered(before.get(key, fresh)[0], newest, crowd, now)
        looks[key] = _Look(before.get(key), gates.refilled(gate, now), crowd)
    return looks


def _is_bounded(gate: Gate, newest: Newest | None) -> bool:
    """Whether it matters who is behind a gate: not to one that lets everybody in."""
    return any(rule.width is not None or rule.rate is not None for rule in (gate.rule, newest and newest.rule) if rule)


def _waiting(session: Session, looks: Mapping[str, _Look]) -> dict[str, list[Held]]:
    """Of each gate those who may go, and one more if there is one, in the order of their places."""
    by_room: dict[int, list[str]] = {}
    for key, look in looks.items():
        by_room.setdefault(look.room, []).append(key)
    found: dict[str, list[Held]] = {}
    for room, keys in by_room.items():
        for row in session.document("first_held", _held, keys=text(keys), limit=room + 1):
            found.setdefault(row[0], []).append(row)
    for rows in found.values():
        rows.sort(key=itemgetter(1))
    return found


def _enter(session: Session, entering: Sequence[Held], now: int) -> None:
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


def _put(session: Session, looks: Mapping[str, _Look], waiting: Mapping[str, list[Held]], now: int) -> None:
    rows: list[tuple[object, ...]] = []
    for key, look in looks.items():
        here = len(waiting.get(key, ()))
        if look.before is None and not here:
            continue  # nobody uses it
        count = min(here, look.room)
        after = gates.entered(look.gate, look.crowd, count)
        due = gates.due(after, look.crowd, count, here > count, now)
        if look.before != (after, due):
            rows.append((key, encode(after).decode(), due))
    session.insert("put_gates", rows)
