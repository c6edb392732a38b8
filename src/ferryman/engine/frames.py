"""What a node and its worker processes say to each other: frames on a pair of sockets.

    node -> process    Hello, then Work for each run, at last Bye
    process -> node    Ready, then any number of Logged and Said and one Done or NotFound for each Work

A frame is four bytes of length and a msgpack object that names its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ferryman.domain.outcome import Outcome
from ferryman.engine.work import Work

_LENGTH: Final = 4


class Hello(msgspec.Struct, frozen=True, tag=True):
    """What holds for every run of the process."""

    settings: dict[str, str]
    """The node's, as text by field."""
    log_level: int
    max_result: int
    hooks: list[str]
    """The names of those that the node's app has around runs and processes."""


class Bye(msgspec.Struct, frozen=True, tag=True):
    """There is no more work."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The process is up."""


class Logged(msgspec.Struct, frozen=True, tag=True):
    """A log record, as far as it can travel."""

    record: dict[str, Any]
    of_run: bool = False
    """Whether it is the run under way that has logged it."""


class Said(msgspec.Struct, frozen=True, tag=True):
    """How far the run under way is."""

    done: int | float
    total: int | float | None
    message: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """How a run ended."""

    outcome: Outcome
    stopped: bool = False
    """Whether the handler ended by the signal that asked it to."""


class NotFound(msgspec.Struct, frozen=True, tag=True):
    """The handler could not be imported, or a startup hook raised: the parts of a ProcessNotStarted."""

    what: str
    why: str
    hint: str
    traceback: str | None


Frame = Hello | Work | Bye | Ready | Logged | Said | Done | NotFound

_encoder: Final = msgspec.msgpack.Encoder(enc_hook=repr)
_decoder: Final = msgspec.msgpack.Decoder(Frame)


def pack(frame: Frame) -> bytes:
    """A frame as it travels. What has no form of its own there goes as Python shows it."""
    body = _encoder.encode(frame)
    return len(body).to_bytes(_LENGTH, "big") + body


class Unpacker:
    """Makes frames of bytes as they come in."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Every frame that is complete with these bytes. Raises msgspec's errors for what is no frame."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._bytes[:_LENGTH], "big")
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH:end])
            del self._bytes[:end]
            yield _decoder.decode(body)
