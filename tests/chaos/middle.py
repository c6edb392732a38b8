"""The middle of a transaction: a handler says that it is there, and hears what is to happen to it at this very point.

Both ends: of handlers, which know two pipes from their environment, and of who listens and gives orders.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PIPE: Final = "TRANSFER_PIPE"
"""Where handlers say that they are there."""
ORDERS: Final = "TRANSFER_ORDERS"
DIE: Final = b"x"
STAY: Final = b"s"
HERE: Final = b"."


def reached() -> bool:
    """Say that it is the middle; die here if that is the order. True if a handler is to stay for a while."""
    _say(HERE)
    order = _order()
    if order == DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    if order == STAY:
        _say(STAY)
    return order == STAY


def _say(what: bytes) -> None:
    pipe = os.environ.get(PIPE)
    if pipe is not None:
        with contextlib.suppress(OSError):  # nobody listens
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(descriptor, what)
            finally:
                os.close(descriptor)


def _order() -> bytes:
    """Take an order, if there is one; each is for one process."""
    orders = os.environ.get(ORDERS)
    if orders is None:
        return b""
    descriptor = os.open(orders, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, 1)
    except BlockingIOError:
        return b""
    finally:
        os.close(descriptor)


class Middle:
    """Listens at one pipe, and gives orders by the other."""

    def __init__(self, folder: Path) -> None:
        """Make the pipes in a folder that has none."""
        pipes = {name: folder / name for name in (PIPE, ORDERS)}
        for pipe in pipes.values():
            os.mkfifo(pipe)
        self.environ: Mapping[str, str] = {name: str(pipe) for name, pipe in pipes.items()}
        """What the processes of handlers are to have in theirs."""
        self._said, self._orders = (os.open(pipe, os.O_RDWR | os.O_NONBLOCK) for pipe in pipes.values())

    def hear(self, count: int) -> bool:
        """Wait until so many transactions have come to their middle; False if none does for a while."""
        heard = 0
        while heard < count:
            if not select.select([self._said], [], [], 1.0)[0]:
                return False
            heard += len(os.read(self._said, count - heard))
        return True

    def stays(self) -> bool:
        """Whether a handler has said, since who listened last, that it stays there as ordered."""
        with contextlib.suppress(BlockingIOError):
            return STAY in os.read(self._said, select.PIPE_BUF)
        return False

    def order(self, what: bytes) -> None:
        """Have this happen in the next transaction that comes to its middle."""
        os.write(self._orders, what)

    def take_back(self) -> None:
        """Take back what was ordered and not carried out: nobody else is to find it."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._orders, 1)

    def close(self) -> None:
        """Stop listening."""
        os.close(self._said)
        os.close(self._orders)
