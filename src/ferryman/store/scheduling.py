"""Schedules in a store: its verbs for them, and what each of these makes of a row.

A tick fires once over all nodes, whoever acts and whatever the clocks say: a row remembers up to when its ticks are
dealt with, and `fire` moves that on in the very commit that stores the jobs. Of those who say it from one state, the
first wins.

    seen_until ----+--------+--------+----> time
                   tick     tick     now
    fire: seen_until as read -> the last of these ticks, and their jobs
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.job import NewJob
from ferryman.domain.schedule import Firing, Overlap, Schedule


class Put(StrEnum):
    """What a put did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Source(StrEnum):
    """Who says that there is a schedule."""

    PEOPLE = "people"
    CODE = "code"
    FORMER_CODE = "former code"
    """Code did, and does so no more: it goes on until somebody drops it."""


class Fired(msgspec.Struct, frozen=True):
    """The answer to a fire that was first: the ids of the jobs that were stored."""

    jobs: tuple[str, ...] = ()
    waits: bool = False
    """The job before has not ended, and the schedule waits for it: nothing was changed."""


class KeptSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as a store keeps it."""

    schedule: Schedule
    seen_until: int
    """Every tick up to this time is dealt with."""
    declared: bool = False
    """Whether the code that started last and has its type declares it, too."""
    declaration: Schedule | None = None
    """What code declared last; people may have changed it since. None: no code ever did."""
    paused: bool = False
    last_job: str | None = None
    """The job of the last tick that made one."""
    fired: int = 0
    """How many ticks made a job."""
    skipped: int = 0
    """How many made none: the job before was not ended, or another one had the unique key."""
    created_at: int
    changed_at: int
    """When its meaning was changed last; grows with every change."""

    @property
    def name(self) -> str:
        """Under which it is known."""
        return self.schedule.name

    @property
    def source(self) -> Source:
        """Who says that there is one."""
        if self.declared:
            return Source.CODE
        return Source.PEOPLE if self.declaration is None else Source.FORMER_CODE

    @property
    def overridden(self) -> bool:
        """Whether people have changed what the code declares."""
        return self.declaration is not None and self.declaration != self.schedule


TICKS_KEPT: Final = 1000
"""Of how many ticks of a schedule a store remembers the jobs."""


class Tick(msgspec.Struct, frozen=True, array_like=True):
    """A tick that has made a job."""

    job: str
    due_at: int


class Scheduling(Protocol):
    """What a store does for schedules; a part of `Store`."""

    async def put_schedule(
        self, schedule: Schedule, now: int, *, declared: bool = False, deed: Deed | None = None
    ) -> Put:
        """Create a schedule, or change the one of its name.

        A new expression counts from `now` on, and so does another rule for missed ticks. With `declared` it is what
        code says, which changes nothing unless that has changed: what people changed since stays, and so does a pause.
        """
        ...

    async def undeclare_schedule(self, name: str) -> None:
        """Note that no code declares it any more. It goes on."""

    async def drop_schedule(self, name: str, *, deed: Deed | None = None) -> bool:
        """Forget a schedule; its jobs stay. False: there was none."""
        ...

    async def pause_schedule(self, name: str, paused: bool, now: int, *, deed: Deed | None = None) -> bool:
        """Have it fire no more, or again; ticks of a pause are dealt with. False: there is no such schedule."""
        ...

    async def schedules(self) -> Sequence[KeptSchedule]:
        """Every schedule, by name."""
        ...

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        """Store the jobs of due ticks and deal with these, in one commit, as the schedule's overlap allows.

        A job whose unique key is taken is left out. No queue is too full for them. Said again, it changes nothing and
        names the jobs that it stored.

        Returns:
            None, and nothing was changed: others were first, or the schedule is paused, changed or gone.
        """
        ...

    async def ticks(self, name: str, limit: int) -> Sequence[Tick]:
        """The latest ticks of a schedule that have made jobs, the newest first. The jobs may have been pruned since.

        Of each schedule `TICKS_KEPT` are remembered, until it is dropped.
        """
        ...


# -- rows, where a store keeps texts and numbers -----------------------------------------------------

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Schedule).decode
Columns = tuple[str, str, str | None, bool, bool, int, str | None, int, int, int, int]
"""name, spec, declaration, declared, paused, seen_until, last_job, fired, skipped, created_at, changed_at"""


def columns_of(kept: KeptSchedule) -> Columns:
    """A schedule as the columns of its row; `spec` and `declaration` are JSON."""
    return (
        kept.name,
        _encode(kept.schedule).decode(),
        None if kept.declaration is None else _encode(kept.declaration).decode(),
        kept.declared,
        kept.paused,
        kept.seen_until,
        kept.last_job,
        kept.fired,
        kept.skipped,
        kept.created_at,
        kept.changed_at,
    )


def kept_of(row: Sequence[Any]) -> KeptSchedule:
    """The schedule of a row."""
    _, spec, declaration, declared, paused, seen_until, last_job, fired, skipped, created_at, changed_at = row
    return KeptSchedule(
        schedule=_decode(spec),
        declaration=None if declaration is None else _decode(declaration),
        declared=bool(declared),
        paused=bool(paused),
        seen_until=seen_until,
        last_job=last_job,
        fired=fired,
        skipped=skipped,
        created_at=created_at,
        changed_at=changed_at,
    )


# -- what the verbs make of a row --------------------------------------------------------------------


def after_put(kept: KeptSchedule | None, schedule: Schedule, now: int, *, declared: bool) -> tuple[KeptSchedule, Put]:
    """The row after a put, and what that did."""
    said = schedule if declared else None
    if kept is None:
        new = KeptSchedule(
            schedule=schedule, seen_until=now, declared=declared, declaration=said, created_at=now, changed_at=now
        )
        return new, Put.CREATED
    if declared and kept.declaration == schedule:
        return msgspec.structs.replace(kept, declared=True), Put.UNCHANGED
    if declared:
        kept = msgspec.structs.replace(kept, declared=True, declaration=said)
    if kept.schedule == schedule:
        return kept, Put.UNCHANGED
    return _changed(kept, schedule, now), Put.CHANGED


def _changed(kept: KeptSchedule, schedule: Schedule, now: int) -> KeptSchedule:
    """The row with another schedule. What it did until now is over, where that concerns its ticks."""
    seen, before = kept.seen_until, kept.schedule
    if (before.cron, before.missed, before.max_missed) != (schedule.cron, schedule.missed, schedule.max_missed):
        seen = max(seen, now)
    changed_at = max(now, kept.changed_at + 1)
    return msgspec.structs.replace(kept, schedule=schedule, seen_until=seen, changed_at=changed_at)


def after_pause(kept: KeptSchedule, paused: bool, now: int) -> KeptSchedule:
    """The row after a pause or a resume."""
    if kept.paused == paused:
        return kept
    return msgspec.structs.replace(kept, paused=paused, seen_until=max(kept.seen_until, now))


def stands(kept: KeptSchedule, firing: Firing) -> bool:
    """Whether the schedule is as it was when the firing was made."""
    return not kept.paused and (kept.seen_until, kept.changed_at) == (firing.seen, firing.changed_at)


def to_store(kept: KeptSchedule, jobs: Sequence[NewJob], *, lives: bool) -> Sequence[NewJob] | None:
    """Which of the jobs may be stored, while the last one `lives` or does not; None: they wait."""
    if kept.schedule.overlap is Overlap.ALLOW:
        return jobs
    if not lives:
        return jobs[:1]
    return None if kept.schedule.overlap is Overlap.WAIT else ()


def made(firing: Firing, stored: Sequence[str]) -> list[Tick]:
    """The ticks of those jobs of a firing that were stored."""
    return [Tick(job.id, job.run_at or firing.until) for job in firing.jobs if job.id in stored]


def after_fire(kept: KeptSchedule, firing: Firing, stored: Sequence[str]) -> KeptSchedule:
    """The row after a firing of which these jobs were stored."""
    return msgspec.structs.replace(
        kept,
        seen_until=firing.until,
        last_job=stored[-1] if stored else kept.last_job,
        fired=kept.fired + len(stored),
        skipped=kept.skipped + len(firing.jobs) - len(stored),
    )
