"""The node's end of the connection to a worker process, on the event loop: nothing here waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import msgspec

from ferryman.engine.frames import Frame, Unpacker, pack

CHUNK: Final = 256 * 1024
"""Bytes that are read in one turn of the loop."""


class Line:
    """Sends frames, and hands over those that come in."""

    def __init__(self, sock: socket.socket, on_frame: Callable[[Frame], None], on_broken: Callable[[], None]) -> None:
        """Begin to listen on the running loop.

        Args:
            on_frame: given each frame.
            on_broken: called once, when the other end is closed or sends what is no frame.
        """
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._on_frame = on_frame
        self._on_broken = on_broken
        self._unpacker = Unpacker()
        self._waiting = bytearray()
        self._open = True
        sock.setblocking(False)
        self._loop.add_reader(sock, self._read)

    def send(self, frame: Frame) -> None:
        """Send a frame, now or as the other end takes it in; one that is gone hears nothing."""
        self._waiting += pack(frame)
        self._write()

    def drain(self) -> None:
        """Hand over what came in before the other end was closed."""
        while self._open and self._read():
            pass

    def close(self) -> None:
        """Send and listen no more; idempotent."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _read(self) -> bool:
        """Read once. Says whether there may be more."""
        try:
            data = self._socket.recv(CHUNK)
            for frame in self._unpacker.feed(data):
                self._on_frame(frame)
        except BlockingIOError:
            return False
        except (OSError, msgspec.MsgspecError):
            data = b""
        if not data and self._open:
            self.close()
            self._on_broken()
        return bool(data)

    def _write(self) -> None:
        try:
            while self._open and self._waiting:
                del self._waiting[: self._socket.send(self._waiting)]
        except BlockingIOError:
            self._loop.add_writer(self._socket, self._write)
            return
        except OSError:
            self._waiting.clear()  # it has ended: who watches it sees that
        if self._open:
            self._loop.remove_writer(self._socket)
