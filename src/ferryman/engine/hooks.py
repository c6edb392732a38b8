"""What an app wants called around the life of a process and around each run; filled while it is imported."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import Parameter
from typing import Any, Final, TypeVar

from ferryman.domain.errors import BadHandler
from ferryman.engine.context import Context

LifeHook = Callable[[], object]
CallNext = Callable[[], Awaitable[Any]]
Middleware = Callable[[Context, CallNext], Coroutine[Any, Any, Any]]
FailureHook = Callable[[Context, BaseException], object]

L = TypeVar("L", bound=LifeHook)
M = TypeVar("M", bound=Middleware)
F = TypeVar("F", bound=FailureHook)

_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class Hooks:
    """The hooks of one app, each kind in the order of declaration."""

    def __init__(self) -> None:
        self.startup: Final[list[LifeHook]] = []
        self.shutdown: Final[list[LifeHook]] = []
        self.middleware: Final[list[Middleware]] = []
        self.failure: Final[list[FailureHook]] = []

    @property
    def around(self) -> list[str]:
        """The names of those around the life of a process and around runs: a worker process has them, too."""
        hooks: list[Callable[..., Any]] = [*self.startup, *self.shutdown, *self.middleware]
        return [_name(each) for each in hooks]

    def on_startup(self, function: L, /) -> L:
        """Call it when a process that runs handlers starts. Raises BadHandler."""
        _check(function, "on_startup", "def hook():", 0)
        self.startup.append(function)
        return function

    def on_shutdown(self, function: L, /) -> L:
        """Call it when such a process stops. Raises BadHandler."""
        _check(function, "on_shutdown", "def hook():", 0)
        self.shutdown.append(function)
        return function

    def add_middleware(self, function: M, /) -> M:
        """Have it called around each run. Raises BadHandler."""
        _check(function, "middleware", "async def middleware(ctx, call_next):", 2)
        if not is_async(function):
            raise BadHandler(
                f"{_name(function)} cannot be middleware: it is no `async def`.",
                why="It waits for the handler, and the event loop must turn meanwhile.",
                hint="Write it as: async def middleware(ctx, call_next): return await call_next()",
            )
        self.middleware.append(function)
        return function

    def on_failure(self, function: F, /) -> F:
        """Call it for each failed attempt. Raises BadHandler."""
        _check(function, "on_failure", "def hook(ctx, error):", 2)
        self.failure.append(function)
        return function


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(_bare(function)).__call__)


def place(function: Callable[..., Any]) -> str:
    """Names a hook, and where it is written."""
    code = getattr(_bare(function), "__code__", None)
    where = "" if code is None else f" ({code.co_filename}, line {code.co_firstlineno})"
    return f"{_name(function)}{where}"


def _check(function: object, kind: str, shape: str, count: int) -> None:
    """Refuse what could not be called with so many arguments, or would do nothing when it is."""
    hint = f"Write it as: {shape}"
    if not callable(function):
        raise BadHandler(f"@app.{kind} wants a function, not {type(function).__name__}.", hint=hint)
    name = _name(function)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise BadHandler(
            f"{name} cannot be a hook ({kind}): it has a `yield`.",
            why="Calling it would run none of its lines.",
            hint="Put what comes after the `yield` into a hook of its own.",
        )
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise BadHandler(
            f"{name} cannot be a hook ({kind}): its parameters are unknown.", why=f"{error}.", hint=hint
        ) from None
    if len(parameters) != count or any(each.kind not in _BY_POSITION for each in parameters):
        takes = "no parameters" if count == 0 else f"{count} parameters"
        raise BadHandler(f"{name} cannot be a hook ({kind}): such a hook takes {takes}.", hint=hint)


def _name(function: Callable[..., Any]) -> str:
    bare = _bare(function)
    return str(getattr(bare, "__qualname__", None) or type(bare).__name__)


def _bare(function: Any) -> Any:
    """The function below what functools has wrapped around it."""
    while isinstance(function, partial):
        function = function.func
    return inspect.unwrap(function)
