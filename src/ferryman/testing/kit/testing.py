"""From an app to the queue of a test, and back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from ferryman.domain import options
from ferryman.engine.registry import Registry
from ferryman.testing.kit.driver import Driver
from ferryman.testing.kit.node import HandNode
from ferryman.testing.kit.queue import AsyncTestQueue, TestQueue
from ferryman.testing.kit.runs import Runs
from ferryman.testing.kit.way import InlineWay, Way
from ferryman.testing.kit.world import KitClock, KitWorld, Limits

Divert = Callable[[Way | None], None]


class Testing:
    """What `app.testing()` gives: enter it with `with` or `async with`. Each entry begins with no jobs."""

    __test__ = False

    def __init__(
        self,
        registry: Registry,
        divert: Divert,
        limits: Callable[[], Limits],
        *,
        inline: bool,
        raise_errors: bool,
        start: datetime | None,
    ) -> None:
        """See `Ferryman.testing`; `divert` sends the app's calls another way, and with None its own again."""
        self._registry = registry
        self._divert = divert
        self._limits = limits
        self._inline = inline
        self._raise_errors = raise_errors
        self._start = None if start is None else options.moment("start", options.moment_of("start", start), _present())
        self._open: _Open | None = None

    def __enter__(self) -> TestQueue:
        opened = self._enter()
        return TestQueue(opened.world, opened.runs, opened.driver, inline=self._inline)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    async def __aenter__(self) -> AsyncTestQueue:
        return self.enter_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def enter_async(self) -> AsyncTestQueue:
        """What `async with` does, where there is no loop yet, as in a fixture; `leave` ends it."""
        opened = self._enter()
        return AsyncTestQueue(opened.world, opened.runs, inline=self._inline)

    def leave(self) -> None:
        """End it; the app is as it was before."""
        self._leave()

    def _enter(self) -> _Open:
        opened = _Open(self._registry, self._limits(), self._start, self._inline, self._raise_errors)
        try:
            self._divert(opened.way)
        except BaseException:
            opened.close()
            raise
        self._open = opened
        return opened

    def _leave(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            self._divert(None)
            opened.close()


class _Open:
    """The parts of one test."""

    def __init__(self, registry: Registry, limits: Limits, start: int | None, inline: bool, raise_errors: bool) -> None:
        self.driver = Driver()
        began = _present() if start is None else start
        self.world = KitWorld(registry, limits, KitClock(began, self.driver.loop.time))
        node = HandNode(self.world, self.driver.thread)
        self.runs = Runs(self.world, node, raise_errors=raise_errors)
        self.way = InlineWay(self.world, self.runs, node, self.driver) if inline else Way(self.world)

    def close(self) -> None:
        self.way.close()
        self.driver.close()


def _present() -> int:
    return time.time_ns() // 1000
