"""`@app.cron(...)`: has a job enqueued by the clock."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast, overload

from ferryman import at_first_use
from ferryman.calls import Declared
from ferryman.declare import CronOptions
from ferryman.domain import options
from ferryman.engine.registry import Registry

P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D", bound=Declared[..., Any, ..., Any])
Coro = Coroutine[Any, Any, R]


class CronDecorator:
    """`@app.cron(...)`, waiting for its job, or for a function that is to be one."""

    def __init__(
        self,
        registry: Registry,
        job: Callable[[Callable[..., Any]], Declared[..., Any, ..., Any]],
        expression: str,
        asked: CronOptions,
    ) -> None:
        """`job` declares a function as a job."""
        self._registry = registry
        self._job = job
        self._expression = expression
        self._asked = asked

    @overload
    def __call__(self, function: D, /) -> D: ...
    @overload
    def __call__(self, function: Callable[P, Coro[R]], /) -> Declared[P, R, P, Coro[R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Declared[P, R, P, R]: ...
    def __call__(self, function: Any, /) -> Any:
        """Declare the schedule, and the job if it is none yet."""
        job = cast("Declared[..., Any, ..., Any]", function) if isinstance(function, Declared) else self._job(function)
        handler = self._registry.get(job.type)
        if handler is None or job.registry is not self._registry:
            raise options.refused("a scheduled job", job, "a job of the same app")
        schedule = at_first_use.schedule_of(handler, self._expression, self._asked)
        if schedule.name in self._registry.schedules:
            raise options.refused(
                "name", schedule.name, "a name that no other schedule of this app has", hint="Give one of them name=."
            )
        self._registry.schedules[schedule.name] = schedule
        return job
