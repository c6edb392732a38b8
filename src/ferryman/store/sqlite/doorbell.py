"""Wakeups between processes that share a file: one Unix datagram socket per node, `<db>-nodes/<id>.sock`.

A ring carries one letter that says where to look; a lost one is covered by the node's periodic look.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

from ferryman.store.bell import Ring


class Doorbell:
    """Rings at every other node of the file, and listens at its own socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: socket.socket | None = None
        self._own_path: str | None = None
        self._out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def listen(self, name: str, rung: Callable[[Ring], None]) -> None:
        """Call `rung` on the running loop, once for each kind of ring that has come in."""
        self._folder.mkdir(exist_ok=True)
        path = str(self._folder / f"{name}.sock")
        own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
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
        try:
            entries = os.listdir(self._folder)
        except OSError:
            return
        for name in entries:
            path = f"{self._folder}/{name}"
            if name.endswith(".sock") and path != self._own_path:
                try:
                    self._out.sendto(what.value.encode(), path)
                except ConnectionRefusedError:
                    # nobody holds the socket any more: its process was killed
                    with contextlib.suppress(OSError):
                        Path(path).unlink()
                except OSError:
                    continue

    def close(self) -> None:
        """Stop listening. Idempotent."""
        own, self._own = self._own, None
        if own is not None:
            asyncio.get_running_loop().remove_reader(own.fileno())
            own.close()
            Path(self._own_path or "").unlink(missing_ok=True)
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
