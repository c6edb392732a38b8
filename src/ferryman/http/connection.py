"""uvicorn's connection, with one write per answer, and with our words for what is not HTTP at all."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ferryman.domain.errors import MalformedRequest
from ferryman.http.problems import problem


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        self.ended: asyncio.Future[None] = self.loop.create_future()
        super().connection_made(Corked(transport, self.loop))  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; whoever waits for that hears of it."""
        super().connection_lost(exc)
        if not self.ended.done():
            self.ended.set_result(None)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no request, and close: nobody can tell where the next request would begin."""
        answer = problem(MalformedRequest("This is not an HTTP request.", why=msg))
        headers = (*answer.headers, (b"content-length", b"%d" % len(answer.body)), (b"connection", b"close"))
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (lines, answer.body))
        self.transport.close()


class Corked:
    """A transport that sends what is written during one turn of the loop at once.

    uvicorn writes an answer's head and body apart. That is two system calls here and two wake-ups at the
    client; together they cost a quarter of a small request.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send with whatever else is written before the loop turns."""
        if not self._written:
            self._loop.call_soon(self.flush)
        self._written.append(data)

    def flush(self) -> None:
        """Send now."""
        written, self._written = self._written, []
        if written:
            self._transport.write(b"".join(written))

    def close(self) -> None:
        """Send what was written, then close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's."""
        return getattr(self._transport, name)
