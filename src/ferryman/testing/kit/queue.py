"""The queue that a test holds: its jobs run when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from ferryman.domain import options
from ferryman.testing.kit.driver import Driver
from ferryman.testing.kit.look import Look
from ferryman.testing.kit.runs import Runs, micros_of
from ferryman.testing.kit.seen import SeenJob
from ferryman.testing.kit.world import KitWorld

T = TypeVar("T")

_INSTEAD: Final = "Use `async with app.testing() as queue`, and await what runs jobs."


class TestQueue(Look):
    """For tests that are plain functions: `with app.testing() as queue`.

    Handlers written with `async def` run on a loop of the queue whose time is virtual, those with `def` in the
    thread of the test.
    """

    def __init__(self, world: KitWorld, runs: Runs, driver: Driver, *, inline: bool) -> None:
        super().__init__(world)
        self._runs = runs
        self._driver = driver
        self._inline = inline

    def run_one(self) -> SeenJob | None:
        """Run the pending job whose turn it is; gives it as it then is, or None where none is pending.

        Raises:
            Exception: what the handler raised, unless the test asked for `raise_errors=False`.
            SyncInsideLoop: an event loop runs in this thread.
        """
        __tracebackhide__ = True
        return _find(self, self._run(self._runs.one))

    def run_all(self) -> int:
        """Run until nothing is pending, new jobs of the handlers included; gives how many runs that were.

        A retry or a snooze that is due later stays scheduled: see `run_due`.

        Raises:
            Exception: what a handler raised, unless the test asked for `raise_errors=False`; the rest stays pending.
            WouldWaitForever: 10,000 jobs have run, and there are more.
            SyncInsideLoop: an event loop runs in this thread.
        """
        __tracebackhide__ = True
        return self._run(self._runs.all)

    def run_due(self, within: float | timedelta = 0) -> int:
        """Let so much time pass (seconds, or a timedelta), and run each job when its time comes, in that order.

        Gives how many runs that were. Raises: as `run_all`; BadOption.
        """
        __tracebackhide__ = True
        micros = micros_of(options.seconds_of("within", within))
        return self._run(lambda: self._runs.due(micros))

    def advance(self, by: float | timedelta) -> None:
        """Let so much time pass (seconds, or a timedelta); what is due by then becomes pending.

        Inline, it also runs, each job at its time. Raises BadOption.
        """
        __tracebackhide__ = True
        micros = micros_of(options.seconds_of("by", by))
        if self._inline:
            self._run(lambda: self._runs.due(micros))
        else:
            self._runs.advance(micros)

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        __tracebackhide__ = True
        return self._driver.run(work, _INSTEAD)


class AsyncTestQueue(Look):
    """For tests that are coroutines: `async with app.testing() as queue`. Everything that may run jobs is awaited.

    Handlers written with `async def` run on the test's own loop, so that they really sleep; those with `def` run
    in a thread, as they do outside of tests.
    """

    def __init__(self, world: KitWorld, runs: Runs, *, inline: bool) -> None:
        super().__init__(world)
        self._runs = runs
        self._inline = inline

    async def run_one(self) -> SeenJob | None:
        """As `TestQueue.run_one`."""
        __tracebackhide__ = True
        return _find(self, await self._runs.one())

    async def run_all(self) -> int:
        """As `TestQueue.run_all`."""
        __tracebackhide__ = True
        return await self._runs.all()

    async def run_due(self, within: float | timedelta = 0) -> int:
        """As `TestQueue.run_due`."""
        __tracebackhide__ = True
        return await self._runs.due(micros_of(options.seconds_of("within", within)))

    async def advance(self, by: float | timedelta) -> None:
        """As `TestQueue.advance`."""
        __tracebackhide__ = True
        micros = micros_of(options.seconds_of("by", by))
        if self._inline:
            await self._runs.due(micros)
        else:
            self._runs.advance(micros)


def _find(look: Look, id: str | None) -> SeenJob | None:
    return next((job for job in look.jobs() if job.id == id), None)
