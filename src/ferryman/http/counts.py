"""GET /counts: how many jobs there are by status."""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.state import Status
from ferryman.http import query
from ferryman.http.exchange import Answer, Request
from ferryman.http.heads import CountsQuery
from ferryman.http.narrowing import own_queues
from ferryman.http.operation import Operation
from ferryman.store.protocol import Counts

_JSON: Final = ((b"content-type", b"application/json"),)


class CountsJson(msgspec.Struct, frozen=True):
    """How many jobs there are, every field always present."""

    waiting: int
    scheduled: int
    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int


class CountPaths:
    """The one path."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """The one thing to do."""
        return (
            Operation(
                "GET",
                "/counts",
                Right.READ,
                self.show,
                "Count the jobs by status",
                {200: CountsJson},
                CountsQuery,
                by_queue=True,
            ),
        )

    async def show(self, request: Request) -> Answer:
        """GET /counts: of the queues and types that the query wants."""
        queues, types = query.counts(request)
        seen = own_queues(request.caller, queues)
        return Answer(200, _JSON, msgspec.json.encode(counts_of(await self._client.counts(), seen, types)))


def counts_of(counts: Counts, queues: frozenset[str] | None = None, types: frozenset[str] = frozenset()) -> CountsJson:
    """How many there are of some queues and types, as it goes out."""
    found = counts.jobs(queues, types)
    return CountsJson(
        waiting=found[Status.WAITING],
        scheduled=found[Status.SCHEDULED],
        pending=found[Status.PENDING],
        processing=found[Status.PROCESSING],
        completed=found[Status.COMPLETED],
        failed=found[Status.FAILED],
        cancelled=found[Status.CANCELLED],
    )
