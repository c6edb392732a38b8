"""How many jobs there are as a stream of server-sent events: GET /live."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from weakref import WeakKeyDictionary

import msgspec

from ferryman.client import Client
from ferryman.client.pulses import Pulse
from ferryman.domain.access import Right
from ferryman.domain.errors import AccessError, StoreError
from ferryman.http import heads, query
from ferryman.http.counts import CountsJson, counts_of
from ferryman.http.events import COME_AGAIN, EVENT_STREAM, HEADERS, STILL_HERE
from ferryman.http.exchange import Answer, Request
from ferryman.http.lasting import Lasting
from ferryman.http.narrowing import own_queues
from ferryman.http.operation import Operation
from ferryman.http.queues import Depth, depths
from ferryman.http.wire import Moment, write_moment


class EndedJson(msgspec.Struct, frozen=True):
    """How many jobs have ended since the store was made."""

    completed: int
    failed: int
    cancelled: int


class PulseJson(msgspec.Struct, frozen=True):
    """A pulse on the wire, every field always present."""

    at: Moment
    """When this was so."""
    counts: CountsJson
    queues: Sequence[Depth]
    """Those that hold jobs which have not ended, by name."""
    enqueued: int
    """How many jobs have come since the store was made; the difference of two pulses is a rate."""
    ended: EndedJson
    nodes: int
    """How many live."""


class LiveEvents:
    """The stream of pulses. The bytes of a pulse are made once, for all who look at the same queues."""

    def __init__(self, client: Client, lasting: Lasting) -> None:
        self._client = client
        self._lasting = lasting
        self._made: WeakKeyDictionary[Pulse, bytes] = WeakKeyDictionary()

    def operations(self) -> tuple[Operation, ...]:
        """The one thing to do."""
        return (
            Operation(
                "GET",
                "/live",
                Right.READ,
                self.stream,
                "Follow how many jobs there are by server-sent events",
                {200: str},
                heads.LiveQuery,
                headers=heads.EventHeaders,
                offers=(EVENT_STREAM,),
                by_queue=True,
            ),
        )

    async def stream(self, request: Request) -> Answer:
        """GET /live: how many jobs there are now, then whenever that has changed."""
        queues = own_queues(request.caller, query.queues(request))
        seen = request.headers.get(b"last-event-id", b"").decode("latin-1") or None
        self._lasting.begin(request)
        await self._client.pulses.begin()
        return Answer(200, HEADERS, stream=self._events(request, queues, seen))

    async def _events(self, request: Request, queues: frozenset[str] | None, seen: str | None) -> AsyncGenerator[bytes]:
        yield b"retry: %d\n\n" % COME_AGAIN
        try:
            async with aclosing(self._client.pulses.follow(queues, seen, STILL_HERE)) as pulses:
                async for pulse in pulses:
                    await request.passes()  # a key may have ended meanwhile
                    yield b":\n\n" if pulse is None else self._event(pulse)
        except (StoreError, AccessError):
            return  # it begins well already: the client comes again, and is told then

    def _event(self, pulse: Pulse) -> bytes:
        made = self._made.get(pulse)
        if made is None:
            told = msgspec.json.encode(pulse_json(pulse))
            made = self._made[pulse] = b"id: %s\nevent: live\ndata: %s\n\n" % (pulse.tag.encode(), told)
        return made


def pulse_json(pulse: Pulse) -> PulseJson:
    """A pulse as it goes out."""
    counts, totals = pulse.counts, pulse.counts.totals
    return PulseJson(
        write_moment(pulse.at),
        counts_of(counts),
        depths(counts),
        totals["created"],
        EndedJson(totals["completed"], totals["failed"], totals["cancelled"]),
        pulse.nodes,
    )
