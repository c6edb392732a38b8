"""How late the event loop is: what a blocking handler costs everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

INTERVAL: Final = 0.25
"""Seconds between two looks."""


class LoopLag:
    """A timer that reports by how many seconds it came late; start and stop tolerate being called twice, and never."""

    def __init__(self, report: Callable[[float], None], interval: float = INTERVAL) -> None:
        self._report = report
        self._interval = interval
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look, on the running loop."""
        if self._timer is None:
            self._look_later(asyncio.get_running_loop())

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + self._interval
        self._timer = loop.call_at(due, self._look, loop, due)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._report(max(0.0, loop.time() - due))
        self._look_later(loop)
