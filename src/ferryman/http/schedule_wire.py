"""Schedules on the wire: the body of PUT /schedules/{name}, and a schedule as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.client import JobRequest
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain import options
from ferryman.domain.cron import Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.errors import BadSchedule
from ferryman.domain.job import Job
from ferryman.domain.schedule import MISSED_MOST, Overlap
from ferryman.domain.state import Status
from ferryman.http import wire
from ferryman.store.scheduling import KeptSchedule, Source

NEXT: Final = 5
"""How many of the next runs are told."""
_CRON: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "cron": partial(options.text, "cron"),
        "time_zone": partial(options.text, "time_zone"),
        "ambiguous": partial(options.one_of, "ambiguous", kind=Ambiguous),
        "nonexistent": partial(options.one_of, "nonexistent", kind=Nonexistent),
    }
)
_RULES: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "missed": partial(options.one_of, "missed", kind=Missed),
        "max_missed": partial(options.whole, "max_missed", most=MISSED_MOST),
        "overlap": partial(options.one_of, "overlap", kind=Overlap),
    }
)
MEMBERS: Final = MappingProxyType({**_CRON, **_RULES, **wire.OF_EVERY_JOB})
"""What may be said of a schedule, and what checks it."""
_NEEDED: Final = MappingProxyType(
    {
        "cron": "The cron expression is missing: it says when the jobs are made.",
        "type": "The type is missing: it says which handler runs the jobs.",
    }
)


class ScheduleRunJson(msgspec.Struct, frozen=True):
    """A job that a tick has made, every field always present."""

    id: str
    due_at: wire.Moment
    """The tick."""
    created_at: wire.Moment
    status: Status
    started_at: wire.Moment | None
    finished_at: wire.Moment | None


class ScheduleJson(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule, every field always present."""

    name: str
    cron: str
    time_zone: str
    ambiguous: Ambiguous
    nonexistent: Nonexistent
    missed: Missed
    max_missed: int
    overlap: Overlap
    type: str
    payload: wire.Object
    queue: str
    priority: int
    max_attempts: int
    timeout: float | None
    unique_key: str | None
    tags: tuple[str, ...]
    paused: bool
    source: Source
    overridden: bool
    in_words: str | None
    """None where this machine cannot read the expression."""
    next_runs: list[wire.Moment]
    last_job: str | None
    fired: int
    skipped: int
    created_at: wire.Moment
    changed_at: wire.Moment


def read_schedule(name: str, body: bytes) -> ScheduleRequest:
    """The schedule that a body asks for.

    Raises:
        WrongContent: naming every member that is wrong, with its pointer.
        MalformedJson, DuplicateMember, BadNumber, BadText, TooDeep: the body is not strict JSON.
    """
    asked = wire.described(body, MEMBERS, _NEEDED, "a schedule")
    cron = {name: value for name, value in asked.items() if name in _CRON}
    return ScheduleRequest(
        name=name,
        cron=Cron(cron.pop("cron"), **cron),
        job=JobRequest(**{name: value for name, value in asked.items() if name in wire.OF_EVERY_JOB}),
        **{name: value for name, value in asked.items() if name in _RULES},
    )


def schedule_json(kept: KeptSchedule, now: int) -> bytes:
    """A schedule as JSON."""
    return msgspec.json.encode(_form(kept, now))


def schedules_json(kept: Sequence[KeptSchedule], now: int) -> bytes:
    """Schedules as a JSON array."""
    return msgspec.json.encode([_form(each, now) for each in kept])


def next_runs(kept: KeptSchedule, now: int, count: int = NEXT) -> list[int]:
    """Its next ticks; none while it is paused, or where its expression cannot be read on this machine."""
    try:
        return [] if kept.paused else list(islice(kept.schedule.cron.ticks(max(now, kept.seen_until)), count))
    except BadSchedule:
        return []


def in_words(kept: KeptSchedule) -> str | None:
    """Its expression as people say it; None where that cannot be read."""
    try:
        return kept.schedule.cron.in_words()
    except BadSchedule:
        return None


def _form(kept: KeptSchedule, now: int) -> ScheduleJson:
    schedule = kept.schedule
    cron, order = schedule.cron, schedule.order
    return ScheduleJson(
        name=kept.name,
        cron=cron.expression,
        time_zone=cron.time_zone,
        ambiguous=cron.ambiguous,
        nonexistent=cron.nonexistent,
        missed=schedule.missed,
        max_missed=schedule.max_missed,
        overlap=schedule.overlap,
        type=order.type,
        payload=msgspec.Raw(order.payload.encode()),
        queue=order.queue,
        priority=order.priority,
        max_attempts=order.max_attempts,
        timeout=order.timeout,
        unique_key=order.unique_key,
        tags=order.tags,
        paused=kept.paused,
        source=kept.source,
        overridden=kept.overridden,
        in_words=in_words(kept),
        next_runs=[wire.write_moment(at) for at in next_runs(kept, now)],
        last_job=kept.last_job,
        fired=kept.fired,
        skipped=kept.skipped,
        created_at=wire.write_moment(kept.created_at),
        changed_at=wire.write_moment(kept.changed_at),
    )


def runs_json(runs: Sequence[tuple[int, Job]]) -> bytes:
    """Jobs with their ticks as a JSON array."""
    return msgspec.json.encode([_run_of(due_at, job) for due_at, job in runs])


def _run_of(due_at: int, job: Job) -> ScheduleRunJson:
    return ScheduleRunJson(
        job.id,
        wire.write_moment(due_at),
        wire.write_moment(job.created_at),
        job.status,
        None if job.started_at is None else wire.write_moment(job.started_at),
        None if job.finished_at is None else wire.write_moment(job.finished_at),
    )
