"""Jobs by the clock, said to a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, Unpack

import msgspec

from ferryman.client.schedules import RUNS, ScheduleRequest, check_name, check_of_many
from ferryman.domain import options
from ferryman.domain.cron import ALL_MOST, Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.errors import ScheduleNotFound
from ferryman.domain.job import Job
from ferryman.domain.schedule import Order, Overlap, Schedule, schedule_name
from ferryman.http.remote import reading
from ferryman.http.remote.asking import Ask, body_of
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.options import CallLike, request_of
from ferryman.http.remote.paths import asked, path_of
from ferryman.http.remote.problems import error_of
from ferryman.http.remote.reading import certain, read
from ferryman.http.schedule_wire import ScheduleJson, ScheduleRunJson
from ferryman.store.scheduling import Source

_OF_JOB: Final = frozenset({"queue", "priority", "max_attempts", "timeout", "unique_key", "tags"})


class ScheduleOptions(TypedDict, total=False):
    """The members of PUT /schedules/{name}; what is left out is Ferryman's default, or as the type declares it."""

    time_zone: str
    """Whose wall clock, such as Europe/Berlin; UTC by default."""
    ambiguous: Literal["first", "both"]
    nonexistent: Literal["shift", "skip"]
    missed: Literal["skip", "once", "all"]
    max_missed: int
    overlap: Literal["allow", "skip", "wait"]
    queue: str
    priority: int
    max_attempts: int
    timeout: float
    """Seconds that a run may take."""
    unique_key: str
    tags: Sequence[str]


class ToldSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as a server tells it: what a `KeptSchedule` has that others may see, and when it fires next."""

    schedule: Schedule
    paused: bool
    source: Source
    overridden: bool
    """Whether people have changed what the code declares."""
    in_words: str | None
    """None where the server's machine cannot read the expression."""
    next_runs: tuple[int, ...]
    """In microseconds."""
    last_job: str | None
    fired: int
    skipped: int
    created_at: int
    changed_at: int

    @property
    def name(self) -> str:
        """Under which it is known."""
        return self.schedule.name


