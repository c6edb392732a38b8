"""What runs in threads beside the event loop of a process: the store's steps, and tickers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from ferryman.domain.errors import StoreBusy
from ferryman.engine.steps import Left, Step
from tests.simulation.filelock import FileLock
from tests.simulation.loop import Lane, SimLoop

T = TypeVar("T")
Trip = Callable[[], float]

log: Final = logging.getLogger("ferryman.simulation")


class LaneRunner:
    """Implements the store's `Runner`: each step takes a while, then happens at one moment on the side lane.

    A process that dies before that moment has not done the step; one that dies after it has, and never hears.
    """

    def __init__(self, loop: SimLoop, lane: Lane, trip: Trip, lock: FileLock | None = None) -> None:
        """`trip` gives the seconds of the next step; steps that write wait for the lock of the file."""
        self._loop = loop
        self._lane = lane
        self._trip = trip
        self._lock = lock
        self._wait = None if lock is None else lock.wait(lane)
        self._steps: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._busy = False

    async def run(self, step: Callable[[], T]) -> T:
        """Run one step after those before it."""
        answer: asyncio.Future[T] = self._loop.create_future()
        self._steps.append((step, answer))
        if not self._busy:
            self._busy = True
            self._next()
        return await answer

    async def close(self) -> None:
        """Wait for the steps asked for so far."""
        if self._busy:
            await self.run(lambda: None)

    def _next(self) -> None:
        self._loop.call_later(self._trip(), self._do, context=self._lane.context.copy())

    def _do(self) -> None:
        if self._wait is not None and not self._wait.over(self._do):
            return
        step, answer = self._steps.popleft()
        if self._lock is not None and self._lock.held:
            step = _busy
        try:
            result, error = step(), None
        except BaseException as raised:
            result, error = None, raised
        self._loop.call_soon_threadsafe(_answer, answer, result, error)
        if self._steps:
            self._next()
        else:
            self._busy = False


class LaneSteps:
    """Implements the engine's `Steps` on the side lane: each takes a while, then happens at one moment.

    None but one of an open transaction happens while another one holds the file: it might be about to begin.
    """

    def __init__(
        self, loop: SimLoop, lane: Lane, trip: Trip, lock: FileLock, left: Left, due: Step, _name: str
    ) -> None:
        self._loop = loop
        self._lane = lane
        self._trip = trip
        self._wait = lock.wait(lane)
        self._left = left
        self._due = due
        self._steps: deque[Step] = deque()
        self._busy = False
        self._began = False
        self._timer: asyncio.TimerHandle | None = None

    def put(self, step: Step) -> None:
        """See `Steps.put`. Once the seed is over, only what dead processes left behind is collected."""
        if self._loop.is_closed():
            return
        self._began = True
        self._steps.append(step)
        if not self._busy:
            self._busy = True
            self._next()

    def end(self, last: Step) -> None:
        """See `Steps.end`; what is put later does nothing any more."""
        if self._began:
            self.put(last)

    def _next(self) -> None:
        self._loop.call_later(self._trip(), self._do, context=self._lane.context.copy())

    def _do(self) -> None:
        if self._left() is None and not self._wait.over(self._do):
            return
        self._steps.popleft()()
        self._watch()
        if self._steps:
            self._next()
        else:
            self._busy = False

    def _watch(self) -> None:
        """Look at the time again when something will be due."""
        if self._timer is not None:
            self._timer.cancel()
        left = self._left()
        if left is not None:
            self._timer = self._loop.call_later(max(left, 0.0), self._ring, context=self._lane.context.copy())

    def _ring(self) -> None:
        left = self._left()
        if left is not None and left <= 0.0:
            self._due()
        self._watch()


class LaneTicker:
    """Implements the engine's `Ticker` on the side lane, whatever the process's event loop does."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, lane: Lane, interval: float, step: Callable[[], None], name: str
    ) -> None:
        self._loop = loop
        self._lane = lane
        self._interval = interval
        self._step = step
        self._name = name
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin ticking; the first step comes after one interval."""
        self._timer = self._loop.call_later(self._interval, self._tick, context=self._lane.context.copy())

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self.start()
        try:
            self._step()
        except Exception:
            log.exception("A step of %s failed.", self._name)


def _busy() -> NoReturn:
    """What a step comes to whose patience has ended."""
    raise StoreBusy("Somebody else has kept on writing for too long.")


def _answer(answer: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
