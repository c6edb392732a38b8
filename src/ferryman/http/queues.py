"""GET /queues and GET /queues/{name}: how many jobs stand where, and for how long the first of them has waited."""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.domain import options
from ferryman.domain.access import Right
from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.http import query
from ferryman.http.exchange import Answer, Request
from ferryman.http.narrowing import check_queue
from ferryman.http.operation import Operation
from ferryman.store.protocol import Counts

_JSON: Final = ((b"content-type", b"application/json"),)


class Depth(msgspec.Struct, frozen=True):
    """One queue, every field always present."""

    queue: str
    pending: int
    scheduled: int
    processing: int
    waiting: int
    oldest_pending_seconds: float | None
    """How long its first pending job has been ready to run; None where none is pending."""


class QueuePaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """What is to be seen of queues."""
        return (
            Operation(
                "GET",
                "/queues",
                Right.READ,
                self.list,
                "List the queues that hold jobs",
                {200: list[Depth]},
                by_queue=True,
            ),
            Operation(
                "GET",
                "/queues/{name}",
                Right.READ,
                self.show,
                "Show a queue",
                {200: Depth},
                by_queue=True,
            ),
        )

    async def list(self, request: Request) -> Answer:
        """GET /queues: those that hold jobs which have not ended, by name."""
        query.parameters(request)
        found = [each for each in depths(await self._client.counts()) if request.caller.knows(each.queue)]
        return Answer(200, _JSON, msgspec.json.encode(found))

    async def show(self, request: Request) -> Answer:
        """GET /queues/{name}: any name of a queue is one; where nothing stands, all numbers are 0."""
        query.parameters(request)
        name = check_queue(request.caller, options.queue(request.scope["path_params"]["name"]))
        return Answer(200, _JSON, msgspec.json.encode(depth(name, await self._client.counts())))


def depths(counts: Counts) -> list[Depth]:
    """The queues that hold jobs, by name."""
    return [depth(queue, counts) for queue in sorted({queue for queue, _ in counts.standing})]


def depth(queue: str, counts: Counts) -> Depth:
    """One queue; one that holds no jobs, too."""
    standing = {status: counts.standing.get((queue, status), 0) for status in Status}
    oldest = counts.oldest_pending.get(queue)
    return Depth(
        queue,
        standing[Status.PENDING],
        standing[Status.SCHEDULED],
        standing[Status.PROCESSING],
        standing[Status.WAITING],
        None if oldest is None else oldest / MICROS,
    )
