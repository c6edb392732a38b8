"""The changes of one job, or of all, as they happen: a stream of events, begun anew where it breaks off."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Final, Generic, Self, TypeVar

from ferryman.domain.errors import RemoteError
from ferryman.domain.job import Job
from ferryman.http.journal import ChangeJson
from ferryman.http.live import PulseJson
from ferryman.http.remote import reading
from ferryman.http.remote.asking import Ask, Reply
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.paths import of_job
from ferryman.http.remote.problems import stranger
from ferryman.http.remote.streaming import Event, Events, Stream

T = TypeVar("T")

SILENCE: Final = 45.0
"""Seconds without a byte after which a stream is taken for dead; the server says every 15 that it is there."""
EVENT_STREAM: Final = "text/event-stream"


class Listened:
    """Events as they come, begun anew where the stream of them breaks off. It lives on the loop of its connection."""

    def __init__(self, connection: Connection, path: str) -> None:
        self.connection: Final = connection
        """To the server."""
        self._path = path
        self._stream: Stream | None = None
        self._events = Events()
        self._found: deque[Event] = deque()
        self._ended = False

    async def _event(self) -> Event | None:
        """The next one; None once the server has said that there will be none. Raises ServerUnreachable."""
        while not self._found and not self._ended:
            await self._more()
        return None if self._ended else self._found.popleft()

    async def close(self) -> None:
        """Ask for no more; idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def _more(self) -> None:
        """Read on, or begin."""
        if self._stream is None:
            await self._begin()
            return
        piece = await self._stream.next()
        if piece is not None:
            self._found.extend(self._events.feed(piece))
            return
        await self.close()
        # not all at once: others lost this server at the same moment
        await self.connection.sleep(self._events.come_again * (0.5 + self.connection.dice.random()))

    async def _begin(self) -> None:
        seen = self._events.seen  # what came before is not told again
        headers = {"accept": EVENT_STREAM} | ({"last-event-id": seen} if seen else {})
        reply, self._stream = await self.connection.listen(Ask("GET", self._path, headers=headers), SILENCE)
        if self._stream is None:  # its end was told before
            self._ended = True
        elif not reply.headers.get("content-type", "").startswith(EVENT_STREAM):
            await self.close()
            raise stranger(reply, f"It answered {reply.status}")
        self._events = Events(seen)


class Following(Listened):
    """The job each time that it has changed, until it has ended."""

    def __init__(self, connection: Connection, id: str) -> None:
        """Prepare. Raises JobNotFound: none can have this id."""
        super().__init__(connection, of_job(id, "events"))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Job:
        job = await self.next()
        if job is None:
            raise StopAsyncIteration
        return job

    async def next(self) -> Job | None:
        """The job as it is now, then each time that it is seen to have changed; None once its end was told.

        Raises:
            JobNotFound: there is no such job (any more).
            ServerUnreachable: the stream broke off, and no other one could be had in time.
        """
        while (event := await self._event()) is not None:
            if event.kind == "end":
                self._ended = True
            elif event.kind == "job":
                return reading.job(_reply(event))
        await self.close()
        return None


class Endless(Listened, ABC, Generic[T]):
    """What has no end."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self.next()

    @abstractmethod
    async def next(self) -> T:
        """What comes next.

        Raises:
            ServerUnreachable: the stream broke off, and no other one could be had in time.
        """


class Hearing(Endless[ChangeJson | None]):
    """What happens to all jobs: the next change; None where some are missing, as this client was away for too long."""

    def __init__(self, connection: Connection, query: str) -> None:
        super().__init__(connection, f"/events?{query}" if query else "/events")

    async def next(self) -> ChangeJson | None:
        """See `Endless.next`."""
        event = await self._event()
        return None if event is None or event.kind == "gap" else reading.change(_reply(event))


class Pulsing(Endless[PulseJson]):
    """How many jobs there are now, then whenever that has changed."""

    def __init__(self, connection: Connection, query: str) -> None:
        super().__init__(connection, f"/live?{query}" if query else "/live")

    async def next(self) -> PulseJson:
        """See `Endless.next`. Raises RemoteError: the server is none of Ferryman's."""
        event = await self._event()
        if event is None:
            raise RemoteError("The server has ended what has no end.", status=204)
        return reading.pulse(_reply(event))


def _reply(event: Event) -> Reply:
    return Reply(200, {"content-type": EVENT_STREAM}, event.data)
