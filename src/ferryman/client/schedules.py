"""What a person may say about schedules: put, look, pause, run now, drop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.client.deeds import Deeds
from ferryman.client.inserter import Inserter
from ferryman.client.intake import Intake
from ferryman.client.known import Asking
from ferryman.client.request import Accepted, JobRequest
from ferryman.domain import options
from ferryman.domain.audit import Action
from ferryman.domain.cron import ALL_MOST, Cron, Missed
from ferryman.domain.errors import BadOption, ScheduleNotFound
from ferryman.domain.job import Job
from ferryman.domain.schedule import Order, Overlap, Schedule, schedule_name
from ferryman.domain.secrets import mask
from ferryman.store.protocol import Clock, Store
from ferryman.store.scheduling import KeptSchedule, Put

_OF_ONE_JOB: Final = ("run_at", "delay", "expires_at", "idempotency_key", "id")
"""What is said of one job, and makes no sense of one after the other."""


RUNS: Final = 50
"""How many jobs of a schedule are shown."""


class ScheduleRequest(msgspec.Struct, frozen=True):
    """A schedule as somebody asks for it. What its job does not say takes what the type declares, once and for all."""

    name: str
    cron: Cron
    job: JobRequest
    missed: Missed = Missed.SKIP
    max_missed: int = ALL_MOST
    overlap: Overlap = Overlap.ALLOW


class Schedules:
    """The verbs; a part of a client. Every error is one of `ferryman.errors`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        types: Asking,
        deeds: Deeds,
        inserter: Inserter,
        intake: Intake,
    ) -> None:
        self._store = store
        self._clock = clock
        self._types = types
        self._deeds = deeds
        self._inserter = inserter
        self._intake = intake

    async def put(self, request: ScheduleRequest, *, by: str | None = None) -> Put:
        """Create a schedule, or change the one of its name. Says what it did.

        Raises:
            BadSchedule: the expression is none, or the time zone.
            EnqueueError: its job would be refused.
        """
        check_of_many(request.job)
        await self._types.expect(request.job.type)
        schedule = Schedule(
            name=request.name,
            cron=request.cron,
            order=msgspec.convert(self._intake.admit(request.job), Order, from_attributes=True),
            missed=request.missed,
            max_missed=request.max_missed,
            overlap=request.overlap,
        )
        schedule.check()
        return await self._deeds.do(
            lambda deed: self._store.put_schedule(schedule, deed.at, deed=deed),
            Action.SCHEDULE_PUT,
            schedule.name,
            by,
            cron=schedule.cron.expression,
            time_zone=schedule.cron.time_zone,
            type=schedule.order.type,
        )

    def now(self) -> int:
        """The store's time, after which the next ticks come; in microseconds."""
        return self._clock.now()

    async def list(self) -> Sequence[KeptSchedule]:
        """Every schedule, by name."""
        return await self._store.schedules()

    async def get(self, name: str) -> KeptSchedule:
        """One schedule. Raises ScheduleNotFound."""
        for kept in await self._store.schedules():
            if kept.name == name:
                return kept
        raise _not_found(name)

    async def shown(self, kept: Sequence[KeptSchedule]) -> Sequence[KeptSchedule]:
        """Schedules as others may see them: what the types of their jobs declare as secret is `***`."""
        secrets = await self._types.secrets({each.schedule.order.type for each in kept})
        return [_without(each, secrets[each.schedule.order.type]) for each in kept]

    async def runs(self, name: str, limit: int = RUNS) -> Sequence[tuple[int, Job]]:
        """The jobs that the latest ticks have made, the newest first, each with its tick. Pruned ones are left out.

        Raises:
            ScheduleNotFound: there is none of this name.
        """
        await self.get(name)
        ticks = await self._store.ticks(name, limit)
        now = self._clock.now()
        jobs = await asyncio.gather(*(self._store.get(tick.job, now) for tick in ticks))
        return [(tick.due_at, job) for tick, job in zip(ticks, jobs, strict=True) if job is not None]

    async def pause(self, name: str, *, by: str | None = None) -> KeptSchedule:
        """Have it fire no more until it is resumed. Raises ScheduleNotFound."""
        return await self._pause(name, Action.SCHEDULE_PAUSE, by, paused=True)

    async def resume(self, name: str, *, by: str | None = None) -> KeptSchedule:
        """Have it fire again, from now on. Raises ScheduleNotFound."""
        return await self._pause(name, Action.SCHEDULE_RESUME, by, paused=False)

    async def _pause(self, name: str, action: Action, by: str | None, *, paused: bool) -> KeptSchedule:
        check_name(name)
        there = await self._deeds.do(
            lambda deed: self._store.pause_schedule(name, paused, deed.at, deed=deed), action, name, by
        )
        if not there:
            raise _not_found(name)
        return await self.get(name)

    async def drop(self, name: str, *, by: str | None = None) -> None:
        """Forget a schedule; the jobs that it made stay. Raises ScheduleNotFound."""
        check_name(name)
        dropped = await self._deeds.do(
            lambda deed: self._store.drop_schedule(name, deed=deed), Action.SCHEDULE_DROP, name, by
        )
        if not dropped:
            raise _not_found(name)

    async def run(self, name: str, *, by: str | None = None) -> Accepted:
        """Hand its job in now, whatever its clock, its pause and its overlap say.

        Raises:
            ScheduleNotFound: there is none of this name.
            EnqueueError: its job was refused.
        """
        order = (await self.get(name)).schedule.order
        request = msgspec.convert(order, JobRequest, from_attributes=True)
        await self._types.expect(request.type)
        new = self._intake.admit(request)
        deed = self._deeds.of(Action.SCHEDULE_RUN, name, by, job=new.id)
        [receipt] = await self._inserter.write([new], deed=deed)
        return await self._intake.accept(request, new, receipt)


def _without(kept: KeptSchedule, secrets: frozenset[str]) -> KeptSchedule:
    schedule = kept.schedule
    if not secrets:
        return kept
    order = msgspec.structs.replace(schedule.order, payload=mask(schedule.order.payload, secrets))
    return msgspec.structs.replace(kept, schedule=msgspec.structs.replace(schedule, order=order))


def check_of_many(job: JobRequest) -> None:
    """Refuse what makes no sense of jobs that are made one after the other. Raises BadOption."""
    for option in _OF_ONE_JOB:
        value = getattr(job, option)
        if value is not None:
            raise options.refused(option, value, "nothing: a schedule says when its jobs are made")


def check_name(name: str) -> None:
    """Do not ask the store for what can be no name. Raises ScheduleNotFound."""
    try:
        schedule_name(name)
    except BadOption:
        raise _not_found(name) from None


def _not_found(name: str) -> ScheduleNotFound:
    return ScheduleNotFound(f"There is no schedule {name[:128]!a}.", hint="`ferryman schedules ls` lists them.")
