"""The two times of a real machine."""

from __future__ import annotations

import time


class SystemClock:
    """Implements the store's `Clock`."""

    def now(self) -> int:
        """The wall clock, in microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds that only grow; the event loop's timers count the same ones."""
        return time.monotonic()
