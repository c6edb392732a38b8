"""The schedules of a database, and the firing of their ticks. What changes one is driven in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.errors import StoreBusy
from ferryman.domain.schedule import Firing, Schedule
from ferryman.domain.state import TERMINAL
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.inserting import insert_judged
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.people import standing
from ferryman.store.postgres.steps import Ask, Steps
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

LOOKS: Final = 10
"""How often a schedule may come and go between our look and our grasp before we give up."""


def schedules() -> Steps[list[KeptSchedule]]:
    """Every schedule, by name."""
    return [kept_of(row) for row in (yield Ask("schedules"))]


def put(schedule: Schedule, now: int, *, declared: bool, deed: Deed | None = None) -> Steps[Put]:
    """Write the row as it is after a put. Of two who create it the second one finds it."""
    for _ in range(LOOKS):
        kept = yield from _locked(schedule.name)
        after, done = after_put(kept, schedule, now, declared=declared)
        if kept is not None:
            yield from _write(kept, after)
        elif not (yield Ask("add_schedule", columns_of(after))):
            continue
        yield from note(deed if done is not Put.UNCHANGED else None)
        return done
    raise StoreBusy(f"The schedule {schedule.name} came and went while it was to be changed.", hint="Try again.")


def undeclare(name: str) -> Steps[bool]:
    """Take the mark off."""
    return (yield from _change(name, lambda kept: msgspec.structs.replace(kept, declared=False)))


def pause(name: str, paused: bool, now: int, deed: Deed | None) -> Steps[bool]:
    """Write the row as it is after a pause or a resume. False: there is none."""
    return (yield from _change(name, lambda kept: after_pause(kept, paused, now), deed))


def drop(name: str, deed: Deed | None) -> Steps[bool]:
    """Delete the row. False: there is none."""
    dropped = bool((yield Ask("drop_schedule", (name,))))
    yield Ask("drop_ticks", (name,))
    yield from note(deed if dropped else None)
    return dropped


def ticks(name: str, limit: int) -> Steps[list[Tick]]:
    """The latest that have made jobs."""
    return [Tick(*row) for row in (yield Ask("ticks", (name, limit)))]


def fire(lanes: Lanes, firing: Firing, now: int) -> Steps[Fired | None]:
    """Store what may be stored of the jobs, and deal with the ticks. Nodes that fire one schedule take turns."""
    kept = yield from _locked(firing.name)
    if kept is None or not stands(kept, firing):
        ids = [job.id for job in firing.jobs]
        known = {row[0] for row in (yield Ask("existing_jobs", (ids,)))}
        return Fired(tuple(id for id in ids if id in known)) if known else None
    jobs = to_store(kept, firing.jobs, lives=(yield from _lives(kept)))
    if jobs is None:
        return Fired(waits=True)
    receipts = (yield from insert_judged(lanes, jobs, now, 0)) if jobs else []
    stored = [receipt.id for receipt in receipts if receipt.verdict is Verdict.INSERTED]
    yield from _write(kept, after_fire(kept, firing, stored))
    if stored:
        told = made(firing, stored)
        yield Ask("add_ticks", (kept.name, [tick.due_at for tick in told], [tick.job for tick in told]))
        yield Ask("prune_ticks", (kept.name, TICKS_KEPT))
    return Fired(tuple(stored))


def _lives(kept: KeptSchedule) -> Steps[bool]:
    """Whether the schedule's last job has not ended."""
    job = None if kept.last_job is None else (yield from standing(kept.last_job))
    return job is not None and job.status not in TERMINAL


def _locked(name: str) -> Steps[KeptSchedule | None]:
    """A schedule, which nobody else changes until the commit."""
    rows = yield Ask("lock_schedule", (name,))
    return kept_of(rows[0]) if rows else None


def _change(name: str, change: Callable[[KeptSchedule], KeptSchedule], deed: Deed | None = None) -> Steps[bool]:
    kept = yield from _locked(name)
    if kept is not None:
        after = change(kept)
        yield from _write(kept, after)
        yield from note(deed if after != kept else None)
    return kept is not None


def _write(before: KeptSchedule, after: KeptSchedule) -> Steps[None]:
    if after != before:
        yield Ask("change_schedule", columns_of(after))
