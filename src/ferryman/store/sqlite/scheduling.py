"""The schedules of a file, and the firing of their ticks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.schedule import Firing, Schedule
from ferryman.domain.state import TERMINAL
from ferryman.store.protocol import Verdict
from ferryman.store.scheduling import (
    TICKS_KEPT,
    Fired,
    KeptSchedule,
    Put,
    Tick,
    after_fire,
    after_pause,
    after_put,
    columns_of,
    kept_of,
    made,
    stands,
    to_store,
)
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.inserting import insert
from ferryman.store.sqlite.people import standing
from ferryman.store.sqlite.session import Session, encode

_rows: Final = msgspec.json.Decoder(list[list[Any]])
_ticks: Final = msgspec.json.Decoder(list[Tick])
_ids: Final = msgspec.json.Decoder(list[str])


def schedules(session: Session, name: str | None = None) -> list[KeptSchedule]:
    """Every schedule, or the one of a name."""
    return [kept_of(row) for row in session.document("schedules", _rows, which=name)]


def put(session: Session, schedule: Schedule, now: int, *, declared: bool, deed: Deed | None) -> Put:
    """Write the row as it is after a put."""
    kept = next(iter(schedules(session, schedule.name)), None)
    after, done = after_put(kept, schedule, now, declared=declared)
    if after != kept:
        _write(session, after)
    note(session, deed if done is not Put.UNCHANGED else None)
    return done


def undeclare(session: Session, name: str) -> None:
    """Take the mark off."""
    _change(session, name, lambda kept: msgspec.structs.replace(kept, declared=False))


def pause(session: Session, name: str, paused: bool, now: int, deed: Deed | None) -> bool:
    """Write the row as it is after a pause or a resume. False: there is none."""
    return _change(session, name, lambda kept: after_pause(kept, paused, now), deed)


def drop(session: Session, name: str, deed: Deed | None) -> bool:
    """Delete the row. False: there is none."""
    dropped = session.run("drop_schedule", which=name) > 0
    session.run("drop_ticks", which=name)
    note(session, deed if dropped else None)
    return dropped


def ticks(session: Session, name: str, limit: int) -> list[Tick]:
    """The latest that have made jobs."""
    return session.document("ticks", _ticks, which=name, limit=limit)


def fire(session: Session, firing: Firing, now: int) -> Fired | None:
    """Store what may be stored of the jobs, and deal with the ticks."""
    kept = next(iter(schedules(session, firing.name)), None)
    if kept is None or not stands(kept, firing):
        ids = [job.id for job in firing.jobs]
        known = session.document("existing_jobs", _ids, ids=encode(ids).decode())
        return Fired(tuple(id for id in ids if id in known)) if known else None
    jobs = to_store(kept, firing.jobs, lives=_lives(session, kept.last_job))
    if jobs is None:
        return Fired(waits=True)
    receipts = insert(session, jobs, now, None, 0).receipts if jobs else []
    stored = [receipt.id for receipt in receipts if receipt.verdict is Verdict.INSERTED]
    _write(session, after_fire(kept, firing, stored))
    session.insert("add_ticks", [(kept.name, tick.due_at, tick.job) for tick in made(firing, stored)])
    session.run("prune_ticks", which=kept.name, kept=TICKS_KEPT)
    return Fired(tuple(stored))


def _lives(session: Session, id: str | None) -> bool:
    """Whether a job has not ended."""
    job = None if id is None else standing(session, id)
    return job is not None and job.status not in TERMINAL


def _change(
    session: Session, name: str, change: Callable[[KeptSchedule], KeptSchedule], deed: Deed | None = None
) -> bool:
    for kept in schedules(session, name):
        after = change(kept)
        if after != kept:
            _write(session, after)
            note(session, deed)
        return True
    return False


def _write(session: Session, kept: KeptSchedule) -> None:
    session.insert("put_schedule", [columns_of(kept)])
