"""Runs coroutines of the kit in a thread that has no event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from ferryman.domain.errors import SyncInsideLoop, WouldWaitForever
from ferryman.engine.threads import HandlerThread, ThreadCall
from ferryman.testing.kit.loop import KitLoop

T = TypeVar("T")

LAST_GRACE: Final = 10.0
"""Virtual seconds in which tasks that handlers left behind may end."""


class Driver:
    """A loop with virtual time that turns only while something is driven to its end.

    A handler written with `def` runs in the thread of whoever drives, between two turns of the loop: a
    debugger stops in it, coverage sees it, and as in its own thread no loop runs there.
    """

    def __init__(self) -> None:
        self.loop = KitLoop()
        self._turn = threading.Lock()
        self._calls: list[ThreadCall] = []

    def run(self, work: Callable[[], Coroutine[Any, Any, T]], instead: str) -> T:
        """Run a coroutine to its end.

        Raises:
            SyncInsideLoop: a loop runs in this thread; `instead` says what to write there.
            WouldWaitForever: something is driven already, or the coroutine waits for what never comes.
        """
        __tracebackhide__ = True
        if loop_runs_here():
            raise SyncInsideLoop(
                "This call runs jobs, and an event loop runs in this thread.",
                why="Handlers written with async def need the loop meanwhile.",
                hint=instead,
            )
        if not self._turn.acquire(blocking=False):
            raise WouldWaitForever(
                "A job of this queue runs just now.", why="One runs after the other.", hint="Wait for its end."
            )
        try:
            return self._drive(work())
        finally:
            self._turn.release()

    @property
    def busy(self) -> bool:
        """Whether something is driven just now."""
        return self._turn.locked()

    def thread(self) -> HandlerThread:
        """The thread for a `def` handler: the driver's own on its loop, a new one on any other."""
        if asyncio.get_running_loop() is self.loop:
            return _DrivingThread(self._ask)
        return HandlerThread("ferryman-test")

    def close(self) -> None:
        """End what handlers left behind, and the loop."""
        if loop_runs_here():  # where only one loop may turn at a time
            closing = threading.Thread(target=self._close, name="ferryman-test-close")
            closing.start()
            closing.join()
        else:
            self._close()

    def _ask(self, call: ThreadCall) -> None:
        self._calls.append(call)
        self.loop.stop()

    def _drive(self, work: Coroutine[Any, Any, T]) -> T:
        __tracebackhide__ = True
        task = self.loop.create_task(_caught(work))
        task.add_done_callback(lambda _: self.loop.stop())
        stuck: WouldWaitForever | None = None
        while not task.done():
            try:
                self.loop.run_forever()
            except AssertionError as nothing:  # nothing is ready, and no timer is set
                if stuck is not None:
                    raise stuck from None
                stuck = _stuck(nothing)
                task.cancel()
            while self._calls:
                self._calls.pop(0).run()
        if stuck is not None:
            raise stuck
        result, error = task.result()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]

    def _close(self) -> None:
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=LAST_GRACE))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class _DrivingThread(HandlerThread):
    """Stands for the thread that drives; it is started and ended by others."""

    def __init__(self, ask: Callable[[ThreadCall], None]) -> None:
        self._ask = ask

    @property
    def alive(self) -> bool:
        return True

    def call(self, function: Callable[[], Any]) -> ThreadCall:
        call = ThreadCall(function)
        self._ask(call)
        return call

    def end(self) -> None:
        return


def _stuck(error: AssertionError) -> WouldWaitForever:
    return WouldWaitForever(
        "A handler waits for what never comes.",
        why=str(error),
        hint="Await only what the handler itself, a socket or asyncio.to_thread brings about.",
    )


def loop_runs_here() -> bool:
    """Whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _caught(work: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """A KeyboardInterrupt must not fly through the loop, and an error's traceback should be short."""
    try:
        return await work, None
    except BaseException as error:
        return None, error
