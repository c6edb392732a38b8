"""`ferryman jobs tail`: jobs as they change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import click
import msgspec

from ferryman.cli.jobs.filters import filter_of, filter_options
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import CommandClock, session
from ferryman.cli.table import brief, plain
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.errors import JobNotFound
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.http.wire import job_json, write_moment
from ferryman.store.protocol import JobFilter

PERIOD: Final = 1.0
"""Seconds between two looks."""
WINDOW: Final = 1000
"""How many of the newest jobs, of the running ones and of those seen before are looked at each time."""
_STATUS: Final = 11


@click.command()
@filter_options
@store_options
@json_option("Write one JSON object per line, each a job as GET /jobs/ID has it.")
@click.pass_obj
def tail(world: World, /, *, as_json: bool, target: str | None, database_url: str | None, **asked: Any) -> int:
    """Print jobs as they change, until Ctrl-C.

    It looks at the store once a second, at the newest thousand jobs and at those that run, and prints each
    whose status or attempt is another one than at the look before. What happens between two looks is not
    seen: a job that is enqueued and completed within a second is printed once, completed. An older job
    is seen once it runs at the moment of a look.
    """
    here = session(world, target, {"database_url": database_url})
    wanted = msgspec.structs.replace(filter_of(asked, (), here.clock.now()), bodies=as_json)
    try:
        here.run(lambda client: _follow(world, here.clock, client, wanted, as_json=as_json))
    except KeyboardInterrupt:
        return 0
    return 0


async def _follow(world: World, clock: CommandClock, client: Client, wanted: JobFilter, *, as_json: bool) -> None:
    watch = Watch(client, wanted)
    await watch.look(clock.now())
    while True:
        await world.pause(PERIOD)
        now = clock.now()
        for job in await watch.look(now):
            click.echo(job_json(await client.shown(job)).decode() if as_json else _line(job, now))


def _line(job: Job, now: int) -> str:
    told = f"{write_moment(now)[11:19]}  {job.id}  {job.status:<{_STATUS}}{job.attempt}/{job.max_attempts}"
    return f"{told}  {plain(job.type)}  {plain(job.queue)}  {brief(job.error)}".rstrip()


class Watch:
    """Remembers how jobs stood at the last look, and tells which stand otherwise."""

    def __init__(self, client: Client, wanted: JobFilter) -> None:
        self._client = client
        self._wanted = wanted
        self._seen: dict[str, tuple[Status, int]] = {}
        self._looked_at = 0

    async def look(self, now: int) -> list[Job]:
        """The jobs that changed since the last look, by id; at the first look every one that is in view."""
        found = {job.id: job for job in await self._in_view()}
        for id in [id for id, (status, _) in self._seen.items() if id not in found and status not in TERMINAL][:WINDOW]:
            job = await self._get(id)
            if job is not None:
                found[id] = job
        before, self._seen = self._seen, {id: (job.status, job.attempt) for id, job in found.items()}
        since, self._looked_at = self._looked_at, now
        changed = [job for id, job in sorted(found.items()) if before.get(id) != self._seen[id]]
        # where newer jobs were pruned, older ones come into view that ended long ago
        new = [job for job in changed if job.id in before or job.finished_at is None or job.finished_at >= since]
        return [job for job in new if not self._wanted.statuses or job.status in self._wanted.statuses]

    async def _in_view(self) -> Iterable[Job]:
        anything = msgspec.structs.replace(self._wanted, statuses=frozenset(), limit=WINDOW, newest_first=True)
        running = msgspec.structs.replace(anything, statuses=frozenset({Status.PROCESSING}))
        return [*await self._client.list(running), *await self._client.list(anything)]

    async def _get(self, id: str) -> Job | None:
        try:
            return await self._client.get(id)
        except JobNotFound:
            return None
