"""What a forked process does: it runs a real node on the trial's file until nothing is left to do."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from enum import Enum
from functools import partial
from typing import Final, NoReturn

import msgspec

from ferryman.app import Ferryman
from ferryman.client import Client, JobRequest
from ferryman.connecting import client_of
from ferryman.crashing.line import Broken, ChildEnd, Ended
from ferryman.crashing.points import Point, Watch
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.engine.clock import SystemClock
from ferryman.engine.runner import InlineRunner
from ferryman.main import Server
from ferryman.settings import Settings
from ferryman.store.factory import make_store
from ferryman.store.protocol import JobFilter, Retention
from ferryman.supervise.role import Role

_LIVE: Final = frozenset(set(Status) - TERMINAL)
_PAGE: Final = 1000
_DAY: Final = 24 * 3600 * MICROS


class Beginning(Enum):
    """How a process begins."""

    ENQUEUES = "enqueues"
    """It enqueues the tested job."""
    GOES_ON = "goes on"
    """Another one has done so, and is dead."""
    OVERTAKES = "overtakes"
    """Another one has done so, and is frozen."""


class Part(msgspec.Struct, frozen=True):
    """What one process is to play."""

    app: Ferryman
    settings: Settings
    request: JobRequest
    """The tested job; it has its id."""
    beginning: Beginning
    stop_at: Point | None
    """Where its handler stands still."""
    horizon: float
    """Seconds from now; a job that is scheduled for later is left as it is."""


def play(part: Part, line: ChildEnd) -> NoReturn:
    """Play a part in a process that was forked for it, and end the process."""
    for each in ("ferryman.engine", "ferryman.jobs"):  # nodes that die, refused outcomes: all that is meant to be
        logging.getLogger(each).setLevel(logging.CRITICAL)
    handler = part.app.registry.get(part.request.type)
    assert handler is not None
    watch = Watch(handler, part.stop_at, partial(_stand, line))
    part.app.registry.replace(watch.handler())
    part.app.configure(part.settings)
    try:
        jobs = asyncio.new_event_loop().run_until_complete(_play(part))
        [tested] = [job for job in jobs if job.id == part.request.id]
        others = [(job.type, job.payload) for job in jobs if job is not tested]
        line.tell(Ended(tested.status, _why(tested), others, watch.met))
    except Exception as error:
        line.tell(Broken(str(error) or type(error).__name__))
    os._exit(0)


def _stand(line: ChildEnd) -> None:
    if not line.stand():
        os._exit(1)  # whoever would let it go on is gone


async def _play(part: Part) -> list[Job]:
    """Node after node, until one has left nothing: a handler may go on, and enqueue, while its node stops.

    Gives every job that there is.
    """
    until = SystemClock().now() + int(part.horizon * MICROS)
    enqueues = part.beginning is Beginning.ENQUEUES
    if part.beginning is Beginning.OVERTAKES:
        await _rescue(part)
    while True:
        server = Server(part.settings, part.app.registry, Role(http=False), attach=part.app.attach)
        await server.start()
        try:
            if enqueues:
                await server.client.enqueue(part.request)
            while left := _left(await _jobs(server.client, _LIVE), until):
                await server.client.wait(left[0].id)
        finally:
            await server.stop()
        jobs = await _all_jobs(part)
        if not _left(jobs, until):
            return jobs
        enqueues = False


async def _rescue(part: Part) -> None:
    """Take every node for dead that does not beat between two looks, without the patience of a lease."""
    clock = SystemClock()
    kept = Retention(_DAY, _DAY, _DAY)
    ids = IdMinter(random.Random())
    store = make_store(part.settings.database_url, clock=clock, ids=ids, retention=kept, runner=_inline)
    await store.open()
    try:
        for _look in range(2):
            await store.rescue(clock.now(), lease=0.0)
    finally:
        await store.close()


def _inline(_name: str) -> InlineRunner:
    """Nothing else happens meanwhile."""
    return InlineRunner()


async def _all_jobs(part: Part) -> list[Job]:
    """Every job, once no node is there any more; without secrets, as findings show them."""
    client = client_of(part.settings, part.app.registry, SystemClock())
    await client.open()
    try:
        return list(await client.all_shown(await _jobs(client, frozenset())))
    finally:
        await client.close()


async def _jobs(client: Client, statuses: frozenset[Status]) -> list[Job]:
    jobs: list[Job] = []
    after: str | None = None
    while True:
        page = await client.list(JobFilter(statuses=statuses, after=after, limit=_PAGE))
        jobs += page
        if page.next is None:
            return jobs
        after = page.next


def _left(jobs: list[Job], until: int) -> list[Job]:
    """What still has to run, or is due by then."""
    return [job for job in jobs if job.status in _LIVE and (job.run_at is None or job.run_at <= until)]


def _why(job: Job) -> str:
    error = job.error
    return "" if error is None or job.status is Status.COMPLETED else f"{error.code} {error.type}: {error.message}"
