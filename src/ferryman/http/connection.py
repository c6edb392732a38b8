"""uvicorn's connection, with one write per answer, with bounds, and with our words for what is not HTTP at all."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ferryman.domain.errors import FerrymanError, HeadTooLarge, MalformedRequest, RequestTimeout, TooManyConnections
from ferryman.http.bounds import Bounds
from ferryman.http.problems import problem


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: Bounds,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._is_in_head = False
        self._ended_one = False
        """Whether a request has come to its end within the bytes that are being read."""
        self._head_size = 0
        self._head_since = 0.0
        """When the first byte of the head came that is under way."""
        self._heard_at = 0.0
        self._stuffed_since: float | None = None
        """Since when the client has not read what is sent."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self._heard_at = self.loop.time()
        super().connection_made(Corked(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > self._bounds.connections:
            self.refuse(
                TooManyConnections(
                    f"{self._bounds.connections} connections are open.",
                    why="That is what MAX_CONNECTIONS allows.",
                    hint="Try again in a while, and keep connections for several requests.",
                )
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; whoever waits for that hears of it."""
        super().connection_lost(exc)
        if not self.ended.done():
            self.ended.set_result(None)

    # -- what comes in ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes have come. Whoever was refused is not listened to any more."""
        if self.transport.is_closing():
            return
        self._heard_at = self.loop.time()
        was_in_head, self._ended_one = self._is_in_head, False
        super().data_received(data)
        if self._is_in_head:
            self._count_head(len(data), is_new=self._ended_one or not was_in_head)

    def _count_head(self, size: int, *, is_new: bool) -> None:
        """So many bytes came, at whose end a head is under way."""
        if is_new:
            # where it began behind another request nobody says how many of the bytes are its own: it gets them free
            self._head_size = 0 if self._ended_one else size
        else:
            self._head_size += size
        if self._head_size > self._bounds.head_size:
            self._refuse_head()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_in_head = True
        self._head_since = self._heard_at
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A request can be answered, once it is known to be one, and to say for whom it is."""
        self._is_in_head = False
        if self.transport.is_closing():
            return
        assert self.parser is not None
        version = self.parser.get_http_version()
        size, hosts = len(self.url), 0
        for name, value in self.headers:
            size += len(name) + len(value)
            hosts += name == b"host"
        if size > self._bounds.head_size:
            self._refuse_head()
        elif hosts != 1 and (hosts, version) != (0, "1.0"):
            # RFC 9112, 3.2: a proxy and we could take it for two requests of two sites
            self.send_400_response("A request names one Host.")
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body, unless its request was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request, unless it was refused."""
        self._ended_one = True
        if not self.transport.is_closing():
            super().on_message_complete()

    # -- what is refused -------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no request, and close: nobody can tell where the next request would begin."""
        self.refuse(MalformedRequest("This is not an HTTP request.", why=msg))

    def refuse(self, error: FerrymanError) -> None:
        """Tell an error to whoever has not got an answer yet, and close."""
        if self.transport.is_closing():
            return
        cycle = self._cycle()
        if cycle is None or not cycle.response_started or cycle.response_complete:
            self.transport.write(_last_words(error))
        self.transport.close()

    def _refuse_head(self) -> None:
        self.refuse(
            HeadTooLarge(
                f"The request's line and headers have more than {self._bounds.head_size} bytes.",
                hint="Send what is long in the body.",
            )
        )

    # -- what takes too long ---------------------------------------------------------------------

    def pause_writing(self) -> None:
        """The client does not read as fast as is written."""
        self._stuffed_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads."""
        self._stuffed_since = None
        super().resume_writing()

    def look(self, now: float) -> None:
        """End the connection if its client has taken too long; asked every second or so."""
        bounds = self._bounds
        if self._stuffed_since is not None and now - self._stuffed_since > bounds.unread:
            self.transport.abort()
        elif self._is_in_head and now - self._head_since > bounds.head_time:
            self.refuse(RequestTimeout(f"The request's head has not come to its end for {bounds.head_time:g} s."))
        elif self._owes_bytes() and now - self._heard_at > bounds.silence:
            self.transport.abort()

    def _owes_bytes(self) -> bool:
        """Whether it is the client's turn to send: its first request, or the rest of a body that is waited for."""
        cycle = self._cycle()
        if cycle is None:
            return not self._is_in_head
        return cycle.more_body and not cycle.response_complete and not self.flow.read_paused

    def _cycle(self) -> RequestResponseCycle | None:
        """The latest request; there is none before the first one, whatever uvicorn's types say."""
        return self.cycle


class Corked:
    """A transport that sends what is written during one turn of the loop at once.

    uvicorn writes an answer's head and body apart. That is two system calls here and two wake-ups at the
    client; together they cost a quarter of a small request.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []
        self.is_closing = transport.is_closing
        """Asked several times a request: found here, it costs half of what `__getattr__` does."""

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


def _last_words(error: FerrymanError) -> bytes:
    """The whole answer to a request that no application sees."""
    answer = problem(error)
    status = HTTPStatus(answer.status)
    headers = [header for header in answer.headers if header[0] != b"connection"]
    headers += [(b"content-length", b"%d" % len(answer.body)), (b"connection", b"close")]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, status.phrase.encode(), lines, answer.body)
