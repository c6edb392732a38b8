"""Functions around a run: each is given the next one to call, and the last of them is the handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from ferryman.domain.errors import BadHandler
from ferryman.engine.context import Context
from ferryman.engine.hooks import Middleware, place


def wrap(
    middleware: Sequence[Middleware], ctx: Context, innermost: Callable[[], Coroutine[Any, Any, Any]]
) -> Coroutine[Any, Any, Any]:
    """A coroutine of the whole run; the first middleware is the outermost."""
    call = innermost
    for each in reversed(middleware):
        call = partial(each, ctx, _Next(call, each))
    return call()


class _Next:
    """`call_next` of one middleware in one run."""

    __slots__ = ("_call", "_called", "_owner")

    def __init__(self, call: Callable[[], Awaitable[Any]], owner: Middleware) -> None:
        self._call = call
        self._owner = owner
        self._called = False

    def __call__(self) -> Awaitable[Any]:
        """Once only: a handler runs at most once per attempt, that is promised (P5)."""
        if self._called:
            raise BadHandler(
                f"The middleware {place(self._owner)} called call_next() twice.",
                why="A handler runs at most once per attempt.",
                hint="Let it raise: its job is tried again as its retry= says.",
            )
        self._called = True
        return self._call()
