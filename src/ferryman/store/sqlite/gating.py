"""Gates: who stands before them, who has a slot, and who may go. A few statements, however many the keys.

A verb notes in `session.touched` the keys whose gates may have somebody to let in, and lets them in before it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from ferryman.domain.gates import Newest, Went
from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import Finish
from ferryman.domain.state import Status
from ferryman.store.sqlite.entering import enter, first_held, gates_of, look_at, put, text
from ferryman.store.sqlite.session import Session, encode
from ferryman.store.sqlite.shares import join

Carried = tuple[int, int, int, int, int]
"""(number, attempt, crashes, interruptions, care)"""
_places: Final = msgspec.json.Decoder(list[tuple[str, int]])
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


def with_slots(session: Session, jobs: Mapping[str, str]) -> dict[str, int]:
    """Those of these jobs (id -> key) that have slots, and their places."""
    rows = session.document("slots", _places, jobs=encode(jobs).decode())
    return dict(rows)


def rules_of(session: Session, ids: Iterable[str]) -> dict[str, GateRule]:
    """What these jobs say of their gates."""
    rows = session.document("gate_rules", _rules, ids=text(ids))
    return dict(rows)


def leave(session: Session, jobs: Mapping[str, str]) -> None:
    """Jobs (id -> key) are gone for good: their slots are free."""
    session.run("drop_slots", jobs=encode(jobs).decode())
    touch_all(session, jobs.values())


def ended(session: Session, finishes: Sequence[Finish]) -> dict[str, int]:
    """Free the slots of runs that have ended, or keep them; whoever says so touches the gates of their keys.

    Returns who stands before its gate again: id -> place.
    """
    keyed = [(each.id, each.key, each.status) for each in finishes if each.key is not None]
    if not keyed:
        return {}
    known = gates_of(session, {key for _, key, _ in keyed})
    gone: dict[str, str] = {}
    back: dict[str, str] = {}
    failed: dict[str, str] = {}
    for id, key, status in keyed:
        if not known[key].gate.rule.keeps_slot(status):
            gone[id] = key
            if status is Status.PENDING:
                back[id] = key
        elif status is Status.FAILED:
            failed[id] = key
    places = with_slots(session, back) if back else {}
    session.run("drop_slots", jobs=encode(gone).decode())
    if failed:
        mark(session, failed, failed=True)
    return places


def mark(session: Session, jobs: Mapping[str, str], *, failed: bool) -> None:
    """Note of jobs (id -> key) that have slots whether a sequence waits for them."""
    session.run("mark_slots", jobs=encode(jobs).decode(), failed=failed)


# -- letting in ------------------------------------------------------------------------------------


def let_in(session: Session, now: int) -> int:
    """Give slots, and places in their lanes, to those who may go at the gates that were touched.

    Returns how many went, or have come where claims draw from.
    """
    touched, session.touched = session.touched, {}
    looks = look_at(session, touched, now) if touched else {}
    session.gates.clear()
    if not looks:
        return 0
    sharing = {key: look for key, look in looks.items() if look.gate.rule.share is not None}
    rooms = {key: look.room for key, look in looks.items() if key not in sharing}
    # where a rate has a say it has to be known whether others stay behind
    asked = {key: room + (looks[key].gate.rule.rate is not None) for key, room in rooms.items()}
    lines = first_held(session, asked)
    entering = [row for key, line in lines.items() for row in line[: rooms[key]]]
    entering.sort(key=attrgetter("sequence"))
    enter(session, entering, now)
    went = {key: Went(min(len(line), rooms[key]), len(line) >= asked[key]) for key, line in lines.items()}
    joined, shared = join(session, sharing) if sharing else (0, {})
    put(session, looks, went | shared, now)
    return len(entering) + joined
