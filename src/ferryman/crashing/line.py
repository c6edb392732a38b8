"""What a forked process and the one that forked it say to each other: JSON, one message a line."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from ferryman.crashing.points import Met

_GO: Final = b"g"
_CHUNK: Final = 65536


class Stands(msgspec.Struct, frozen=True, tag=True):
    """The handler stands still at its point."""


class Ended(msgspec.Struct, frozen=True, tag=True):
    """Nothing is left to do."""

    status: str
    """The tested job's."""
    error: str
    """Why it failed or was cancelled, with a code; empty if it completed."""
    jobs: list[tuple[str, str]]
    """Every other job that there is: type and payload."""
    met: list[Met]
    """Where the handler has been in this process."""


class Broken(msgspec.Struct, frozen=True, tag=True):
    """The node could not start, or the job could not be enqueued."""

    why: str


Message = Stands | Ended | Broken
_decoder: Final[msgspec.json.Decoder[Message]] = msgspec.json.Decoder(Message)
_encode: Final = msgspec.json.Encoder().encode


class ChildEnd:
    """The forked process's end; it blocks."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def tell(self, message: Message) -> None:
        """Send a message. Raises OSError: nobody is there."""
        self._end.sendall(_encode(message) + b"\n")

    def stand(self) -> bool:
        """Say that the handler stands, and wait for the word to go on. False: it will not come."""
        self.tell(Stands())
        return self._end.recv(1) == _GO


class ParentEnd:
    """The other end."""

    def __init__(self, end: socket.socket, monotonic: Callable[[], float]) -> None:
        self._end = end
        self._monotonic = monotonic
        self._read = b""

    def hear(self, deadline: float) -> Message | None:
        """The next message; None where the process has ended without one. Raises TimeoutError."""
        while b"\n" not in self._read:
            left = deadline - self._monotonic()
            if left <= 0:
                raise TimeoutError
            self._end.settimeout(left)
            try:
                data = self._end.recv(_CHUNK)
            except ConnectionError:
                return None
            if not data:
                return None
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return _decoder.decode(line)

    def go(self) -> None:
        """Let the handler go on; if its process has ended, `hear` tells."""
        with suppress(ConnectionError):
            self._end.sendall(_GO)

    def close(self) -> None:
        """Hear no more. Idempotent."""
        self._end.close()
