"""How far a run is, as its worker process tells the node: now and then, however often the handler says so.

The first word goes at once; of those that follow within a while the newest goes at the end of that while, or with the
end of the run. So a handler that says a million things costs the node as much as one that says a few.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from ferryman.engine.frames import Said
from ferryman.engine.running import Running

WHILE: Final = 0.5
"""Seconds."""

Later = Callable[[float, Callable[[], None]], None]
"""Has a step run, in some thread, after so many seconds."""


def timer(seconds: float, step: Callable[[], None]) -> None:
    """Run a step in a thread of its own, which keeps no process alive."""
    thread = threading.Timer(seconds, step)
    thread.daemon = True
    thread.start()


class Pacing:
    """Implements `Listener` in a worker process, for one run after the other."""

    def __init__(self, send: Callable[[Said], object], later: Later = timer) -> None:
        """`send` takes what goes to the node; from any thread."""
        self._send = send
        self._later = later
        self._turn = threading.RLock()
        self._newest: Said | None = None
        self._waiting = False

    def progress(self, running: Running, done: float, total: float | None, message: str) -> None:
        """Tell the node, now or later."""
        with self._turn:
            self._newest = None if running.ended else Said(done, total, message)
            if not self._waiting:
                self.flush()
                self._waiting = True
                self._later(WHILE, self._again)

    def flush(self) -> None:
        """Tell the node what it has not been told."""
        with self._turn:
            newest, self._newest = self._newest, None
            if newest is not None:
                self._send(newest)

    def forget(self) -> None:
        """In a process that a handler forked: whoever had the lock is not there."""
        self._turn = threading.RLock()

    def _again(self) -> None:
        with self._turn:
            self._waiting = self._newest is not None
            if self._waiting:
                self.flush()
                self._later(WHILE, self._again)
