"""What happens to all jobs as a stream of server-sent events: GET /events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import msgspec

from ferryman.client import Client
from ferryman.client.listening import Heard, Start, Wanted
from ferryman.domain.access import Caller, Right
from ferryman.domain.errors import AccessError, StoreError
from ferryman.http import heads, query
from ferryman.http.events import COME_AGAIN, EVENT_STREAM, HEADERS, STILL_HERE
from ferryman.http.exchange import Answer, Request
from ferryman.http.lasting import Lasting
from ferryman.http.narrowing import check_queue
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, write_moment
from ferryman.store.journaling import Change


class ChangeJson(msgspec.Struct, frozen=True, gc=False):
    """A change on the wire, every field always present."""

    id: str
    queue: str
    type: str
    status: str
    what: str
    claim: int
    at: Moment


class AllEvents:
    """The stream of everything. Each client is a position; one that lags is read for, and keeps nothing in memory."""

    def __init__(self, client: Client, lasting: Lasting) -> None:
        self._client = client
        self._lasting = lasting

    def operations(self) -> tuple[Operation, ...]:
        """The one thing to do."""
        return (
            Operation(
                "GET",
                "/events",
                Right.READ,
                self.stream,
                "Follow all jobs by server-sent events",
                {200: str},
                heads.EventsQuery,
                headers=heads.EventHeaders,
                offers=(EVENT_STREAM,),
                by_queue=True,
            ),
        )

    async def stream(self, request: Request) -> Answer:
        """GET /events: each change that the query wants. Of what comes after the answer none is missed."""
        wanted = query.events(request)
        for queue in sorted(wanted.queues):
            check_queue(request.caller, queue)
        seen = request.headers.get(b"last-event-id", b"").decode("latin-1") or None
        start = await self._client.listening.begin(seen)
        self._lasting.begin(request)
        return Answer(200, HEADERS, stream=self._events(request, start, wanted))

    async def _events(self, request: Request, start: Start, wanted: Wanted) -> AsyncGenerator[bytes]:
        yield b"retry: %d\n\n" % COME_AGAIN
        try:
            async with aclosing(self._client.listening.follow(start, wanted, STILL_HERE)) as news:
                async for heard in news:
                    await request.passes()  # a key may have ended meanwhile
                    yield b"".join(_pieces(request.caller, heard))
        except (StoreError, AccessError):
            return  # it begins well already: the client comes again, and is told then


def change_of(change: Change) -> ChangeJson:
    """A change as it goes out."""
    lane = change.lane
    return ChangeJson(
        change.id, lane.queue, lane.type, change.status.value, change.what, change.claim, write_moment(change.at)
    )


def _pieces(caller: Caller, heard: Heard) -> Iterator[bytes]:
    """What is sent; at its end the client knows how far it has heard, also where nothing was for it."""
    if heard.gap:
        yield b"event: gap\ndata: {}\n\n"
    for each in heard.changes:
        if caller.knows(each.lane.queue):
            told = msgspec.json.encode(change_of(each))
            yield b"id: %s\nevent: %s\ndata: %s\n\n" % (each.position.tag.encode(), each.status.value.encode(), told)
    yield b":\nid: %s\n\n" % heard.place.tag.encode()
