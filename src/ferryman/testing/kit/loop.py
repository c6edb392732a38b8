"""The event loop of a test: sleeping costs nothing, real work takes its time."""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

from ferryman.testing.virtual_loop import Jumping, VirtualLoop

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class KitLoop(VirtualLoop):
    """A virtual loop for the handlers of users, who may open sockets and use threads.

    Its time jumps to the next timer, except while a socket is open or `run_in_executor` (`asyncio.to_thread`
    too) works for somebody: then it passes as it does everywhere, or a timeout would come before the answer.
    """

    def __init__(self) -> None:
        self._patient = _Patient()
        super().__init__(selector=self._patient)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As any loop does; until that has ended, time does not jump."""
        future = super().run_in_executor(executor, func, *args)
        self._patient.in_threads += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """As any loop does; it is a thread that waits for the others."""
        self._patient.in_threads += 1
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._patient.in_threads -= 1

    def _thread_done(self, _future: asyncio.Future[Any]) -> None:
        self._patient.in_threads -= 1


class _Patient(Jumping):
    """Waits really while something outside the loop works."""

    def __init__(self) -> None:
        super().__init__(math.inf)
        self.in_threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; else `timeout` has passed, on a clock or by a jump."""
        alone = len(self.get_map()) == 1  # the loop's own end of the pipe that wakes it
        if (alone and not self.in_threads) or timeout == 0:
            return super().select(timeout)
        began = time.monotonic()
        ready = selectors.SelectSelector.select(self, timeout)
        self.now += time.monotonic() - began
        return ready
