"""What every handler does here, ours and the peers': it notes when it started."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Callable

TEXT = "x" * 180
"""The payload of every job."""


class Starts:
    """The starts of one process, on the clock that all processes of a machine share (CLOCK_MONOTONIC)."""

    def __init__(self) -> None:
        self.times = array("d")  # small, as the memory of the process is measured
        self.listener: Callable[[], None] | None = None
        """Called at each start."""

    def note(self) -> None:
        """The whole of the handler."""
        self.times.append(time.monotonic())
        if self.listener is not None:
            self.listener()

    async def reach(self, count: int) -> None:
        """Wait until so many handlers have started, all told."""
        if len(self.times) >= count:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def look() -> None:
            if len(self.times) >= count and not reached.done():
                reached.set_result(None)

        self.listener = look
        await reached
        self.listener = None
