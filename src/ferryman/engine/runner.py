"""Blocking steps off the event loop: one thread that runs them in order, or a thread that ticks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")

log: Final = logging.getLogger("ferryman.engine")


class ThreadRunner:
    """Implements the store's `Runner` with one daemon thread, started with the first step.

    Steps run in the order in which they were asked for. A waiter that is cancelled does not take its
    step back: what was asked of a store happens.
    """

    def __init__(self, name: str) -> None:
        """`name` is the thread's, for whoever looks at a dump."""
        self._name = name
        self._steps: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, step: Callable[[], T]) -> T:
        """Run one step in the thread and give its result, or raise what it raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def take() -> None:
            try:
                result = step()
            except BaseException as error:
                _hand_back(loop, _fail, answer, error)
            else:
                _hand_back(loop, _fulfil, answer, result)

        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._steps.put(take)
        return await answer

    async def close(self) -> None:
        """Wait for the steps asked for so far and end the thread; the next step would start another."""
        if self._thread is not None:
            await self.run(lambda: None)
            self._steps.put(None)
            self._thread = None

    def _work(self) -> None:
        while (step := self._steps.get()) is not None:
            step()


class InlineRunner:
    """Implements the store's `Runner` on the loop itself: where it has nothing else to do, and for simulations."""

    async def run(self, step: Callable[[], T]) -> T:
        """Run one step here and now."""
        return step()

    async def close(self) -> None:
        """Nothing to end."""


class Ticker(Protocol):
    """Calls a step again and again, until it is stopped. A step that fails is logged, and called again."""

    def start(self) -> None:
        """Begin ticking; the first step comes after one interval."""

    def stop(self) -> None:
        """Tick no more."""


TickerFactory = Callable[[float, Callable[[], None], str], Ticker]
"""Makes a ticker of an interval in seconds, a step and a name."""


class ThreadTicker:
    """Ticks on a daemon thread of its own, whatever the event loop does."""

    def __init__(self, interval: float, step: Callable[[], None], name: str) -> None:
        self._interval = interval
        self._step = step
        self._name = name
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin ticking; the first step comes after one interval."""
        if self._thread is None and not self._ending.is_set():
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Tick no more; does not wait for a step under way, which may be stuck in a call of the system."""
        self._ending.set()

    def _work(self) -> None:
        while not self._ending.wait(self._interval):
            _guarded(self._step, self._name)


class LoopTicker:
    """Ticks on the event loop itself, for simulations."""

    def __init__(self, interval: float, step: Callable[[], None], name: str) -> None:
        self._interval = interval
        self._step = step
        self._name = name
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin ticking; the first step comes after one interval."""
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self.start()
        _guarded(self._step, self._name)


def _guarded(step: Callable[[], None], name: str) -> None:
    try:
        step()
    except Exception:
        log.exception("A step of %s failed; the next one comes all the same.", name)


def _hand_back(loop: asyncio.AbstractEventLoop, how: Callable[..., None], answer: Any, value: object) -> None:
    """Answer on the loop's thread; after the loop's end nobody waits any more."""
    try:
        loop.call_soon_threadsafe(how, answer, value)
    except RuntimeError:
        return


def _fulfil(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[T], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
