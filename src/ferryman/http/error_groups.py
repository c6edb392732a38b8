"""GET /errors: what attempts have failed of, each group of like errors told once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.job import MICROS
from ferryman.domain.series import HOUR
from ferryman.http import query
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.heads import ErrorsQuery
from ferryman.http.narrowing import check_queue
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, write_moment
from ferryman.store.protocol import ErrorGroup

_JSON: Final = (b"content-type", b"application/json")


class LatelyJson(msgspec.Struct, frozen=True):
    """Failed attempts in the last hours; the last one has not ended."""

    step: int
    """In seconds."""
    start: Moment = msgspec.field(name="from")
    """When the first one begins."""
    counts: Sequence[int]


class ErrorGroupJson(msgspec.Struct, frozen=True):
    """An error group on the wire, every field always present."""

    group: str
    exception: str
    code: str
    message: str
    frame: str | None
    count: int
    """Failed attempts."""
    jobs: int
    """How many jobs stand failed by it now."""
    at_least: bool
    """Whether they may be more."""
    first_at: Moment
    last_at: Moment
    types: Sequence[str]
    queues: Sequence[str]
    versions: Sequence[str]
    job: str
    """The job that failed of it last."""
    lately: LatelyJson


class ErrorPaths:
    """One method per route; each gives the answer or raises a FerrymanError.

    A caller who is limited to queues is told of these alone: what others failed of does not even count.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done below /errors: look."""
        return (
            Operation(
                "GET",
                "/errors",
                Right.READ,
                self.list,
                "List what attempts have failed of",
                {200: list[ErrorGroupJson]},
                ErrorsQuery,
                by_queue=True,
            ),
            Operation(
                "GET",
                "/errors/{group}",
                Right.READ,
                self.show,
                "Show an error group",
                {200: ErrorGroupJson},
                by_queue=True,
                problems=(404,),
            ),
        )

    async def list(self, request: Request) -> Answer:
        """GET /errors: a page, the group that was seen last first, and where the next one is if there is one."""
        asked, found = query.error_groups(request)
        queues = request.caller.queues
        for queue in sorted(asked.queues):
            check_queue(request.caller, queue)
        seen = replace(asked, queues=asked.queues or queues or frozenset(), limit=asked.limit + 1)
        one_more = await self._client.errors.list(seen)
        groups = one_more[: asked.limit]
        link: Headers = ()
        if len(one_more) > asked.limit:
            after = query.error_cursor(groups[-1])
            link = ((b"link", query.next_page(f"{request.prefix}/errors", found, after)),)
        return Answer(200, (_JSON, *link), error_groups_json(groups))

    async def show(self, request: Request) -> Answer:
        """GET /errors/{group}."""
        query.parameters(request)
        id = request.scope["path_params"]["group"]
        found = await self._client.errors.get(id, within=request.caller.queues)
        return Answer(200, (_JSON,), msgspec.json.encode(error_group_of(found)))


def error_groups_json(groups: Sequence[ErrorGroup]) -> bytes:
    """A page of error groups."""
    return msgspec.json.encode([error_group_of(each) for each in groups])


def error_group_of(found: ErrorGroup) -> ErrorGroupJson:
    """An error group as it goes out. Its message was freed of secrets before it was stored."""
    group = found.group
    return ErrorGroupJson(
        group.id,
        group.exception,
        group.code,
        group.message,
        group.frame,
        found.count,
        found.jobs,
        found.at_least,
        write_moment(found.first_at),
        write_moment(found.last_at),
        found.types,
        found.queues,
        found.versions,
        found.job,
        LatelyJson(HOUR // MICROS, write_moment(found.since), found.lately),
    )
