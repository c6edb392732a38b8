"""One connection through the proxy: what a client says, and what the server answers, a chunk at a time.

client ──▶ delay ──▶ requests? ──▶ server
       ◀── replies? ◀── delay ◀──
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final

from tests.postgres.answers import Answers

CHUNK: Final = 1 << 16
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time. What closes so says RST, and forgets what it had still to send."""


class Line:
    """The state of the line that all connections go through. Used in the proxy's thread only, but for `Gate.held`."""

    def __init__(self) -> None:
        self.requests = Gate()
        self.replies = Gate()
        self.commits = Gate()
        """For those replies only that say that something has committed."""
        self.delay = 0.0
        """In seconds, for each chunk."""

    def freeze(self) -> None:
        """Let nothing pass either way."""
        self.requests.shut()
        self.replies.shut()

    def thaw(self) -> None:
        """Let everything pass."""
        for gate in (self.requests, self.replies, self.commits):
            gate.open()


class Gate:
    """One direction of the line: open, or shut."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.held = threading.Event()
        """Something waits at the gate, or has waited since it was shut. May be read from any thread."""

    def shut(self) -> None:
        """Let nothing pass."""
        if self._open.is_set():
            self.held.clear()
            self._open.clear()

    def open(self) -> None:
        """Let everything pass, what has waited first."""
        self._open.set()

    async def pass_through(self) -> None:
        """Wait while it is shut."""
        if not self._open.is_set():
            self.held.set()
            await self._open.wait()


class Link:
    """A connection of a client, and ours to the server for it."""

    def __init__(self, line: Line, client: socket.socket) -> None:
        self._line = line
        self._sockets = [client]

    async def run(self, host: str, port: int) -> None:
        """Until one of the two sides ends, or this is cancelled. The other side learns how it ended."""
        pumps: list[asyncio.Task[None]] = []
        try:
            # a network that carries nothing does not carry the client's first packet either
            await self._line.requests.pass_through()
            self._sockets.append(await _connect(host, port))
            client, server = self._sockets
            pumps.append(asyncio.create_task(self._pump(client, server, self._line.requests, whole)))
            pumps.append(asyncio.create_task(self._pump(server, client, self._line.replies, Answers().feed)))
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in done:
                pump.result()
        except OSError:
            self.be_reset()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self.close()

    def be_reset(self) -> None:
        """Let `close` say RST."""
        for each in self._sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def close(self) -> None:
        """Close both sides as the end of a process does. What was held is never delivered."""
        while self._sockets:
            self._sockets.pop().close()

    async def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        gate: Gate,
        divide: Callable[[bytes], list[tuple[bytes, bool]]],
    ) -> None:
        """One direction. The end of it is news like any other: it is as slow, and waits at the gate."""
        loop = asyncio.get_running_loop()
        data, error = b"-", None
        while data:
            try:
                data = await loop.sock_recv(source, CHUNK)
            except OSError as broken:
                data, error = b"", broken
            await asyncio.sleep(self._line.delay)
            await gate.pass_through()
            if error is not None:
                raise error
            for part, commits in divide(data):
                if commits:
                    await self._line.commits.pass_through()
                await loop.sock_sendall(target, part)


def whole(data: bytes) -> list[tuple[bytes, bool]]:
    """What a client says is not looked into."""
    return [(data, False)]


def at_once(connection: socket.socket) -> socket.socket:
    """The same connection, made to send what it is given without waiting for more, and never to block."""
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


async def _connect(host: str, port: int) -> socket.socket:
    """A connection to the first address of a host that has an answer."""
    loop = asyncio.get_running_loop()
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = at_once(socket.socket(family, kind, protocol))
        try:
            await loop.sock_connect(connection, address)
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure
