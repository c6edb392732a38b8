"""The schedules of a memory store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.job import NewJob
from ferryman.domain.schedule import Firing, Schedule
from ferryman.domain.state import TERMINAL
from ferryman.store.memory.auditing import Auditing
from ferryman.store.records import Receipt, Verdict
from ferryman.store.scheduling import (
    TICKS_KEPT,
    Fired,
    KeptSchedule,
    Put,
    Tick,
    after_fire,
    after_pause,
    after_put,
    made,
    stands,
    to_store,
)


class Timetable(Auditing):
    """The verbs of `Scheduling`, over the tables; `MemoryStore` adds `fire`."""

    async def put_schedule(
        self, schedule: Schedule, now: int, *, declared: bool = False, deed: Deed | None = None
    ) -> Put:
        """Write the row as it is after the put."""
        rows = self._tables.schedules
        rows[schedule.name], done = after_put(rows.get(schedule.name), schedule, now, declared=declared)
        self._note(deed if done is not Put.UNCHANGED else None)
        return done

    async def undeclare_schedule(self, name: str) -> None:
        """Take the mark off."""
        kept = self._tables.schedules.get(name)
        if kept is not None:
            self._tables.schedules[name] = msgspec.structs.replace(kept, declared=False)

    async def drop_schedule(self, name: str, *, deed: Deed | None = None) -> bool:
        """Delete the row."""
        dropped = self._tables.schedules.pop(name, None) is not None
        self._tables.ticks.pop(name, None)
        self._note(deed if dropped else None)
        return dropped

    async def pause_schedule(self, name: str, paused: bool, now: int, *, deed: Deed | None = None) -> bool:
        """Write the row as it is after the pause."""
        kept = self._tables.schedules.get(name)
        if kept is not None:
            self._tables.schedules[name] = after_pause(kept, paused, now)
            self._note(deed if kept.paused is not paused else None)
        return kept is not None

    async def schedules(self) -> Sequence[KeptSchedule]:
        """Every row."""
        return [kept for _, kept in sorted(self._tables.schedules.items())]

    async def ticks(self, name: str, limit: int) -> Sequence[Tick]:
        """The latest rows."""
        return self._tables.ticks.get(name, [])[::-1][:limit]

    def _fire(self, firing: Firing, admit: Callable[[NewJob], Receipt]) -> Fired | None:
        """Hand in what may be stored, and deal with the ticks."""
        kept = self._tables.schedules.get(firing.name)
        if kept is None or not stands(kept, firing):
            ours = tuple(job.id for job in firing.jobs if job.id in self._tables.jobs)
            return Fired(ours) if ours else None
        jobs = to_store(kept, firing.jobs, lives=self._lives(kept.last_job))
        if jobs is None:
            return Fired(waits=True)
        stored = [job.id for job in jobs if admit(job).verdict is Verdict.INSERTED]
        self._tables.schedules[firing.name] = after_fire(kept, firing, stored)
        before = self._tables.ticks.get(firing.name, [])
        self._tables.ticks[firing.name] = [*before, *made(firing, stored)][-TICKS_KEPT:]
        return Fired(tuple(stored))

    def _lives(self, id: str | None) -> bool:
        """Whether a job has not ended."""
        row = None if id is None else self._tables.jobs.get(id)
        return row is not None and row.status not in TERMINAL
