"""Who asks in the campaign of `tests.fuzz.document`, what is there to be asked for, and what each may not have."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.client import JobRequest
from ferryman.domain.access import Caller, Right, with_implied
from ferryman.domain.job import Job
from ferryman.domain.outcome import Outcome, What
from ferryman.http.openapi import path_of
from ferryman.http.operation import Operation
from ferryman.store.protocol import JobFilter
from tests.http.world import World, operations

OWN: Final = "default"
OTHER: Final = "letters"
"""A queue that is none of the business of whoever is limited."""
MARK: Final = "not-for-everybody"
"""Stands in every job of the other queue."""
QUEUES: Final = ((OWN, "nightly"), (OTHER, MARK))
"""With what stands in the jobs of each."""
FORGED: Final = f"ferryman_{'0' * 16}_{'A' * 43}"


class Who(msgspec.Struct, frozen=True):
    """A kind of caller."""

    rights: tuple[Right, ...] | None = None
    """Of the key that it shows; None where that is none of the server's."""
    queues: tuple[str, ...] | None = None
    shows: str | None = None
    """What it shows instead of a key."""
    is_open: bool = False
    """Whether the server has no keys at all."""

    def refusal(self, operation: Operation) -> int | None:
        """The one status that it gets for an operation; None where the document says which there are."""
        if operation.right is None or self.is_open:
            return None
        if self.rights is None:
            return 401
        closed = self.queues is not None and not operation.by_queue
        return 403 if closed or not self.caller.may(operation.right) else None

    @property
    def caller(self) -> Caller:
        """What its key says of it; nothing where it has none."""
        return Caller("", with_implied(self.rights or ()), None if self.queues is None else frozenset(self.queues))

    @property
    def sees_all(self) -> bool:
        """Whether it may read the other queue's jobs."""
        return self.is_open or (self.caller.knows(OTHER) and self.caller.may(Right.READ))

    @property
    def changes_all(self) -> bool:
        """Whether it may change them."""
        return self.is_open or (self.caller.knows(OTHER) and self.caller.may(Right.OPERATE))


EVERYBODY: Final = "everybody"
WHO: Final[Mapping[str, Who]] = MappingProxyType(
    {
        EVERYBODY: Who(is_open=True),
        "admin": Who((Right.ADMIN,)),
        "reader": Who((Right.READ,)),
        "writer": Who((Right.ENQUEUE,)),
        "worker": Who((Right.WORK,)),
        "limited": Who((Right.ENQUEUE, Right.OPERATE), (OWN,)),
        "nobody": Who(),
        "stranger": Who(shows=FORGED),
    }
)


class Place:
    """A server in which there are jobs of every status in two queues, a schedule and a key, and one who asks it."""

    def __init__(self, who: Who) -> None:
        self.who = who
        self.world = World()
        self.headers: dict[str, str] = {}
        """What shows the key of the one who asks."""
        asyncio.run(self._furnish())
        self.ids = [job.id for job in self._jobs(JobFilter())]
        self._others = self.others()
        found = operations(self.world)
        self.refusals = {f"{each.method} {path_of(each)}": who.refusal(each) for each in found}
        """By the operations' names in the document."""

    def others(self) -> Sequence[Job]:
        """The jobs of the other queue."""
        return self._jobs(JobFilter(queues=frozenset({OTHER})))

    def is_untouched(self) -> bool:
        """Whether those are what they were, but for what was handed in since."""
        now = {job.id: job for job in self.others()}
        return all(now.get(job.id) == job for job in self._others)

    def _jobs(self, asked: JobFilter) -> Sequence[Job]:
        return list(asyncio.run(self.world.client.list(asked)))

    async def _furnish(self) -> None:
        world, client = self.world, self.world.client
        await client.open()
        for queue, tag in QUEUES:
            for outcome in (Outcome(What.DONE, f'"{tag}"'), Outcome(What.FAILED, retryable=False)):
                await client.enqueue(_job(queue, tag, tags=(tag,)))
                await world.finish(outcome)
            await client.enqueue(_job(queue, tag, key=tag))
            await world.claim()
        for queue, tag in QUEUES:
            await client.enqueue(_job(queue, tag, delay=3600))
            await client.cancel((await client.enqueue(_job(queue, tag))).id)
            await client.enqueue(_job(queue, tag))
        if self.who.is_open:
            # time stands still here, so the first key that a request makes locks nobody out unless it is known at once
            self.world.keyring.forget = _nothing  # type: ignore[method-assign]
            return
        await world.key("admin", name="root")  # so that there is one, whoever asks
        if self.who.rights is not None:
            self.headers = await world.key(*self.who.rights, name="caller", queues=self.who.queues)
        elif self.who.shows is not None:
            self.headers = {"Authorization": f"Bearer {self.who.shows}"}


def _nothing() -> None:
    """Forget no key."""


def _job(queue: str, tag: str, **more: Any) -> JobRequest:
    return JobRequest("echo", f'{{"note": "{tag}"}}', queue=queue, **more)
