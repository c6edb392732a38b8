"""Watches from a thread whether the event loop turns, and names what blocks it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final

from ferryman.domain.errors import LoopBlocked
from ferryman.domain.events import Events, LoopStalled
from ferryman.engine.runner import TickerFactory
from ferryman.engine.telling import tell

log: Final = logging.getLogger("ferryman.engine")

INTERVAL: Final = 0.5
"""Seconds between two looks; each look makes the loop turn once."""
WARN_AFTER: Final = 1.0
"""Seconds of blocking that are worth a warning."""


class LoopWatch:
    """Warns of a loop that is blocked for a second; one that is blocked for `stall` seconds is not alive."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        events: Events,
        running: Callable[[asyncio.Task[Any] | None], tuple[str, ...]],
        *,
        stall: float,
        ticker: TickerFactory,
    ) -> None:
        """Make a watch.

        Args:
            running: names the jobs that a task, the one on the loop, runs; called from the watch's thread.
            stall: seconds after which the loop counts as dead.
            ticker: makes what calls `step`.
        """
        self._monotonic = monotonic
        self._events = events
        self._running = running
        self._stall = stall
        self._ticker = ticker(INTERVAL, self.step, "ferryman-loop-watch")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._turned = 0.0
        self._warned = False
        self._stalled = False

    async def start(self) -> None:
        """Watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._turned = self._monotonic()
        self._ticker.start()

    async def stop(self) -> None:
        """Watch no more."""
        self._ticker.stop()

    def alive(self) -> bool:
        """Whether the loop has turned within the last `stall` seconds."""
        return self._monotonic() - self._turned < self._stall

    def step(self) -> None:
        """Look once. Runs on the watch's thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        blocked = self._monotonic() - self._turned
        if blocked < WARN_AFTER:
            self._warned = self._stalled = False
        elif not self._warned:
            self._warned = True
            self._report(loop, blocked, "The event loop is blocked")
        elif blocked >= self._stall and not self._stalled:
            self._stalled = True
            self._report(loop, blocked, "The event loop is stuck, the node stops beating")
            tell(self._events, LoopStalled(blocked, self._running(asyncio.current_task(loop))))
        loop.call_soon_threadsafe(self._turn)

    def _turn(self) -> None:
        """The loop turns."""
        self._turned = self._monotonic()

    def _report(self, loop: asyncio.AbstractEventLoop, blocked: float, what: str) -> None:
        jobs = self._running(asyncio.current_task(loop))
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - documented
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        log.warning(
            "%s: %s for %.1f s by %s. Use def for a handler that blocks.\n%s",
            LoopBlocked.code,
            what,
            blocked,
            ", ".join(jobs) or "something else than a job",
            stack,
            extra={"event": "loop_blocked", "code": LoopBlocked.code, "jobs": jobs},
        )
