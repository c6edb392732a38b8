"""What callers get to see who are limited: of queues, theirs alone; without the right to read, what they said."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from ferryman.client import Accepted, Client
from ferryman.client.request import check_standing, no_such_job
from ferryman.domain.access import Caller, Right
from ferryman.domain.errors import JobNotFound, QueueForbidden
from ferryman.domain.filters import Field, JobFilter
from ferryman.domain.job import Job
from ferryman.http.exchange import Request


def check_queue(caller: Caller, queue: str) -> str:
    """The queue, if it is any of the caller's business. Raises QueueForbidden."""
    if not caller.knows(queue):
        raise QueueForbidden(f"The API key {caller.name} is not for the queue {queue}.")
    return queue


def own_queues(caller: Caller, asked: frozenset[str]) -> frozenset[str] | None:
    """The queues that are asked for, or else all that are the caller's business; None is any.

    Raises:
        QueueForbidden: it asks for another one.
    """
    for queue in sorted(asked):
        check_queue(caller, queue)
    return asked or caller.queues


def narrowed(caller: Caller, asked: JobFilter) -> JobFilter:
    """The filter, within the caller's queues. Raises QueueForbidden: it names another one."""
    if caller.queues is None:
        return asked
    for queue in sorted(asked.named(Field.QUEUE) or ()):
        check_queue(caller, queue)
    return replace(asked, queues=asked.queues or caller.queues)


def check_job(caller: Caller, job: Job) -> Job:
    """The job, if it stands in a queue of the caller's. Raises JobNotFound: else it is as if there were none."""
    if not caller.knows(job.queue):
        raise no_such_job(job.id)
    return job


def veiled(caller: Caller, accepted: Accepted, job: Job) -> Job:
    """The job that stands for a request; one that others may have handed in has no contents for who may not read."""
    if not (accepted.replayed or accepted.existed) or caller.may(Right.READ):
        return job
    return replace(job, payload="{}", result=None, error=None)


async def check_holder(client: Client, caller: Caller, id: str) -> None:
    """Nothing, unless the job that holds a unique key stands in another queue. Raises QueueForbidden."""
    if caller.queues is not None:
        with suppress(JobNotFound):
            check_standing(caller.queues, await client.get(id))


async def job_id(client: Client, request: Request) -> str:
    """The id of the job in the path, which is only looked at for callers who are limited.

    Raises:
        JobNotFound: it stands in another queue, or there is none.
    """
    if request.caller.queues is not None:
        check_job(request.caller, await client.get(request.job_id))
    return request.job_id
