"""SQLite's write lock, as far as it is held from one step to another: by the transaction of a handler.

What else writes takes the lock and gives it back within one step, so nobody ever meets it there. Whoever must wait
looks again soon after the lock is free, as the product's own loops do, and gives up after as long as they do.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from ferryman.store.sqlite.writer import BUSY_SECONDS, PAUSE_SECONDS
from tests.simulation.loop import Lane, SimLoop


class FileLock:
    """Who may write to the file, of all processes."""

    def __init__(self, loop: SimLoop, dice: random.Random) -> None:
        self.held = False
        self._loop = loop
        self._dice = dice
        self._waiting: dict[Wait, None] = {}

    def take(self) -> None:
        """Begin to write."""
        assert not self.held
        self.held = True

    def free(self) -> None:
        """End; those who wait look again, in an order that nobody knows."""
        self.held = False
        waiting, self._waiting = self._waiting, {}
        for wait in waiting:
            wait.look_after(self._dice.uniform(*PAUSE_SECONDS))

    def wait(self, lane: Lane) -> Wait:
        """Begin to wait, on a lane."""
        return Wait(self, self._loop, lane)

    def enter(self, wait: Wait) -> None:
        """Have it look again once the lock is free."""
        self._waiting[wait] = None

    def leave(self, wait: Wait) -> None:
        """It waits no more."""
        self._waiting.pop(wait, None)


class Wait:
    """Somebody who waits for the lock."""

    def __init__(self, lock: FileLock, loop: SimLoop, lane: Lane) -> None:
        self._lock = lock
        self._loop = loop
        self._lane = lane
        self._since: float | None = None
        self._then: Callable[[], None] = _nothing
        self._timer: asyncio.TimerHandle | None = None

    def over(self, then: Callable[[], None]) -> bool:
        """Whether there is nothing to wait for, or no patience left; else `then` is called, to ask once more."""
        self._lock.leave(self)
        if not self._lock.held:
            self._since = None
            return True
        now = self._loop.time()
        if self._since is None:
            self._since = now
        left = self._since + BUSY_SECONDS - now
        if left <= 0:
            self._since = None
            return True
        self._then = then
        self._lock.enter(self)
        self.look_after(left)
        return False

    def look_after(self, seconds: float) -> None:
        """Look again then, and not before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._then, context=self._lane.context.copy())


def _nothing() -> None:
    """Nobody waits yet."""
