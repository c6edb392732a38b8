"""One request and its answer, as close to ASGI as it gets: the hot paths cannot afford more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
from starlette.types import Message, Receive, Scope, Send

from ferryman.domain.access import NOBODY, Caller
from ferryman.domain.errors import BodyTooLarge, RequestTimeout
from ferryman.http.waits import before, stop_of

T = TypeVar("T")
Headers = tuple[tuple[bytes, bytes], ...]

REQUEST_ID: Final = "ferryman.request_id"
"""Where the boundary keeps the request's id in its scope, as bytes."""
ANSWERED: Final = "ferryman.answered"
"""In the scope once an answer has begun: no other one can follow it."""

BODY_TIME: Final = 60.0
"""Seconds within which a body has to be there that is taken whole."""
LINGER_BYTES: Final = 4 * 1024 * 1024
LINGER_SECONDS: Final = 2.0
"""How much of a refused body is read and dropped, so that a client that is still writing sees the answer."""


class ClientGone(Exception):
    """The client went away before it had its answer; nobody is left to tell it to."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What to send; content-length and x-request-id are added to the headers."""

    status: int
    headers: Headers
    body: bytes = b""
    pieces: Iterable[bytes] | None = None
    """A body that is made while it is sent."""
    stream: AsyncGenerator[bytes] | None = None
    """A body whose pieces come as things happen; it ends with them, with the client, or with the node."""
    lingers: bool = False
    """The request's body was not read to its end: see `_send_and_linger`."""


class Request:
    """What came in. Header names are lower case; of a header that came twice the last one counts."""

    __slots__ = ("_receive", "at_end", "caller", "headers", "is_read", "look_again", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive
        self.is_read = False
        """Whether the last `piece` of the body was read."""
        self.caller: Caller = NOBODY
        """Who asks, once the guard has let it pass."""
        self.at_end: Callable[[], None] | None = None
        """Called once it is answered, or its client has gone."""
        self.look_again: Callable[[Request], Awaitable[object]]
        """The guard's second look, set with the caller. It is told the request: one that held itself would be left to
        the garbage collector, which took a tenth of the time of all requests."""

    async def passes(self) -> None:
        """Ask the guard whether it would still let this pass, for what takes its time.

        Raises:
            ApiKeyMissing, ApiKeyRefused, StoreError: not any more.
        """
        await self.look_again(self)

    @property
    def method(self) -> str:
        """GET, POST ..."""
        method: str = self.scope["method"]
        return method

    @property
    def job_id(self) -> str:
        """The id in the path, in lower case (RFC 9562 allows both); not yet known to be one."""
        found: str = self.scope["path_params"]["id"]
        return found.lower()

    @property
    def prefix(self) -> str:
        """Where this API is mounted, such as /queue, as a URL spells it; empty where it stands alone."""
        root: str = self.scope.get("root_path", "")
        return quote(root) if root else ""

    async def body(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            BodyTooLarge: it has, or says it has, more than `limit` bytes; the rest was not read.
            ClientGone: it never came to its end.
            RequestTimeout: it came too slowly.
        """
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        body = bytearray()
        if not self._take(await self._receive(), body, limit):  # most bodies come with their heads, and need no timer
            try:
                async with asyncio.timeout(BODY_TIME):
                    while not self._take(await self._receive(), body, limit):
                        pass
            except TimeoutError:
                raise RequestTimeout(f"The body has not come to its end within {BODY_TIME:g} s.") from None
        return bytes(body)

    @staticmethod
    def _take(message: Message, body: bytearray, limit: int) -> bool:
        """Add what has come; says whether that was the last of it. Raises BodyTooLarge, ClientGone."""
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return not message.get("more_body", False)

    async def piece(self, patience: float) -> bytes | None:
        """The next part of the body, None at its end; nothing more is read from the client than that.

        Raises:
            ClientGone: the body never came to its end.
            RequestTimeout: nothing came for `patience` seconds.
        """
        if self.is_read:
            return None
        try:
            async with asyncio.timeout(patience):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout(
                f"Nothing came for {patience:g} s.",
                why="The body has not come to its end.",
                hint="Send the lines as they are ready, and an empty one now and then where that takes long.",
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        self.is_read = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def while_wanted(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What a work gives that takes its time; None where the node stops first. The body was read before.

        Raises:
            ClientGone: the client went away first.
        """
        stop = stop_of(self.scope)
        ends = () if stop is None else (stop.wait(),)
        return await before(work, self._gone(), *ends)

    async def _gone(self) -> None:
        """Wait until the client goes away. Raises ClientGone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise ClientGone

    async def drop_body(self) -> None:
        """Read what is left of the body and forget it, within bounds."""
        left = LINGER_BYTES
        while left > 0:
            message = await self._receive()
            if not message.get("more_body", False):
                return
            left -= len(message.get("body", b""))


def local_path(scope: Scope) -> str:
    """The path below the place where this API is mounted.

    ASGI counts that place as part of the path; not everybody who mounts leaves it there.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


async def respond(request: Request, answer: Answer, send: Send) -> None:
    """Send an answer; to HEAD without its body, and always with the request's id."""
    request.scope[ANSWERED] = True
    headers = [*answer.headers, (b"x-request-id", request.scope[REQUEST_ID])]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    body = b"" if request.method == "HEAD" else answer.body
    if answer.pieces is not None:
        await send(start)
        await _send_pieces(() if request.method == "HEAD" else answer.pieces, send)
        return
    if answer.stream is not None:
        await send(start)
        if request.method != "HEAD":
            await request.while_wanted(_send_stream(answer.stream, send))
        await send({"type": "http.response.body", "body": b""})
        return
    if answer.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send(start)
    if answer.lingers:
        await _send_and_linger(request, body, send)
    else:
        await send({"type": "http.response.body", "body": body})


async def _send_pieces(pieces: Iterable[bytes], send: Send) -> None:
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)  # other requests and handlers get a turn while a long page is encoded
    await send({"type": "http.response.body", "body": b""})


async def _send_stream(stream: AsyncGenerator[bytes], send: Send) -> None:
    """Send each piece as it comes; the next one is asked for once there is room for it."""
    async with aclosing(stream):
        async for piece in stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _send_and_linger(request: Request, body: bytes, send: Send) -> None:
    """Send, then wait for the client to stop writing: closed earlier, many clients report a broken pipe instead."""
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await request.drop_body()
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body has more than {limit} bytes.",
        why="That is what MAX_BODY allows.",
        hint="Store large data elsewhere and enqueue where it is.",
    )
