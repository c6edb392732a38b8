"""What a node process tells its supervisor, once a second, as lines of JSON through a pipe.

The pipe also tells each of the other's end: where it breaks, the other one is gone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ferryman.observe.metrics import Counted

INTERVAL: Final = 1.0
"""Seconds between two reports."""


class Report(msgspec.Struct, frozen=True):
    """How a node process is, and what it has counted since its last report."""

    node: str | None
    """Its id as a node; None before it has one."""
    ready: bool
    """Whether it claims."""
    workers: int
    channel_capacity: int
    channel_length: int
    in_progress: int
    counted: Counted


class Reporter:
    """The node process's end of the pipe. Runs on its event loop, so that a loop that is stuck is heard of, too."""

    def __init__(self, descriptor: int, report: Callable[[], Report], orphaned: Callable[[], None]) -> None:
        """Report on the open `descriptor`; `orphaned` is called once when the supervisor is gone."""
        self._descriptor = descriptor
        self._report = report
        self._orphaned = orphaned
        self._pipe: asyncio.WriteTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    async def start(self) -> None:
        """Say the first word, and go on."""
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_write_pipe(
            lambda: _Watch(self._broken), os.fdopen(self._descriptor, "wb", buffering=0)
        )
        self._pipe = pipe
        self.tell()

    async def stop(self) -> None:
        """Say what is left to say, and close."""
        self._stopped = True
        pipe, self._pipe = self._pipe, None
        if self._timer is not None:
            self._timer.cancel()
        if pipe is not None:
            self._write(pipe)
            pipe.close()

    def tell(self) -> None:
        """Report now, and again in a while."""
        pipe = self._pipe
        if pipe is None:
            return
        if pipe.get_write_buffer_size() == 0:  # else the supervisor does not read; what is counted waits
            self._write(pipe)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self.tell)

    def _broken(self) -> None:
        """The pipe has ended; if not by us, nobody reads any more."""
        if not self._stopped:
            self._orphaned()

    def _write(self, pipe: asyncio.WriteTransport) -> None:
        pipe.write(msgspec.json.encode(self._report()) + b"\n")


class _Watch(asyncio.BaseProtocol):
    """Notices the end of a pipe."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by us or by the other side."""
        self._ended()


class Ear(asyncio.Protocol):
    """The supervisor's end of a pipe: calls `hear` with each report."""

    def __init__(self, hear: Callable[[Report], None]) -> None:
        self._hear = hear
        self._line = b""

    def data_received(self, data: bytes) -> None:
        """Some more bytes; reports are the whole lines among them."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._hear(msgspec.json.decode(line, type=Report))


async def listen(descriptor: int, hear: Callable[[Report], None]) -> asyncio.ReadTransport:
    """Hear what comes through an open pipe; close the transport that this gives."""
    loop = asyncio.get_running_loop()
    pipe: Any = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await loop.connect_read_pipe(lambda: Ear(hear), pipe)
    return transport
