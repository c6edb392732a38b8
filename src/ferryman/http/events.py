"""One job as a stream of server-sent events (the HTML standard, 9.2): GET /jobs/{id}/events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.errors import AccessError, JobNotFound, StoreError
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL
from ferryman.http import heads, query, wire
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.lasting import Lasting
from ferryman.http.narrowing import check_job
from ferryman.http.operation import Operation
from ferryman.store.watching import version_of

EVENT_STREAM: Final = "text/event-stream"
STILL_HERE: Final = 15.0
"""Seconds without an event after which a comment is sent, so that nobody on the way takes the connection for dead."""
COME_AGAIN: Final = 2000
"""Milliseconds after which a client comes again whose stream has broken off."""

HEADERS: Final[Headers] = (
    (b"content-type", EVENT_STREAM.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
)
_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
"""Line ends stand between the members of a payload only, never within a text."""


class JobEvents:
    """The stream of one job. It holds no more than the job's last version; a client that lags gets the next one."""

    def __init__(self, client: Client, lasting: Lasting) -> None:
        self._client = client
        self._lasting = lasting

    def operations(self) -> tuple[Operation, ...]:
        """The one thing to do."""
        return (
            Operation(
                "GET",
                "/jobs/{id}/events",
                Right.READ,
                self.stream,
                "Follow a job by server-sent events",
                {200: str, 204: None},
                headers=heads.EventHeaders,
                offers=(EVENT_STREAM,),
                by_queue=True,
                problems=(404,),
            ),
        )

    async def stream(self, request: Request) -> Answer:
        """GET /jobs/{id}/events: the job each time that it has changed; 204 where its end has been told already."""
        query.parameters(request)
        job = check_job(request.caller, await self._client.get(request.job_id))
        seen = request.headers.get(b"last-event-id", b"").decode("latin-1") or None
        if job.status in TERMINAL and version_of(job).tag == seen:
            return Answer(204, ())  # a browser comes again for ever, unless it hears this
        self._lasting.begin(request)
        return Answer(200, HEADERS, stream=self._events(request, job.id, seen))

    async def _events(self, request: Request, id: str, seen: str | None) -> AsyncGenerator[bytes]:
        yield b"retry: %d\n\n" % COME_AGAIN
        last: Job | None = None
        try:
            async with aclosing(self._client.waiting.follow(id, seen, STILL_HERE)) as jobs:
                async for job in jobs:
                    await request.passes()  # a key may have ended meanwhile
                    last = job or last
                    yield b":\n\n" if job is None else await self._event(check_job(request.caller, job))
        except (JobNotFound, StoreError, AccessError):
            return  # it begins well already: the client comes again, and is told then
        yield b"event: end\ndata: %s\n\n" % msgspec.json.encode({"status": last.status if last else None})

    async def _event(self, job: Job) -> bytes:
        told = wire.job_json(await self._client.shown(job)).translate(_ONE_LINE)
        return b"id: %s\nevent: job\ndata: %s\n\n" % (version_of(job).tag.encode(), told)
