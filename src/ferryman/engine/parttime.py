"""An event loop that turns only while somebody has work for it, in the thread of whoever has.

    run(coroutine)    the loop turns until the coroutine has ended
    aside(function)   awaited in it: the loop stops, the function is called, and the loop goes on with the answer

A worker process has one for its hooks and its middleware. The handler is called aside: no loop runs in its thread,
so it may block, or run a loop of its own. What else was begun on the loop stands still meanwhile.

A signal handler may raise Stopped in the function, but not in the loop, which might swallow it or break: there it
calls `cancel` instead.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from ferryman.engine import bounded
from ferryman.engine.threads import Answer, Stopped

T = TypeVar("T")


class _Call(NamedTuple):
    """A function that is to be called aside."""

    function: Callable[[], Any]
    answer: asyncio.Future[Answer]


class PartTimeLoop:
    """Belongs to one thread. The loop itself is made when it is first needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[tuple[Any, BaseException | None]] | None = None
        self._calls: list[_Call] = []
        self._aside = False
        self._cancelled = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Turn until a coroutine has ended; raise what it raised."""
        loop = self._loop = self._loop or asyncio.new_event_loop()
        task = loop.create_task(_caught(coroutine))
        task.add_done_callback(lambda _: loop.stop())
        self._task = task
        try:
            while not task.done():
                loop.run_forever()
                while self._calls:
                    call = self._calls.pop(0)
                    if task.done():
                        call.answer.cancel()  # of a task that nobody waited for
                    else:
                        self._serve(call)
        finally:
            self._task = None
            task.cancel()  # if another task has ended the loop by a SystemExit
        if task.cancelled():
            coroutine.close()  # it was cancelled before it began
        value, error = task.result()
        if error is not None:
            raise error
        return value  # type: ignore[return-value]

    async def aside(self, function: Callable[[], Any]) -> Any:
        """Call a function in the loop's thread, with no loop running there."""
        loop = asyncio.get_running_loop()
        call = _Call(function, loop.create_future())
        self._calls.append(call)
        loop.stop()
        answer = await call.answer
        if answer.error is not None:
            raise answer.error
        return answer.value

    def cancel(self) -> bool:
        """Cancel what is run; no function is called aside any more. For signal handlers.

        Returns:
            False where no loop turns, so that the caller may raise instead.
        """
        loop, task = self._loop, self._task
        if loop is None or task is None or self._aside:
            return False
        if not self._cancelled:
            self._cancelled = True
            loop.call_soon_threadsafe(task.cancel)  # which also ends the loop's wait for something to happen
        return True

    def close(self) -> None:
        """End what was left on the loop."""
        if self._loop is not None:
            self.run(_wind_up())
            self._loop.close()

    def _serve(self, call: _Call) -> None:
        """Call a function, if somebody waits for it and nothing was cancelled.

        Stopped may be raised in it, but once, and maybe some bytecodes after its end.
        """
        answer = Answer(None, Stopped())
        pid = os.getpid()
        try:
            self._aside = True
            if not self._cancelled and not call.answer.done():
                answer = _call(call.function)
            self._aside = False
        except Stopped:
            pass  # it appeared outside the function
        self._aside = False
        if os.getpid() != pid:
            os._exit(0)  # a process that was forked there came back with it: the loop is its parent's
        if not call.answer.done():
            call.answer.set_result(answer)


def _call(function: Callable[[], Any]) -> Answer:
    try:
        return Answer(function(), None)
    except BaseException as error:
        return Answer(None, error)


async def _caught(work: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """A SystemExit must not fly through the loop."""
    try:
        return await work, None
    except BaseException as error:
        return None, error


async def _wind_up() -> None:
    """What asyncio.run does at its end, but for tasks that will not end."""
    loop = asyncio.get_running_loop()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=bounded.GRACE)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
