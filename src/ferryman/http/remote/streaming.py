"""Answers that come as things happen: their pieces, and the events in them (the HTML standard, 9.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx2
import msgspec

from ferryman.domain.errors import RemoteError

EVENT_MOST: Final = 64 * 1024 * 1024
"""Bytes that one line may have: a job with its payload and its result."""
COME_AGAIN: Final = 2.0
"""Seconds after which to come again where the server says nothing of it."""
COME_AGAIN_MOST: Final = 60.0


class Event(msgspec.Struct, frozen=True):
    """What a server says at once."""

    kind: str
    data: bytes
    id: str
    """That of the latest event which had one."""


class Events:
    """Makes events of the pieces of one stream, however they are cut."""

    def __init__(self, seen: str = "", most: int = EVENT_MOST) -> None:
        """`seen` is the id of the event that came last on an earlier stream."""
        self.come_again = COME_AGAIN
        """Seconds after which the server wants to be asked again once the stream has broken off."""
        self.seen = seen
        """The id up to which everything has come, also where it came without an event."""
        self._id = seen
        self._kind = ""
        self._data: list[bytes] = []
        self._rest = b""
        self._most = most

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece brings to an end. Raises RemoteError: a line has no end."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > self._most:
            raise RemoteError(f"A line of a stream of events has more than {self._most} bytes.", status=200)
        return [event for line in lines if (event := self._line(line.removesuffix(b"\r"))) is not None]

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._end()
        name, _, value = line.partition(b":")
        said = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(said)
        elif name == b"event":
            self._kind = said.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in said:
            self._id = said.decode("utf-8", "replace")
        elif name == b"retry" and said.isdigit():
            self.come_again = min(int(said[:9]) / 1000, COME_AGAIN_MOST)
        return None

    def _end(self) -> Event | None:
        found = Event(self._kind, b"\n".join(self._data), self._id) if self._data else None
        self._kind, self._data, self.seen = "", [], self._id
        return found


class Stream:
    """An answer under way."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()

    async def next(self) -> bytes | None:
        """The next piece; None at its end, and where it broke off."""
        try:
            return await anext(self._pieces, None)
        except (httpx2.RequestError, httpx2.StreamError):
            return None

    async def close(self) -> None:
        """Ask for no more of it."""
        await self._response.aclose()
