"""Waits that can be cut short, and the backoff of our own retries."""

from __future__ import annotations

import asyncio
from typing import Final

SHORTEST: Final = 0.05
LONGEST: Final = 2.0


class Pause:
    """One waiter at a time; a `cut` that comes first makes the next wait end at once."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None
        self._cut = False

    async def wait(self, seconds: float) -> None:
        """Wait for so many seconds, or until somebody cuts it short."""
        if not self._cut:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(seconds, _wake, self._waiting)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        self._cut = False

    def cut(self) -> None:
        """End the wait under way, or the next one."""
        self._cut = True
        if self._waiting is not None:
            _wake(self._waiting)


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: short first, because most locks are."""
    return float(min(SHORTEST * 2 ** min(failures - 1, 16), LONGEST))


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
