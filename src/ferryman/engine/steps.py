"""Steps of a part that has a thread of its own, and of which one may be due at some time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

Step = Callable[[], None]
Left = Callable[[], float | None]


class Steps(Protocol):
    """Runs steps one after the other, off the event loop; none of them may raise."""

    def put(self, step: Step) -> None:
        """Have a step run after those before it. From any thread; never waits."""

    def end(self, last: Step) -> None:
        """Run what was put so far, then a last step, and nothing more; where nothing was put, nothing runs. Does not
        wait for it."""


StepsFactory = Callable[[Left, Step, str], Steps]
"""Makes them of: the seconds until something is due, or None; what to do then; and a name. The seconds are asked
for after each step."""


class ThreadSteps:
    """Steps on a daemon thread, which begins with the first of them."""

    def __init__(self, left: Left, due: Step, name: str) -> None:
        """`name` is the thread's, for whoever looks at a dump."""
        self._left = left
        self._due = due
        self._name = name
        self._put: SimpleQueue[Step | None] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, step: Step) -> None:
        """See `Steps.put`."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
        self._put.put(step)

    def end(self, last: Step) -> None:
        """See `Steps.end`. Where no thread has begun, there is nobody to run the last one."""
        self._put.put(last)
        self._put.put(None)

    def _work(self) -> None:
        while True:
            left = self._left()
            if left is not None and left <= 0.0:
                self._due()
                continue
            try:
                step = self._put.get(timeout=left)
            except Empty:
                continue
            if step is None:
                return
            step()
