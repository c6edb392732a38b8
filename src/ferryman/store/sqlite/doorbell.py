"""Wakeups between processes that share a file: one Unix datagram socket per node, `<db>-nodes/<id>.sock`.

A ring carries one letter that says where to look; a lost one is covered by the node's periodic look.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ferryman.store.bell import Ring

_TICK: Final = 100_000_000
"""Nanoseconds by which a file system's times may lag."""


class Doorbell:
    """Rings at every other node of the file, and listens at its own socket."""

    def __init__(self, folder: Path, now: Callable[[], int] = time.time_ns) -> None:
        """`now` is the file system's clock, in nanoseconds."""
        self._folder = folder
        self._own: socket.socket | None = None
        self._own_path: str | None = None
        self._now = now
        self._known: list[str] = []
        self._read_at: int | None = None
        self._out: socket.socket | None = None
        self._closed = False

    def listen(self, name: str, rung: Callable[[Ring], None]) -> None:
        """Call `rung` on the running loop, once for each kind of ring that has come in."""
        self._folder.mkdir(exist_ok=True)
        path = str(self._folder / f"{name}.sock")
        own = _socket()
        try:
            own.bind(path)
        except OSError:
            # a path too long for a socket address: the periodic look has to do
            own.close()
            return
        self._own, self._own_path = own, path
        asyncio.get_running_loop().add_reader(own.fileno(), self._answer, own, rung)

    def ring(self, what: Ring) -> None:
        """Tell every other node; nobody at home, or a full socket, is no error."""
        if self._closed:
            return
        out = self._out = self._out or _socket()
        for path in self._others():
            try:
                out.sendto(what.value.encode(), path)
            except ConnectionRefusedError:
                # nobody holds the socket any more: its process was killed
                with contextlib.suppress(OSError):
                    Path(path).unlink()
            except OSError:
                continue

    def _others(self) -> list[str]:
        """The sockets of other processes; the folder is read again only when it has changed."""
        try:
            changed = self._folder.stat().st_mtime_ns
            if changed != self._read_at:
                paths = (f"{self._folder}/{name}" for name in os.listdir(self._folder) if name.endswith(".sock"))
                self._known = [path for path in paths if path != self._own_path]
                # a change within the clock's last tick may leave no later time behind: do not trust it yet
                self._read_at = changed if changed < self._now() - _TICK else None
        except OSError:
            return []
        return self._known

    def close(self) -> None:
        """Stop listening, and ring no more. Idempotent."""
        own, self._own = self._own, None
        if own is not None:
            asyncio.get_running_loop().remove_reader(own.fileno())
            own.close()
            Path(self._own_path or "").unlink(missing_ok=True)
        self._closed = True
        if self._out is not None:
            self._out.close()

    @staticmethod
    def _answer(own: socket.socket, rung: Callable[[Ring], None]) -> None:
        heard: set[bytes] = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.add(own.recv(16))
        for what in Ring:
            if what.value.encode() in heard:
                rung(what)


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
