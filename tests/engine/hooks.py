"""What tests of hooks and middleware share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.hooks import Hooks
from tests.engine.world import Bench

Next = Callable[[], Awaitable[Any]]


def hooks_of(bench: Bench) -> Hooks:
    return bench.world.registry.hooks


variable: ContextVar[str] = ContextVar("variable", default="unset")
KINDS = ["async def", "def"]


def as_kind(kind: str, function: Callable[..., Any], name: str = "job") -> Any:
    """The function as a handler of either kind."""
    if kind == "def":

        def job(ctx: Context, n: int = 0) -> Any:
            return function(ctx, n)

        return job

    async def ajob(ctx: Context, n: int = 0) -> Any:
        return function(ctx, n)

    ajob.__name__ = name
    return ajob


def real(kind: str, *handlers: Any, **options: Any) -> Bench:
    """A bench in real time, where threads can be waited for."""
    return Bench(*handlers, clock=SystemClock(), **{"workers": 1, **options})
