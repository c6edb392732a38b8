"""What those say who look after queues, said to a server: place jobs anew, purge, retry many, delete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ferryman.client.finding import Counted
from ferryman.client.retrying import Retried
from ferryman.domain import filters, options
from ferryman.domain.errors import BadOption, JobNotFound, PreconditionFailed, WrongState
from ferryman.domain.filters import Field, JobFilter, render
from ferryman.domain.job import Job
from ferryman.http.changes import PurgedJson, RetriedJson
from ferryman.http.remote import reading
from ferryman.http.remote.asking import Ask, Reply, body_of, only
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.options import micros_of
from ferryman.http.remote.paths import of_job
from ferryman.http.remote.problems import error_of
from ferryman.http.remote.reading import moment, read
from ferryman.http.wire import write_moment
from ferryman.store.watching import Version

_JSON: Final = {"content-type": "application/json"}


class Placement(msgspec.Struct, frozen=True):
    """Where a job is to stand, and from when on it may run. None leaves it as it is."""

    queue: str | None = None
    priority: int | None = None
    run_at: int | None = None
    """In microseconds."""
    delay: float | None = None
    """In so many seconds, by the server's clock."""

    def is_met(self, job: Job) -> bool:
        """Whether a job stands so."""
        asked = (self.queue, job.queue), (self.priority, job.priority), (self.run_at, job.run_at)
        return all(wanted is None or wanted == found for wanted, found in asked)


class Controls:
    """As `client.controls`, but for `place_all` and `drain`.

    What changes many jobs is not said again where its answer was lost: it would take in those that came since.
    """

    def __init__(self, connection: Connection, now: Callable[[], int]) -> None:
        """`now` is the time by which a filter's ages are read, in microseconds."""
        self._connection = connection
        self._now = now

    @staticmethod
    def placement(
        *,
        queue: str | None = None,
        priority: int | None = None,
        run_at: int | datetime | None = None,
        delay: float | timedelta | None = None,
    ) -> Placement:
        """What a person asks for. `run_at` is a time with its zone or in microseconds, `delay` in seconds from now.

        Raises:
            BadOption: naming what is wrong; also where nothing is to be changed.
        """
        if delay is not None and run_at is not None:
            raise options.refused("delay", delay, "either delay or run_at, not both")
        if queue is None and priority is None and run_at is None and delay is None:
            raise BadOption("Nothing is to be changed.", hint="Say which queue, priority or time the job is to have.")
        return Placement(
            None if queue is None else options.queue(queue),
            None if priority is None else options.priority(priority),
            None if run_at is None else micros_of("run_at", run_at),
            None if delay is None else options.seconds_of("delay", delay),
        )

    async def place(self, id: str, placement: Placement, *, expected: Version | None = None) -> Job:
        """Give a job that waits another queue, priority or time. Gives the job as it then was.

        An answer that was lost is not asked for again where there is a delay: it would begin anew.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it is neither pending nor scheduled, or has a key.
        """
        said = msgspec.structs.asdict(placement)
        said["run_at"] = None if placement.run_at is None else write_moment(placement.run_at)
        headers = {**_JSON, **only(expected)}
        ask = Ask("PATCH", of_job(id), body_of(said), headers, repeatable=placement.delay is None)
        reply = await self._connection.tell(ask)
        if reply.status == 200:
            return reading.job(reply)
        error = error_of(reply)
        if reply.unsure and isinstance(error, WrongState | PreconditionFailed):
            job = reading.job(await self._connection.say(Ask("GET", of_job(id))))
            if placement.is_met(job):  # by the try whose answer was lost
                return job
        raise error

    async def delete(self, id: str, *, expected: Version | None = None) -> None:
        """Delete a job that has ended, with its attempts, errors and result.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it has not ended, or others have not that were claimed together with it.
        """
        reply = await self._connection.tell(Ask("DELETE", of_job(id), headers=only(expected)))
        if reply.status == 204:
            return
        error = error_of(reply)
        if not (reply.unsure and isinstance(error, JobNotFound)):  # else the try whose answer was lost deleted it
            raise error

    async def purge(self, filter: JobFilter | str) -> int:
        """Cancel every job of one queue that fits and that nobody runs. Returns how many.

        Raises:
            BadFilter: the text cannot be read.
            WrongContent: the filter does not name one queue, or asks for a status in which a job runs or has ended.
        """
        return read(await self._purge(filter, dry_run=False), PurgedJson, lambda found: found.cancelled)

    async def would_purge(self, filter: JobFilter | str) -> Counted:
        """How many jobs `purge` would cancel now. Raises as it does."""
        reply = await self._purge(filter, dry_run=True)
        return read(reply, PurgedJson, lambda found: Counted(found.cancelled, found.complete))

    async def retry_all(self, filter: JobFilter | str, rate: float | str | None = None) -> Retried:
        """Send every failed or cancelled job back that fits, with all its attempts; without a status the failed ones.

        Args:
            filter: which, as docs/filters.md has it.
            rate: so many a second, or a text such as "5/m", become pending; None is all at once.

        Raises:
            WrongContent: the filter says nothing, or asks for another status; or the rate is none.
        """
        return read(await self._retry(filter, rate, dry_run=False), RetriedJson, _retried)

    async def would_retry(self, filter: JobFilter | str) -> Counted:
        """How many jobs `retry_all` would send back now. Raises as it does."""
        reply = await self._retry(filter, None, dry_run=True)
        return read(reply, RetriedJson, lambda found: Counted(found.retried, found.complete))

    async def _purge(self, filter: JobFilter | str, *, dry_run: bool) -> Reply:
        meant = filters.parse(filter, self._now()) if isinstance(filter, str) else filter
        queue = next(iter(sorted(meant.named(Field.QUEUE) or ())), None)
        # to a person who asks, the queue's name said twice is a warning; a program has said what it means
        return await self._say("/jobs/purge", {"filter": _text(filter), "confirm": queue}, dry_run=dry_run)

    async def _retry(self, filter: JobFilter | str, rate: float | str | None, *, dry_run: bool) -> Reply:
        return await self._say("/jobs/retry", {"filter": _text(filter), "rate": rate}, dry_run=dry_run)

    async def _say(self, path: str, members: dict[str, Any], *, dry_run: bool) -> Reply:
        body = body_of({**members, "dry_run": dry_run})
        return await self._connection.say(Ask("POST", path, body, repeatable=dry_run))


def _text(filter: JobFilter | str) -> str:
    return filter if isinstance(filter, str) else render(filter)


def _retried(found: RetriedJson) -> Retried:
    return Retried(found.retried, found.unique_key_taken, moment(found.last_run_at))
