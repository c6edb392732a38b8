"""GET /jobs/{id}/progress and GET /jobs/{id}/logs: what the runs of a job say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.report import LogLine, ProgressOf
from ferryman.http import query
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.heads import LogsQuery
from ferryman.http.narrowing import job_id
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, array_json, write_moment

_JSON: Final = (b"content-type", b"application/json")
DROPPED: Final = b"ferryman-dropped-lines"
"""The header that says how many lines of the runs asked for were not kept."""


class ProgressJson(msgspec.Struct, frozen=True):
    """How far a job is, every field always present; null where nobody has said so."""

    done: float | int | None = None
    total: float | int | None = None
    message: str | None = None
    fraction: Annotated[float, Meta(ge=0, le=1)] | None = None
    """`done` of `total`."""
    at: Moment | None = None
    """When it said so."""
    claim: int | None = None
    """The claim number of the run that said so."""


class LogLineJson(msgspec.Struct, frozen=True, gc=False):
    """A line that a run has logged."""

    at: Moment
    level: str
    logger: str
    message: str
    claim: int
    attempt: int


class ReportPaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """The two paths."""
        one, missing = "/jobs/{id}", (404,)
        lines, progress = {200: list[LogLineJson]}, {200: ProgressJson}
        return (
            Operation(
                "GET",
                f"{one}/progress",
                Right.READ,
                self.progress,
                "Say how far a job is",
                progress,
                by_queue=True,
                problems=missing,
            ),
            Operation(
                "GET",
                f"{one}/logs",
                Right.READ,
                self.logs,
                "List what a job logged",
                lines,
                LogsQuery,
                by_queue=True,
                problems=missing,
            ),
        )

    async def progress(self, request: Request) -> Answer:
        """GET /jobs/{id}/progress."""
        query.parameters(request)
        told = await self._client.reports.progress(await job_id(self._client, request))
        return Answer(200, (_JSON,), msgspec.json.encode(progress_of(told)))

    async def logs(self, request: Request) -> Answer:
        """GET /jobs/{id}/logs: a page, and where the next one is if there is one."""
        claim, after, limit, found = query.logs_page(request)
        id = await job_id(self._client, request)
        logs = await self._client.reports.logs(id, claim, after, limit + 1)
        lines = logs.lines[:limit]
        link: Headers = ()
        if len(logs.lines) > limit:
            path, last = f"{request.prefix}/jobs/{id}/logs", lines[-1]
            link = ((b"link", query.next_page(path, found, query.log_cursor(last.number, last.place))),)
        return Answer(200, (_JSON, (DROPPED, b"%d" % logs.dropped), *link), pieces=lines_json(lines))


def progress_of(told: ProgressOf | None) -> ProgressJson:
    """A progress as it goes out."""
    if told is None:
        return ProgressJson()
    said = told.progress
    return ProgressJson(said.done, said.total, said.message, said.fraction, write_moment(said.at), told.number)


def line_of(told: LogLine) -> LogLineJson:
    """A line as it goes out."""
    line = told.line
    return LogLineJson(write_moment(line.at), line.level, line.logger, line.message, told.number, told.attempt)


def lines_json(lines: Sequence[LogLine]) -> Iterator[bytes]:
    """Lines as a JSON array, in pieces."""
    return array_json(lines, lambda each: msgspec.json.encode(line_of(each)))
