"""Run a handler's coroutine inside the worker's own task, with context variables of its own.

A task per job would isolate context variables too, at 5 us a job. Here the worker's task stays the one
that asyncio knows: `asyncio.timeout`, `TaskGroup` and `task.cancel` work as in any task, the futures
that the handler awaits travel through unchanged. Only each step of the handler runs in its own context.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


@types.coroutine
def drive(coroutine: Coroutine[Any, Any, T], context: Context, awaited: object) -> Generator[Any, Any, T]:
    """Go on with a coroutine that has made its first step and now waits for `awaited`."""
    step: Callable[[Any], Any]
    argument: Any
    while True:
        try:
            argument = yield awaited
            step = coroutine.send
        except GeneratorExit:
            context.run(coroutine.close)  # nobody will step us any more
            raise
        except BaseException as error:
            argument = error
            step = coroutine.throw
        try:
            awaited = context.run(step, argument)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            argument = None  # an exception that keeps its frame alive would keep the job alive