class Schedules:
    """As `client.schedules`. Each verb but `run` can be said any number of times."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, request: ScheduleRequest) -> ToldSchedule:
        """Create a schedule, or change the one of its name. Gives it as it is now.

        Raises:
            BadOption: its name is none, or it says when its jobs are made.
            BadSchedule: the expression is none, or the time zone.
            EnqueueError, WrongContent: its job would be refused.
        """
        check_of_many(request.job)
        path = path_of("schedules", schedule_name(request.name))
        return read(await self._connection.say(Ask("PUT", path, _body(request))), ScheduleJson, _told)

    async def list(self) -> Sequence[ToldSchedule]:
        """Every schedule, by name."""
        reply = await self._connection.say(Ask("GET", "/schedules"))
        return read(reply, tuple[ScheduleJson, ...], lambda found: tuple(map(_told, found)))

    async def get(self, name: str) -> ToldSchedule:
        """One schedule. Raises ScheduleNotFound."""
        return await self._say("GET", name)

    async def runs(self, name: str, limit: int = RUNS) -> Sequence[ScheduleRunJson]:
        """The jobs that its latest ticks have made, the newest first. Raises ScheduleNotFound, BadParameter."""
        reply = await self._connection.say(Ask("GET", asked(_path(name, "runs"), [("limit", limit)])))
        return read(reply, tuple[ScheduleRunJson, ...], lambda found: found)

    async def pause(self, name: str) -> ToldSchedule:
        """Have it fire no more until it is resumed. Raises ScheduleNotFound."""
        return await self._say("POST", name, "pause")

    async def resume(self, name: str) -> ToldSchedule:
        """Have it fire again, from now on. Raises ScheduleNotFound."""
        return await self._say("POST", name, "resume")

    async def drop(self, name: str) -> None:
        """Forget a schedule; the jobs that it made stay. Raises ScheduleNotFound."""
        reply = await self._connection.tell(Ask("DELETE", _path(name)))
        if reply.status == 204:
            return
        error = error_of(reply)
        if not (reply.unsure and isinstance(error, ScheduleNotFound)):  # else the try whose answer was lost dropped it
            raise error

    async def run(self, name: str) -> Job:
        """Hand its job in now, whatever its clock, its pause and its overlap say. Gives the job.

        An answer that was lost is not asked for again: there would be another job.

        Raises:
            ScheduleNotFound: there is none of this name.
            EnqueueError: its job was refused.
        """
        return reading.job(await self._connection.say(Ask("POST", _path(name, "run"), repeatable=False)))

    async def _say(self, method: str, name: str, *below: str) -> ToldSchedule:
        return read(await self._connection.say(Ask(method, _path(name, *below))), ScheduleJson, _told)


def schedule_of(
    name: str,
    cron: str,
    what: CallLike[Any] | str,
    payload: Mapping[str, Any] | None = None,
    **given: Unpack[ScheduleOptions],
) -> ScheduleRequest:
    """The request for a schedule of a call, or of a type by its name with a payload.

    Raises:
        BadOption: the type's name or a rule is not allowed; the server judges the other options.
        NotSerialisable, BadNumber, BadText, TooDeep: the payload is not JSON.
    """
    of_job: dict[str, Any] = {name: value for name, value in given.items() if name in _OF_JOB}
    return ScheduleRequest(
        name=name,
        cron=Cron(
            cron,
            given.get("time_zone", "UTC"),
            options.one_of("ambiguous", given.get("ambiguous", Ambiguous.FIRST), Ambiguous),
            options.one_of("nonexistent", given.get("nonexistent", Nonexistent.SHIFT), Nonexistent),
        ),
        job=request_of(what, payload, **of_job),
        missed=options.one_of("missed", given.get("missed", Missed.SKIP), Missed),
        max_missed=given.get("max_missed", ALL_MOST),
        overlap=options.one_of("overlap", given.get("overlap", Overlap.ALLOW), Overlap),
    )


def _path(name: str, *below: str) -> str:
    check_name(name)
    return path_of("schedules", name, *below)


def _body(request: ScheduleRequest) -> bytes:
    cron, job = request.cron, request.job
    return body_of(
        {
            "cron": cron.expression,
            "time_zone": cron.time_zone,
            "ambiguous": cron.ambiguous,
            "nonexistent": cron.nonexistent,
            "missed": request.missed,
            "max_missed": request.max_missed,
            "overlap": request.overlap,
            "type": job.type,
            "payload": msgspec.Raw(job.payload.encode()),
            "queue": job.queue,
            "priority": job.priority,
            "max_attempts": job.max_attempts,
            "timeout": job.timeout,
            "unique_key": job.unique_key,
            "tags": job.tags or None,
        }
    )


def _told(found: ScheduleJson) -> ToldSchedule:
    order = Order(
        type=found.type,
        payload=bytes(found.payload).decode(),
        queue=found.queue,
        priority=found.priority,
        max_attempts=found.max_attempts,
        timeout=found.timeout,
        unique_key=found.unique_key,
        tags=found.tags,
    )
    return ToldSchedule(
        schedule=Schedule(
            name=found.name,
            cron=Cron(found.cron, found.time_zone, found.ambiguous, found.nonexistent),
            order=order,
            missed=found.missed,
            max_missed=found.max_missed,
            overlap=found.overlap,
        ),
        paused=found.paused,
        source=found.source,
        overridden=found.overridden,
        in_words=found.in_words,
        next_runs=tuple(map(certain, found.next_runs)),
        last_job=found.last_job,
        fired=found.fired,
        skipped=found.skipped,
        created_at=certain(found.created_at),
        changed_at=certain(found.changed_at),
    )
